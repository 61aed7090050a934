"""The catalog: what the log says of users and items, folded into columns by inner index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from mutua.catalog.columns import column
from mutua.catalog.facts import Facts, gathered
from mutua.catalog.table import AttributeTable
from mutua.events.kinds import ItemUpsert, UserUpsert
from mutua.profiles.facts import Fact, facts_of
from mutua.store.sqlite.connection import Database, marks
from mutua.store.sqlite.inspection import newest_of
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import SqliteNames

Subject = Literal["user", "item"]
_SUBJECTS = {"user": UserUpsert.number, "item": ItemUpsert.number}
_PROVENANCE = "source, time, recorded, seq"
_STATEMENT = np.dtype([("row", "i4"), ("source", "i4"), ("time", "i8"), ("recorded", "i8"), ("sequence", "i8")])


class _Said(msgspec.Struct, gc=False):
    attributes: dict[str, Any]


_DECODER = msgspec.json.Decoder(list[_Said])


class SqliteCatalog:
    """Attributes of users and items; by default the newest word of any source stands."""

    def __init__(self, database: Database, names: SqliteNames, seals: Seals) -> None:
        self._database, self._names, self._seals = database, names, seals
        self._facts: dict[str, tuple[tuple[int, int], dict[str, Facts]]] = {}
        self._tables: dict[str, tuple[tuple[int, int, int], AttributeTable]] = {}

    def users(self, *, until: int | None = None, as_of: int | None = None) -> AttributeTable:
        """Returns the attributes of users: event time ≤ `until`, record time ≤ `as_of`. Kept until they change."""
        return self._table("user", until, as_of)

    def items(self, *, until: int | None = None, as_of: int | None = None) -> AttributeTable:
        """Returns the attributes of items: event time ≤ `until`, record time ≤ `as_of`. Kept until they change."""
        return self._table("item", until, as_of)

    def user_facts(self) -> Mapping[str, Facts]:
        """Returns all that sources said of users, by attribute."""
        return self._gathered("user")[1]

    def item_facts(self) -> Mapping[str, Facts]:
        """Returns all that sources said of items, by attribute."""
        return self._gathered("item")[1]

    def facts_of_users(self, users: Sequence[int]) -> tuple[Fact, ...]:
        """Returns what sources said of these inner users, in log order, withdrawn and outdated words too."""
        return self._said_of("user", users)

    def facts_of_item(self, item: int) -> tuple[Fact, ...]:
        """Returns what sources said of one inner item, in log order, withdrawn and outdated words too."""
        return self._said_of("item", (item,))

    def newest_statement(self, subject: Subject, index: int) -> int:
        """Returns the sequence number of the newest word of any source on an inner user or item, 0 for none."""
        return int(self._database.one(f"SELECT max(seq) FROM event WHERE {_about(subject, (index,))}", (index,)) or 0)

    def facts_among(self, subject: Subject, rows: Sequence[int]) -> dict[str, Facts]:
        """Returns all that sources said of some inner users or items, by attribute."""
        return self._read(subject, f"WHERE {_about(subject, rows)} ORDER BY seq", [int(row) for row in rows])

    def forget(self) -> None:
        """Drops what is held in memory, as after an erasure."""
        self._facts.clear()
        self._tables.clear()

    def _table(self, subject: str, until: int | None, as_of: int | None) -> AttributeTable:
        with self._database.reading():
            size = len(self._names.users if subject == "user" else self._names.items)
            version, facts = self._gathered(subject)
        if until is not None or as_of is not None:
            return _tabulated({name: said.known(until=until, as_of=as_of) for name, said in facts.items()}, size)
        kept = self._tables.get(subject)
        if kept is None or kept[0] != (*version, size):
            kept = self._tables[subject] = ((*version, size), _tabulated(facts, size))
        return kept[1]

    def _gathered(self, subject: str) -> tuple[tuple[int, int], dict[str, Facts]]:
        """Returns the facts and the version they are of."""
        where = f"WHERE kind > 0 AND kind = {_SUBJECTS[subject]} ORDER BY seq"
        with self._database.reading():
            version = newest_of(self._database, _SUBJECTS[subject])
            kept = self._facts.get(subject)
            if kept is None or kept[0] != version:
                kept = self._facts[subject] = (version, self._read(subject, where, ()))
        return kept

    def _read(self, subject: str, where: str, parameters: Sequence[int]) -> dict[str, Facts]:
        with self._database.reading():
            rows = self._database.stream(f"SELECT {subject}, {_PROVENANCE} FROM event {where}", parameters)
            table = np.fromiter(rows, _STATEMENT)
            columns = {name: table[name] for name in _STATEMENT.names or ()}
            return gathered(self._said(where, parameters), **columns)

    def _said_of(self, subject: str, indices: Sequence[int]) -> tuple[Fact, ...]:
        where = f"WHERE {_about(subject, indices)} ORDER BY seq"
        wanted, sources = [int(index) for index in indices], self._names.sources
        with self._database.reading():
            rows = self._database.rows(f"SELECT {_PROVENANCE} FROM event {where}", wanted)
            said = self._said(where, wanted)
        return tuple(
            fact
            for (source, time, _, sequence), attributes in zip(rows, said, strict=True)
            for fact in facts_of(attributes, sources.outer(source) or "", time, sequence)
        )

    def _said(self, where: str, parameters: Sequence[int]) -> list[dict[str, Any]]:
        """Returns the attributes of each statement; all payloads are one JSON list, which decodes in one call."""
        rows = self._database.stream(f"SELECT payload, sealed, user, id FROM event {where}", parameters)
        payloads = b",".join(
            self._seals.open(user, payload, event) if sealed else payload for payload, sealed, user, event in rows
        )
        return [statement.attributes for statement in _DECODER.decode(b"[" + payloads + b"]")]


def _about(subject: str, indices: Sequence[int]) -> str:
    # The plus keeps SQLite from the index on kinds, where that on users is shorter.
    by_subject = "kind > 0 AND +kind" if subject == "user" else "kind"
    return f"{by_subject} = {_SUBJECTS[subject]} AND {subject} IN ({marks(indices)})"


def _tabulated(facts: Mapping[str, Facts], size: int) -> AttributeTable:
    newest = {name: said.newest() for name, said in facts.items()}
    return AttributeTable(
        size, {name: column(name, said.row, said.values, size) for name, said in newest.items() if len(said)}
    )
