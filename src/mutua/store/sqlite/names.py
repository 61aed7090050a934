"""The vocabularies on disk: outer ids of users, items, types and sources by dense inner index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mutua.core.ids import Indices, Vocabulary, checked_id
from mutua.events.types import DEFAULT_TYPES, EventType, Types
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.schema import VOCABULARIES

_NOBODY = "\x00"
_SIZES = "SELECT (SELECT ifnull(max(number), 0) FROM buried), " + ", ".join(
    f"(SELECT ifnull(max(idx) + 1, 0) FROM {table})" for table in VOCABULARIES
)
"""The newest burial and how many names each vocabulary has: one query where nothing was added, as mostly."""


class Draft:
    """Names new to a transaction. They join the vocabularies only after its commit, so a failure leaves no trace."""

    def __init__(self, names: SqliteNames) -> None:
        self._names = names
        self._new: dict[str, dict[str, int]] = {table: {} for table in VOCABULARIES}

    def index(self, table: str, outer: str) -> int:
        """Returns the inner index of `outer`, new or known.

        Raises:
            InvalidId: code `id.invalid`; only names not seen before are checked.
        """
        known = self._names.vocabulary(table)
        found = known.get(outer)
        if found is not None:
            return found
        new = self._new[table]
        found = new.get(outer)
        if found is None:
            found = new[checked_id(outer, table.removesuffix("s"))] = len(known) + len(new)
        return found

    def numbers(self, table: str, outers: Sequence[str | None]) -> list[int | None]:
        """Returns the inner index of each of `outers`, new or known; None where there is no name."""
        found = self._names.vocabulary(table).found(outers)
        if None in found:
            for place, outer in enumerate(outers):
                if found[place] is None and outer is not None:
                    found[place] = self.index(table, outer)
        return found

    def indices(self, table: str, outers: Sequence[str]) -> Indices:
        """Returns the inner indices of `outers`, int32, new or known."""
        inner = self._names.vocabulary(table).indices(outers)
        for position in np.flatnonzero(inner < 0).tolist():
            inner[position] = self.index(table, outers[position])
        return inner

    def write(self, cursor: sqlite3.Cursor, since: int) -> None:
        """Writes the new names within the transaction; `since` is the newest sequence number before it."""
        for table, new in self._new.items():
            cursor.executemany(
                f"INSERT INTO {table} VALUES (?, ?, ?)", ((index, outer, since) for outer, index in new.items())
            )

    def settle(self) -> None:
        """Adds the new names to the vocabularies in memory, once they are on disk."""
        for table, new in self._new.items():
            vocabulary = self._names.vocabulary(table)
            for outer in new:
                vocabulary.add(outer)


class SqliteNames:
    """The vocabularies of one store, kept in step with what other processes add and bury.

    Args:
        declared: the declared types of interaction; the file holds types as they were spelled, so a new declaration
            applies to old events too.
    """

    def __init__(self, database: Database, declared: Mapping[str, EventType] = DEFAULT_TYPES) -> None:
        self._database = database
        self._declared = declared
        self._vocabularies = {table: Vocabulary() for table in VOCABULARIES}
        self._buried = 0
        self._types = Types(declared)
        self._resolved = np.empty(0, np.int16)
        self._state = (-1, -1)
        self.refresh()

    @property
    def users(self) -> Vocabulary:
        self.refresh()
        return self._vocabularies["users"]

    @property
    def items(self) -> Vocabulary:
        self.refresh()
        return self._vocabularies["items"]

    @property
    def sources(self) -> Vocabulary:
        """Who said what: files, shop systems, enrichment jobs."""
        self.refresh()
        return self._vocabularies["sources"]

    @property
    def types(self) -> Types:
        self._resolve()
        return self._types

    @property
    def resolved_types(self) -> npt.NDArray[np.int16]:
        """int16 by index in the file: the index in `types`, aliases resolved."""
        self._resolve()
        return self._resolved

    def vocabulary(self, table: str) -> Vocabulary:
        """Returns a vocabulary as last refreshed; types as they were spelled."""
        return self._vocabularies[table]

    def draft(self) -> Draft:
        """Returns an empty draft for one transaction."""
        self.refresh()
        return Draft(self)

    def bury(self, cursor: sqlite3.Cursor, table: str, indices: Iterable[int]) -> None:
        """Erases outer ids within a transaction; the tombstones reach memory with the next `refresh`."""
        for index in indices:
            cursor.execute(f"UPDATE {table} SET id = NULL WHERE idx = ?", (index,))
            cursor.execute("INSERT INTO buried (vocabulary, idx) VALUES (?, ?)", (table, index))

    def refresh(self) -> None:
        """Reads what any process added or buried since the last time; about 3 µs when nothing changed."""
        state = self._database.state()
        if state == self._state:
            return
        with self._database.reading():
            buried, *sizes = self._database.rows(_SIZES)[0]
            if buried > self._buried:
                self._apply_buried()
            for (table, vocabulary), size in zip(self._vocabularies.items(), sizes, strict=True):
                if size > len(vocabulary):
                    added = f"SELECT id FROM {table} WHERE idx >= ? ORDER BY idx"
                    for (outer,) in self._database.rows(added, (len(vocabulary),)):
                        _extend(vocabulary, outer)
        self._state = state

    def _apply_buried(self) -> None:
        """Tombstones come before additions: a buried id may have come again, at a new index."""
        query = "SELECT number, vocabulary, idx FROM buried WHERE number > ? ORDER BY number"
        for number, table, index in self._database.rows(query, (self._buried,)):
            self._buried = number
            vocabulary = self._vocabularies[table]
            outer = vocabulary.outer(index) if index < len(vocabulary) else None
            if outer is not None:
                vocabulary.bury(outer)

    def _resolve(self) -> None:
        self.refresh()
        spelled = self._vocabularies["types"]
        if len(spelled) > len(self._resolved):
            fresh = [spelled.outer(index) or "" for index in range(len(self._resolved), len(spelled))]
            added = np.array([self._types.index(name) for name in fresh], np.int16)
            self._resolved = np.concatenate((self._resolved, added))


def _extend(vocabulary: Vocabulary, outer: str | None) -> None:
    """Appends a name, or a tombstone by way of a text that is never an id."""
    vocabulary.add(_NOBODY if outer is None else outer)
    if outer is None:
        vocabulary.bury(_NOBODY)
