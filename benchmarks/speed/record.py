"""Durable record of a file, cleaning included, against bare `sqlite3` inserts of the same rows.

The bare side gets what recording had to work out for itself: finished tuples in inner ids, in memory. It writes them
into the same columns and indexes, with the same durability and the same commits. Both sides run in turn, several times.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mutua.store.recording import Recorded, record_file
from mutua.store.sqlite.store import SqliteStore

ROWS = 1_000_000
LARGE = 10_000_000
REPEATS = 3
MUST_SHARE = 0.40
_PIECE = 1_000_000
SETTINGS = ("synchronous", "cache_size", "wal_autocheckpoint", "page_size")


def run(rows: int = ROWS, repeats: int = REPEATS, large: int = LARGE) -> dict[str, Any]:
    """Returns rows a second of both sides (medians), their ratio, and the peak memory for `rows` and `large` rows."""
    with tempfile.TemporaryDirectory(prefix="mutua-record-") as folder:
        path = write_shop(Path(folder) / "shop.csv", rows)
        _timed(write_shop(Path(folder) / "warm.csv", 1_000), Path(folder) / "warm.db")
        mutua, bare = [], []
        for repeat in range(repeats):
            store = Path(folder) / f"mutua-{repeat}.db"
            recorded, commits, settings = _timed(path, store)
            mutua.append(recorded.seconds)
            bare.append(_bare(store, Path(folder) / f"bare-{repeat}.db", commits, settings))
            store.unlink()
        figures: dict[str, Any] = {
            "rows": rows,
            "commits": len(commits) - 1,
            "accepted": recorded.accepted,
            "marked": dict(recorded.marked),
            "rows_per_second": round(rows / statistics.median(mutua)),
            "bare_rows_per_second": round(rows / statistics.median(bare)),
            "share_of_bare": round(statistics.median(b / m for b, m in zip(bare, mutua, strict=True)), 3),
            "must": MUST_SHARE,
        }
        path.unlink()
        if large:
            figures["memory"] = [_memory(Path(folder), size) for size in (rows, large)]
    return figures


def write_shop(path: Path, rows: int) -> Path:
    """Writes a CSV of a shop: skewed users and items, four types, prices, sessions, times that rise."""
    for start in range(0, rows, _PIECE):
        frame = _shop(np.random.default_rng(start), min(_PIECE, rows - start), start)
        with path.open("ab") as file:
            frame.write_csv(file, include_header=start == 0)
    return path


def _shop(draws: np.random.Generator, rows: int, start: int) -> pl.DataFrame:
    users = (draws.random(rows) ** 2 * 100_000).astype(np.int64)
    items = (draws.random(rows) ** 3 * 50_000).astype(np.int64)
    types = pl.Series(["view", "cart", "purchase", "like"]).gather(draws.choice(4, rows, p=(0.8, 0.1, 0.06, 0.04)))
    times = 1_700_000_000_000 + (start + np.arange(rows)) * 250 + draws.integers(0, 250, rows)
    frame = pl.DataFrame({"user": users, "item": items, "event": types, "timestamp": times})
    return frame.with_columns(
        user="u" + pl.col("user").cast(pl.String),
        item="sku-" + pl.col("item").cast(pl.String),
        price=pl.Series(np.round(draws.lognormal(1.5, 0.8, rows), 2)),
    )


def _timed(path: Path, store: Path) -> tuple[Recorded, list[int], dict[str, int]]:
    """Returns what was recorded, the number of events after each commit, and the connection's settings."""
    commits = [0]
    with SqliteStore.open(f"sqlite:///{store}", write=True) as opened:
        recorded = record_file(
            opened.log, opened.quarantine, path, progress=lambda step: commits.append(step.accepted + step.duplicates)
        )
        settings = {name: int(opened.database.one(f"PRAGMA {name}")) for name in SETTINGS}
    return recorded, commits, settings


def _bare(store: Path, path: Path, commits: list[int], settings: dict[str, int]) -> float:
    with closing(sqlite3.connect(store)) as made:
        statements = [sql for (sql,) in made.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'event'") if sql]
        rows = made.execute("SELECT * FROM event ORDER BY seq").fetchall()
    began = time.perf_counter()
    with closing(sqlite3.connect(path, isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        for name, value in settings.items():
            bare.execute(f"PRAGMA {name} = {value}")
        for statement in statements:
            bare.execute(statement)
        insert = f"INSERT INTO event VALUES ({', '.join('?' * len(rows[0]))})"
        for start, end in pairwise(commits):
            bare.execute("BEGIN")
            bare.executemany(insert, rows[start:end])
            bare.execute("COMMIT")
    return time.perf_counter() - began


def _memory(folder: Path, rows: int) -> dict[str, Any]:
    """Returns rows a second and the peak memory of a fresh process that records a file of `rows` rows."""
    path = write_shop(folder / f"shop-{rows}.csv", rows)
    command = [sys.executable, "-m", "benchmarks.speed.record", "--memory", str(path)]
    figures: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    path.unlink()
    return {"rows": rows, **figures}


def _peak(path: Path) -> dict[str, Any]:
    store = path.with_suffix(".db")
    recorded, *_ = _timed(path, store)
    store.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"rows_per_second": round(recorded.events_per_second), "peak_mib": round(peak / 1024)}


def main(arguments: list[str]) -> None:
    """Prints the figures as JSON; `--quick` leaves the large file out."""
    if arguments[:1] == ["--memory"]:
        print(json.dumps(_peak(Path(arguments[1]))))
    else:
        print(json.dumps(run(large=0 if "--quick" in arguments else LARGE), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
