"""The log of events in SQLite: what is written is on disk when the call returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.events.interactions import Interactions
from mutua.events.kinds import AnyEvent
from mutua.profiles.history import History
from mutua.store.base import Appended
from mutua.store.codec import Columns, columns
from mutua.store.sqlite import placing, reading
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.identity import SqliteIdentity
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import Draft, SqliteNames
from mutua.store.sqlite.schema import change_lineage
from mutua.store.sqlite.writing import insert_batch, insert_events, sequences_of


class SqliteLog:
    """The events of one store, by dense sequence numbers that are never used twice."""

    def __init__(self, database: Database, names: SqliteNames, identity: SqliteIdentity, seals: Seals) -> None:
        self._database, self._names, self._identity, self._seals = database, names, identity, seals

    def append(self, events: Sequence[AnyEvent], *, recorded: int) -> Appended:
        """Writes events in order, durably, and returns their sequence numbers; repeated ids change nothing.

        Args:
            recorded: record time, microseconds UTC; also the event time of events that have none.

        Raises:
            InvalidId: code `id.invalid`; nothing of the call was kept.
            StoreFull: code `store.full`; nothing of the call was kept.
        """
        return self.append_all([events], recorded=recorded)

    def append_all(self, calls: Sequence[Sequence[AnyEvent]], *, recorded: int, apart: bool = False) -> Appended:
        """Writes the events of several calls in one transaction, each as `append` would; one fsync for all.

        Equal events without an id are counted within their own call, so who else writes at the time changes nothing.

        Args:
            apart: whether an event with neither id nor time is a fact of its own, whatever its content.

        Cost: about 4 µs a plain interaction, and what the disk takes; ids that rise with time are quickest.
        """
        return self._append(columns(calls, recorded, apart=apart), recorded)

    def append_batch(self, batch: pl.DataFrame, *, recorded: int) -> Appended:
        """Writes a batch of `BATCH_SCHEMA` columns durably in one transaction; for bulk, so without `sequences`.

        Raises:
            InvalidId: code `id.invalid`; nothing of the batch was kept.
            StoreFull: code `store.full`; nothing of the batch was kept.
        """
        with self._writing() as (cursor, draft, last, placed):
            accepted = insert_batch(cursor, draft, self._seals, batch, recorded)
            placing.place_many(cursor, last + accepted - placed)
        return Appended(accepted, len(batch) - accepted, last + accepted)

    def append_with(
        self, events: Sequence[AnyEvent], *, recorded: int, besides: Callable[[sqlite3.Cursor], None]
    ) -> Appended:
        """Writes events as `append` does, and in the same transaction whatever `besides` writes."""
        return self._append(columns([events], recorded), recorded, besides)

    def set_marks(self, sequences: npt.NDArray[np.int64], bits: int) -> int:
        """Adds `bits` to the marks of the named events and returns how many events there are of them."""
        with self._database.transaction() as cursor:
            named = ((bits, sequence) for sequence in sequences.tolist())
            cursor.executemany("UPDATE event SET mark = mark | ? WHERE seq = ?", named)
            marked = cursor.rowcount if len(sequences) else 0
            if marked:
                change_lineage(cursor)
            return marked

    def read(self, after: int = 0, *, kinds: Sequence[int] | None = None, size: int = 50_000) -> Iterator[pl.DataFrame]:
        """Yields batches of `BATCH_SCHEMA` plus `sequence` and `recorded`, in log order, starting after a sequence.

        Raises:
            StoreError: code `store.failed`; sealed payloads that the store's key does not open.
        """
        return reading.batches(self._database, self._names, self._seals, after, kinds, size)

    def read_user(self, user: int) -> pl.DataFrame:
        """Returns all events of one person, linked ids included, as `read` yields them."""
        return reading.of_users(self._database, self._names, self._seals, self._identity.members(user))

    def interactions(self, *, until: int | None = None, as_of: int | None = None) -> Interactions:
        """Returns all interactions as columns, grouped by user: event time ≤ `until`, record time ≤ `as_of`.

        Linked users are one, under the canonical index; marked events have weight 0.
        """
        return reading.interactions(self._database, self._names, self._identity, until, as_of)

    def history(self, user: int, *, until: int | None = None, as_of: int | None = None) -> History:
        """Returns the whole history of one inner user, identity links applied, marked events left out.

        About 1 µs an event, and up to some milliseconds for the end of the log. Not cut to a
        window: see `History.bounded`.
        """
        users = self._identity.members(user, as_of=as_of)
        return reading.history(self._database, self._names, users, until, as_of)

    def placed_history(self, user: int) -> tuple[History, int]:
        """Returns as much of `history` as needs no look through the end of the log, and up to which sequence number.

        About 1 µs an event; for who knows the events behind that number himself.
        """
        return reading.placed_history(self._database, self._names, self._identity.members(user))

    def placed(self) -> int:
        """Returns the sequence number up to which `placed_history` tells; about 5 µs."""
        return placing.ends(self._database)[1]

    def latest(self, count: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        """Returns item, type and time of the newest unmarked interactions by sequence number, newest first."""
        return reading.latest(self._database, self._names, count)

    def last_sequence(self, *, as_of: int | None = None) -> int:
        """Returns the newest sequence number recorded by `as_of` (microseconds UTC), 0 for none."""
        return reading.last_sequence(self._database, as_of)

    def newest_time(self) -> int:
        """Returns the event time of the newest interaction, microseconds UTC; 0 for none."""
        return int(self._database.one("SELECT max(time) FROM event WHERE kind = 0") or 0)

    def _append(
        self, events: Columns, recorded: int, besides: Callable[[sqlite3.Cursor], None] | None = None
    ) -> Appended:
        ids = events["id"]
        with self._writing() as (cursor, draft, last, placed):
            accepted = insert_events(cursor, draft, self._seals, events, recorded)
            placing.place_many(cursor, last + accepted - placed)
            fresh = accepted == len(ids)
            sequences = range(last + 1, last + 1 + accepted) if fresh else sequences_of(cursor, ids)
            if besides is not None:
                besides(cursor)
        return Appended(accepted, len(ids) - accepted, last + accepted, tuple(sequences))

    @contextmanager
    def _writing(self) -> Iterator[tuple[sqlite3.Cursor, Draft, int, int]]:
        draft = self._names.draft()
        try:
            with self._database.transaction() as cursor:
                last, placed = placing.ends(self._database)
                yield cursor, draft, last, placed
                draft.write(cursor, last)
        except BaseException:
            self._seals.forget()
            raise
        draft.settle()
