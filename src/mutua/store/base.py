"""What a store must do, as small protocols. Pipelines, models and learning never see one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from mutua.core.ids import Vocabulary
from mutua.events.interactions import Interactions
from mutua.events.kinds import AnyEvent
from mutua.events.types import Types
from mutua.profiles.history import History

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
class Appended:
    """What became of a batch. An event accepted is on disk when this is returned.

    Args:
        accepted: events new to the log.
        duplicates: events whose id was there already; nothing changed.
        last: the log's newest sequence number afterwards.
        sequences: per event of the batch its sequence number (duplicates: that of the first), where asked for.
    """

    accepted: int
    duplicates: int
    last: int
    sequences: tuple[int, ...] = ()


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


class EventLog(Protocol):
    """The truth: an append-only sequence of events."""

    def append(self, events: Sequence[AnyEvent], *, recorded: int) -> Appended:
        """Writes events in order, durably, and returns their sequence numbers; repeated ids change nothing."""
        ...

    def append_batch(self, batch: pl.DataFrame, *, recorded: int) -> Appended:
        """Writes a batch of `BATCH_SCHEMA` columns durably in one transaction; for bulk, so without `sequences`."""
        ...

    def read(self, after: int = 0, *, kinds: Sequence[int] | None = None, size: int = 50_000) -> Iterator[pl.DataFrame]:
        """Yields batches of `BATCH_SCHEMA` plus `sequence` and `recorded`, in log order, starting after a sequence."""
        ...

    def interactions(self, *, until: int | None = None, as_of: int | None = None) -> Interactions:
        """Returns all interactions as columns, grouped by user: event time ≤ `until`, record time ≤ `as_of`."""
        ...

    def history(self, user: int, *, until: int | None = None, as_of: int | None = None) -> History:
        """Returns the history of one inner user, identity links applied, marked events left out."""
        ...

    def last_sequence(self) -> int:
        """Returns the newest sequence number, 0 for an empty log."""
        ...


class Names(Protocol):
    """The vocabularies, kept in step with the log."""

    @property
    def users(self) -> Vocabulary: ...
    @property
    def items(self) -> Vocabulary: ...
    @property
    def types(self) -> Types: ...


class Quarantine(Protocol):
    """Rows that could not be read, kept until they can."""

    def put(self, rows: Sequence[Rejected]) -> int:
        """Keeps rows durably and returns how many were new."""
        ...

    def rows(self, limit: int = 1_000, *, after: int = 0) -> list[Rejected]:
        """Returns rows in order of `id`, starting after one."""
        ...

    def remove(self, ids: Sequence[int]) -> int:
        """Removes rows that were read after all, and returns how many."""
        ...


class ModelStore(Protocol):
    """Versions of models, newest last, in directories that are written atomically."""

    def versions(self) -> tuple[str, ...]: ...
    def folder(self, version: str) -> Path: ...
