"""What a store must do, as small protocols. Pipelines, models and learning never see one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.catalog.table import AttributeTable
from mutua.core.ids import Vocabulary
from mutua.events.batch import BATCH_SCHEMA as BATCH_SCHEMA
from mutua.events.batch import Rejected as Rejected
from mutua.events.interactions import Interactions
from mutua.events.kinds import AnyEvent
from mutua.events.types import Types
from mutua.profiles.facts import Fact
from mutua.profiles.history import History


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

    def set_marks(self, sequences: npt.NDArray[np.int64], bits: int) -> int:
        """Adds `bits` to the marks of the named events, so that they weigh 0, and returns how many there are."""
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


class Catalog(Protocol):
    """What the log says of users and items, as columns; the newest word of any source stands."""

    def users(self, *, until: int | None = None, as_of: int | None = None) -> AttributeTable:
        """Returns the attributes of users by inner index: event time ≤ `until`, record time ≤ `as_of`."""
        ...

    def items(self, *, until: int | None = None, as_of: int | None = None) -> AttributeTable:
        """Returns the attributes of items by inner index: event time ≤ `until`, record time ≤ `as_of`."""
        ...

    def facts_of_users(self, users: Sequence[int]) -> tuple[Fact, ...]:
        """Returns what sources said of these inner users, in log order, withdrawn and outdated words too."""
        ...


class Identity(Protocol):
    """Which users are one person."""

    def members(self, user: int, *, as_of: int | None = None) -> tuple[int, ...]:
        """Returns the inner users that are the same person as `user`, himself included."""
        ...

    def canonical(self, user: int, *, as_of: int | None = None) -> int:
        """Returns the inner user that stands for the person."""
        ...


class ModelStore(Protocol):
    """Versions of models, newest last, in directories that are written atomically."""

    def versions(self) -> tuple[str, ...]: ...
    def folder(self, version: str) -> Path: ...


class Store(Protocol):
    """One tenant's store: the parts under one roof."""

    @property
    def log(self) -> EventLog: ...
    @property
    def names(self) -> Names: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def quarantine(self) -> Quarantine: ...
    @property
    def models(self) -> ModelStore: ...

    def close(self) -> None:
        """Gives back what the store holds; closing twice is harmless."""
        ...
