"""The quarantine in SQLite: rows that could not be read, kept until they can."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from mutua.store.base import Rejected
from mutua.store.sqlite.connection import Database

RAW_CHARACTERS = 4_096


class SqliteQuarantine:
    """Rejected rows of one store; the same row of the same source is kept once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, rows: Sequence[Rejected]) -> int:
        """Keeps rows durably and returns how many were new."""
        with self._database.transaction() as cursor:
            cursor.executemany(
                "INSERT INTO quarantine (digest, source, line, code, message, raw, mapping) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                (
                    (_digest(row), row.source, row.line, row.code, row.message, row.raw[:RAW_CHARACTERS], row.mapping)
                    for row in rows
                ),
            )
            return cursor.rowcount if rows else 0

    def rows(self, limit: int = 1_000, *, after: int = 0) -> list[Rejected]:
        """Returns rows in order of `id`, starting after one."""
        found = self._database.rows(
            "SELECT source, line, code, message, raw, mapping, number FROM quarantine "
            "WHERE number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [Rejected(*row) for row in found]

    def remove(self, ids: Sequence[int]) -> int:
        """Removes rows that were read after all, and returns how many."""
        with self._database.transaction() as cursor:
            cursor.executemany("DELETE FROM quarantine WHERE number = ?", ((int(number),) for number in ids))
            return cursor.rowcount if ids else 0

    def count(self) -> int:
        """Returns how many rows wait."""
        return int(self._database.one("SELECT count(*) FROM quarantine"))

    def naming(self, outer: str) -> list[int]:
        """Returns the ids of rows that hold `outer` as a whole word, plain or as JSON spells it."""
        spellings = {
            outer,
            msgspec.json.encode(outer).decode()[1:-1],
            outer.encode("ascii", "backslashreplace").decode(),
        }
        word = re.compile("|".join(rf"(?<!\w){re.escape(spelling)}(?!\w)" for spelling in spellings))
        found, after = [], 0
        while rows := self.rows(after=after):
            found += [row.id for row in rows if word.search(row.raw) or word.search(row.message)]
            after = rows[-1].id
        return found


def _digest(row: Rejected) -> bytes:
    return blake2b(f"{row.source}\x1f{row.line}\x1f{row.raw}".encode(), digest_size=16).digest()
