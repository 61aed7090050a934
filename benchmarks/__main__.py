"""`python -m benchmarks [NAME …] [--quick]`: measure, write one JSON file a benchmark, and one table of all."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

from benchmarks import report
from benchmarks.data import ROOT, NotAvailable
from benchmarks.goals import Measured, all_not_run

BENCHMARKS = {
    "gowalla": "benchmarks.quality.gowalla",
    "ml100k": "benchmarks.quality.ml100k",
    "journey": "benchmarks.quality.journey",
    "replay": "benchmarks.quality.replay",
    "beauty": "benchmarks.quality.beauty",
    "request": "benchmarks.speed.request",
    "serve": "benchmarks.speed.serve",
    "overload": "benchmarks.speed.overload",
    "record": "benchmarks.speed.durable",
    "growth": "benchmarks.speed.growth",
    "restart": "benchmarks.speed.restart",
    "memory": "benchmarks.speed.memory",
    "startup": "benchmarks.speed.startup",
    "fold": "benchmarks.speed.folding",
}
"""Name of the result → module with `GOALS` and `run(quick)`; the order is that of the table."""
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = RESULTS / "local"


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for and returns 0, or 1 where a benchmark broke; a target that is missed breaks nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="cut data, seconds: shows only that the benchmarks run")
    parser.add_argument("--out", type=Path, help=f"folder of results; default {RESULTS}, of quick runs {QUICK_RESULTS}")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    folder = (chosen.out or (QUICK_RESULTS if chosen.quick else RESULTS)).resolve()
    names = chosen.names or list(BENCHMARKS)
    if len(names) == 1:
        measure(names[0], chosen.quick, folder)
        broken = []
    else:
        broken = [name for name in names if apart(name, chosen.quick, folder)]
    print(f"\n{report.write_table(folder, list(BENCHMARKS))}")
    return 1 if broken else 0


def apart(name: str, quick: bool, folder: Path) -> int:
    """Returns the exit status of a process of its own that runs one benchmark; what broke it stands in its file."""
    command = [sys.executable, "-m", "benchmarks", name, "--out", str(folder), *(["--quick"] if quick else [])]
    module, where, began = import_module(BENCHMARKS[name]), report.machine(), time.perf_counter()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status:
        why = f"broke with exit status {status}, see the output of this run"
        keep(
            report.result(
                name, about(module), quick, where, time.perf_counter() - began, nothing(module, why), not_run=why
            ),
            folder,
        )
    return status


def measure(name: str, quick: bool, folder: Path) -> None:
    """Runs one benchmark in this process and writes its file; missing data are said to be missing there."""
    module, where = import_module(BENCHMARKS[name]), report.machine()
    print(f"── {name}: {about(module)}", file=sys.stderr, flush=True)
    began, why = time.perf_counter(), ""
    try:
        measured: Measured = module.run(quick)
    except NotAvailable as reason:
        why = str(reason)
        measured = nothing(module, why)
    seconds = time.perf_counter() - began
    if hasattr(module, "draw"):
        module.draw(measured, folder)
    keep(report.result(name, about(module), quick, where, seconds, measured, not_run=why), folder)


def keep(found: report.Result, folder: Path) -> None:
    """Writes one result and prints its rows."""
    report.write(found, folder)
    print("\n".join(report.row(figure) for figure in found.figures), flush=True)
    print(f"   {found.seconds:.1f} s", file=sys.stderr, flush=True)


def nothing(module: ModuleType, why: str) -> Measured:
    """Returns the rows of a benchmark that could not run."""
    return {"figures": all_not_run(module.GOALS, why), "seeds": [], "repeats": 0, "details": {}}


def about(module: ModuleType) -> str:
    """Returns the first line of a module's text."""
    return (module.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
