"""Attributes of all users or all items in memory: read once, then moved by every upsert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mutua.catalog.live import LiveTable
from mutua.catalog.table import AttributeTable
from mutua.store.sqlite.catalog import Subject
from mutua.store.sqlite.store import SqliteStore


class Said(NamedTuple):
    """What an event says of one inner user or item, and at what time, microseconds UTC."""

    row: int
    attributes: Mapping[str, Any]
    time: int


class LiveAttributes:
    """What a store says of its users or of its items, as of now."""

    def __init__(self, store: SqliteStore, subject: Subject) -> None:
        self._store, self._subject = store, subject
        self._live: LiveTable | None = None

    @property
    def live(self) -> LiveTable:
        """The table that moves; the first look reads all upserts, about 2 µs each."""
        if self._live is None:
            self._live = self._read()
        return self._live

    def warm(self) -> None:
        """Reads all upserts now, so that no request does."""
        self._live = self._read()

    @property
    def table(self) -> AttributeTable:
        """The attributes by inner index; good until the next upsert is applied."""
        return self.live.table

    def apply(self, said: Iterable[Said]) -> None:
        """Moves the table by upserts that are in the log; O(attributes), or one read of what cannot be told alone."""
        if self._live is None:
            return
        live = self._live
        unclear = {row for row, attributes, time in said if not live.say(row, attributes, time)}
        if unclear:
            rows = sorted(unclear)
            live.correct(rows, self._store.catalog.facts_among(self._subject, rows))

    def grow(self, size: int) -> None:
        """Makes room for users or items of which nothing is known yet."""
        if self._live is not None:
            self._live.grow(size)

    def drop(self) -> None:
        """Forgets the table; the next look reads it anew."""
        self._live = None

    def _read(self) -> LiveTable:
        catalog, names = self._store.catalog, self._store.names
        if self._subject == "item":
            return LiveTable(catalog.item_facts(), len(names.items))
        return LiveTable(catalog.user_facts(), len(names.users))
