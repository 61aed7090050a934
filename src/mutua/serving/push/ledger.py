"""The outbox's file: its tables, durable transactions, and SQLite's errors as Mutua's."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mutua.errors import StoreVersion
from mutua.store.sqlite.faults import translated

APPLICATION = 0x4D74426F  # "MtBo"
VERSION = 1
_TABLES = (
    """CREATE TABLE notice (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        user TEXT NOT NULL,
        kind TEXT NOT NULL,
        zone TEXT NOT NULL,
        body BLOB NOT NULL,
        made INTEGER NOT NULL,
        due INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting',
        day TEXT
    ) STRICT""",
    "CREATE INDEX notice_due ON notice (due) WHERE state = 'waiting'",
    "CREATE INDEX notice_user_day ON notice (user, day)",
    """CREATE TABLE delivery (
        id INTEGER PRIMARY KEY,
        notice INTEGER NOT NULL REFERENCES notice (id) ON DELETE CASCADE,
        hook TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        due INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending',
        error TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    "CREATE INDEX delivery_due ON delivery (hook, due) WHERE state = 'pending'",
    "CREATE INDEX delivery_notice ON delivery (notice)",
    "CREATE INDEX delivery_dead ON delivery (id) WHERE state = 'dead'",
    "CREATE TABLE progress (seen INTEGER NOT NULL) STRICT",
    "INSERT INTO progress VALUES (0)",
)


class Ledger:
    """One connection to an outbox's file, made where there is none; None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self._name = ":memory:" if path is None else str(path)
        if path is not None and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with self._errors():
            self._connection = sqlite3.connect(self._name, isolation_level=None, timeout=5.0, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query."""
        with self._errors():
            return self._connection.execute(sql, parameters).fetchall()

    def number(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Returns the number in the first column of the first row."""
        return int(self.rows(sql, parameters)[0][0])

    def change(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Carries out a statement and returns how many rows it changed."""
        with self._errors():
            return self._connection.execute(sql, parameters).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Puts all that is changed inside on disk when the block ends, or none of it after an error."""
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the file; closing twice is harmless."""
        self._connection.close()

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
            self.rows(f"PRAGMA {pragma}")
        with self.transaction():
            application, version = self.number("PRAGMA application_id"), self.number("PRAGMA user_version")
            tables = self.number("SELECT count(*) FROM sqlite_schema")
            if not (application or version or tables):
                for statement in _TABLES:
                    self.rows(statement)
                self.rows(f"PRAGMA application_id = {APPLICATION}")
                self.rows(f"PRAGMA user_version = {VERSION}")
            elif (application, version) != (APPLICATION, VERSION):
                raise StoreVersion(
                    f"{self._name}: version {version}", f"an outbox of version {VERSION}", "move it away"
                )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as reason:
            raise translated(reason, self._name) from reason
