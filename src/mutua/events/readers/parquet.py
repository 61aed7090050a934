"""Parquet files as tables, in their own types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from mutua.events.readers.tables import RAW_BYTES, Table, bad_file

ROWS = 100_000


@dataclass(frozen=True)
class Parquet:
    """Reads a Parquet file as tables of at most `rows` rows; `columns` limits what is read of it."""

    columns: tuple[str, ...]
    rows: int = ROWS
    name: str = "parquet"

    def __call__(self, path: Path) -> Iterator[Table]:
        try:
            scan = pl.scan_parquet(path).select(self.columns)
            total = max(1, int(scan.select(pl.len()).collect().item()))
            size, before = path.stat().st_size, 0
            for batch in scan.collect_batches(chunk_size=self.rows, maintain_order=True):
                for frame in batch.iter_slices(self.rows):
                    lines = np.arange(before + 1, before + 1 + frame.height)
                    before += frame.height
                    yield Table(frame, lines, partial(_raw, frame), (), size * before // total)
        except (OSError, pl.exceptions.PolarsError) as reason:
            raise bad_file(path, reason, "check that the file is whole") from reason


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Returns the names of the columns of a Parquet file.

    Raises:
        UnreadableFile: code `file.unreadable`.
    """
    try:
        return tuple(pl.read_parquet_schema(path))
    except (OSError, pl.exceptions.PolarsError) as reason:
        raise bad_file(path, reason, "check that the file is whole") from reason


def _raw(frame: pl.DataFrame, at: int) -> str:
    return msgspec.json.encode(frame.row(at, named=True)).decode()[:RAW_BYTES]
