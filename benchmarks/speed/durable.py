"""Durable record of a file, cleaning included, against bare `sqlite3` inserts of the same rows."""

from __future__ import annotations

from benchmarks.goals import Goal, Measured
from benchmarks.speed import record

QUICK_ROWS = 20_000
QUICK_REPEATS = 2
SHARE = Goal("Durable record of 1 M rows, share of the speed of bare `sqlite3` inserts", must=0.40, form=".1%")
MEMORY = Goal("Peak memory of recording 10 M rows, × that of 1 M rows", form=".2f", unit=" ×")
GOALS = (SHARE, MEMORY)


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark; a quick run records a smaller file, and leaves the largest out."""
    rows, repeats = (QUICK_ROWS, QUICK_REPEATS) if quick else (record.ROWS, record.REPEATS)
    found = record.run(rows=rows, repeats=repeats, large=0 if quick else record.LARGE)
    speeds = f"({found['rows_per_second']:,} against {found['bare_rows_per_second']:,} rows/s)"
    memory = found.get("memory", [])
    if len(memory) == 2:
        peaks = [one["peak_mib"] for one in memory]
        grown = MEMORY.seen(peaks[1] / peaks[0], f"({peaks[1]} against {peaks[0]} MiB)")
    else:
        grown = MEMORY.not_run("a quick run leaves the large file out")
    return {
        "figures": [SHARE.seen(found["share_of_bare"], speeds), grown],
        "seeds": [0],
        "repeats": repeats,
        "details": found,
    }
