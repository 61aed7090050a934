"""Memory while recording does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

RECORD = """
import resource, sys
from pathlib import Path
from mutua.store.base import Appended
from mutua.store.recording import record_file

class Log:
    last = 0
    def append_batch(self, batch, *, recorded):
        self.last += len(batch)
        return Appended(len(batch), 0, self.last)

class Quarantine:
    def put(self, rows):
        return len(rows)

found = record_file(Log(), Quarantine(), Path(sys.argv[1]))
print(found.accepted, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(path: Path, rows: int) -> int:
    """Returns the peak memory, in MiB, of a process that reads, cleans and numbers a file of `rows` rows."""
    draws = np.random.default_rng(0)
    columns = {"user": draws.integers(0, 100_000, rows), "item": draws.integers(0, 50_000, rows)}
    pl.DataFrame({**columns, "ts": 1_700_000_000 + np.arange(rows)}).write_csv(path)
    command = [sys.executable, "-c", RECORD, str(path)]
    accepted, mebibytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(accepted) == rows
    return int(mebibytes)


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    assert peak(tmp_path / "large.csv", 5_000_000) < peak(tmp_path / "small.csv", 1_000_000) + 100
