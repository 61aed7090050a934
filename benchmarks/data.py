"""Where the data sets are. None of them is part of the project; one that is missing is said to be missing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import ZipFile

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "benchmarks"
RECBOLE = "recbole==1.2.1"
ML_100K = "ml-100k"
_PARTS = (".inter", ".user", ".item")


class NotAvailable(Exception):
    """A data set or a peer is not there; the text says which and how to get it."""


def shared() -> Path:
    """Returns the folder of data sets: `MUTUA_DATA`, or `../shared/data` beside the repository."""
    return Path(os.environ.get("MUTUA_DATA") or ROOT.parent / "shared" / "data")


def found(*parts: str) -> Path:
    """Returns a file or folder of the data sets.

    Raises:
        NotAvailable: it is not there.
    """
    path = shared().joinpath(*parts)
    if not path.exists():
        raise NotAvailable(f"no {'/'.join(parts)} in {shared()}; set MUTUA_DATA to the folder of data sets")
    return path


def ml_100k() -> Path:
    """Returns the folder of MovieLens-100K in RecBole's form, taken out of RecBole's wheel where it is nowhere else.

    Raises:
        NotAvailable: the wheel cannot be fetched.
    """
    given = shared() / ML_100K
    if given.is_dir():
        return given
    folder = CACHE / ML_100K
    if all((folder / f"{ML_100K}{part}").is_file() for part in _PARTS):
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE), RECBOLE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(CACHE.glob("recbole-*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotAvailable(f"{RECBOLE}, which holds MovieLens-100K, could not be fetched: {last[:200]}")
    folder.mkdir(exist_ok=True)
    with ZipFile(wheels[-1]) as wheel:
        for part in _PARTS:
            inside = f"recbole/dataset_example/{ML_100K}/{ML_100K}{part}"
            (folder / f"{ML_100K}{part}").write_bytes(wheel.read(inside))
    return folder


def ml_100k_ratings(folder: Path, quick: bool) -> Path:
    """Returns the folder of MovieLens-100K; a quick run gets a fifth of the ratings, those of some users, in `folder`.

    Raises:
        NotAvailable: the wheel cannot be fetched.
    """
    whole = ml_100k()
    if not quick:
        return whole
    lines = (whole / f"{ML_100K}.inter").read_text().splitlines(keepends=True)
    kept = [line for line in lines[1:] if int(line.partition("\t")[0]) % 5 == 0]
    (folder / f"{ML_100K}.inter").write_text("".join([lines[0], *kept]))
    return folder


def gowalla(folder: Path, quick: bool) -> Path:
    """Returns the folder of Gowalla's train.txt and test.txt; a quick run gets the first 300 users, in `folder`."""
    whole = found("gowalla")
    if not quick:
        return whole
    for name in ("train.txt", "test.txt"):
        write_head(whole / name, folder / name, 300)
    return folder


def retailrocket(folder: Path, quick: bool) -> Path:
    """Returns RetailRocket's events as a file in `folder`: the rows whose timestamp 1 stands for none are left out."""
    rows = pl.read_csv(found("retailrocket", "events.csv"))
    dated = rows.filter(pl.col("timestamp") > 1).select("timestamp", "user", "event", "item")
    path = folder / "events.csv"
    (dated.filter(pl.col("user") < 100) if quick else dated).write_csv(path)
    return path


def write_head(source: Path, target: Path, lines: int) -> Path:
    """Writes the first lines of a file to another and returns that."""
    with source.open() as whole, target.open("w") as part:
        part.writelines(line for _, line in zip(range(lines), whole, strict=False))
    return target


def need(package: str) -> None:
    """Checks that a peer is installed.

    Raises:
        NotAvailable: it is not.
    """
    try:
        version(package)
    except PackageNotFoundError as reason:
        raise NotAvailable(f"{package} is not installed; it is in the dependency group `bench`") from reason
