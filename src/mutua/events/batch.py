"""Events in bulk: the columns of a batch in outer ids, and the rows that could not become events."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

BATCH_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "kind": pl.Int8,
    "user": pl.String,
    "item": pl.String,
    "type": pl.String,
    "value": pl.Float64,
    "time": pl.Int64,
    "source": pl.String,
    "session": pl.String,
    "payload": pl.Binary,
    "mark": pl.Int32,
}
"""Columns of a batch of events in outer ids: `time` in microseconds UTC, `payload` the JSON of all fields that have no
column of their own, `mark` the bits of the cleaning rules that set the row's weight to 0 (0: none)."""


@dataclass(frozen=True)
class Rejected:
    """A row that could not be read, as the quarantine keeps it.

    Args:
        line: 1-based line (or row) in `source`.
        code: code of the error (`errors.py`).
        message: what came, what was expected, what to do.
        raw: the row as it came, cut to 4 KiB.
        mapping: how the file's columns were read (the `--map` text), so that a retry needs no options.
    """

    source: str
    line: int
    code: str
    message: str
    raw: str
    mapping: str = ""
    id: int = 0
