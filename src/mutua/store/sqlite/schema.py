"""The tables, as numbered migrations. A store is brought up to date when opened for writing, after a backup."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from mutua.errors import StoreVersion
from mutua.events.kinds import ItemUpsert
from mutua.store.sqlite.connection import Database

APPLICATION = 0x4D757475  # "Mutu"
VOCABULARIES = ("users", "items", "types", "sources")

_FIRST = (
    *(
        f"CREATE TABLE {table} (idx INTEGER PRIMARY KEY, id TEXT, since INTEGER NOT NULL) STRICT"
        for table in VOCABULARIES
    ),
    "CREATE TABLE buried (number INTEGER PRIMARY KEY, vocabulary TEXT NOT NULL, idx INTEGER NOT NULL) STRICT",
    """CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        kind INTEGER NOT NULL,
        user INTEGER,
        item INTEGER,
        type INTEGER,
        value REAL,
        time INTEGER NOT NULL,
        recorded INTEGER NOT NULL,
        source INTEGER NOT NULL,
        session TEXT,
        payload BLOB,
        sealed INTEGER NOT NULL DEFAULT 0,
        mark INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE UNIQUE INDEX event_id ON event (id)",
    "CREATE INDEX event_user_time ON event (user, time)",
    "CREATE INDEX event_kind ON event (kind) WHERE kind > 0",
    "CREATE TABLE user_key (user INTEGER PRIMARY KEY, wrapped BLOB NOT NULL) STRICT",
    """CREATE TABLE quarantine (
        number INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        source TEXT NOT NULL,
        line INTEGER NOT NULL,
        code TEXT NOT NULL,
        message TEXT NOT NULL,
        raw TEXT NOT NULL,
        mapping TEXT NOT NULL
    ) STRICT""",
    "CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
)
_ITEMS = (f"CREATE INDEX event_item ON event (item) WHERE kind = {ItemUpsert.number}",)
_PLACES = (
    """CREATE TABLE event_of_user (
        user INTEGER NOT NULL,
        time INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (user, time, seq)
    ) STRICT, WITHOUT ROWID""",
    "INSERT INTO event_of_user SELECT user, time, seq FROM event WHERE user IS NOT NULL ORDER BY user, time, seq",
    "DROP INDEX event_user_time",
    "CREATE INDEX event_said ON event (user) WHERE kind > 0",
    "CREATE TABLE placed (until INTEGER NOT NULL) STRICT",
    "INSERT INTO placed SELECT ifnull(max(seq), 0) FROM event",
    """CREATE VIEW of_user (user, seq) AS
        SELECT user, seq FROM event_of_user
        UNION ALL
        SELECT user, seq FROM event WHERE seq > (SELECT until FROM placed) AND user IS NOT NULL""",
    """CREATE TRIGGER event_gone AFTER DELETE ON event WHEN old.user IS NOT NULL BEGIN
        DELETE FROM event_of_user WHERE user = old.user AND time = old.time AND seq = old.seq;
    END""",
)
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _ITEMS, _PLACES)
"""The statements that lead from version n to n + 1, at position n. Never edited once released, only added to."""


def prepare(database: Database, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Checks that the file is a store of this version; a writer first brings an empty or older one up to it.

    Raises:
        StoreVersion: code `store.version`; another program's file, a newer version, or an older one open for reading.
    """
    version, latest = _version(database), len(migrations)
    if version > latest:
        raise _refused(database, f"schema version {version}", f"at most {latest}", "install a newer Mutua")
    if version < latest and not database.write:
        what = "an empty file" if version == 0 else f"schema version {version}"
        raise _refused(database, what, f"version {latest}", "record something, or open it for writing once")
    database.journal()
    for number in range(version, latest):
        if version > 0 and database.address.path is not None:
            _back_up(database, database.address.path, number)
        _migrate(database, number + 1, migrations[number])


def _version(database: Database) -> int:
    version = int(database.one("PRAGMA user_version"))
    application = database.one("PRAGMA application_id")
    tables = database.one("SELECT count(*) FROM sqlite_schema")
    if application != APPLICATION and (application or version or tables):
        raise _refused(database, "a database of another program", "a store written by Mutua", "name another file")
    return version


def _migrate(database: Database, version: int, statements: Sequence[str]) -> None:
    with database.transaction() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f"PRAGMA application_id = {APPLICATION}")
        cursor.execute(f"PRAGMA user_version = {version}")
        if version == 1:
            cursor.execute("INSERT INTO secret VALUES ('hash', ?)", (secrets.token_bytes(32),))


def change_lineage(cursor: sqlite3.Cursor) -> None:
    """Says, within a transaction, that rows of the log were changed: what was made of it before is no image of it."""
    cursor.execute("INSERT OR REPLACE INTO secret VALUES ('lineage', ?)", (secrets.token_bytes(16),))


def kept_copy(path: Path, version: int) -> Path:
    """Returns where the backup stands that was made before migrating away from `version`."""
    return path.with_name(f"{path.name}.v{version}.bak")


def _back_up(database: Database, path: Path, version: int) -> None:
    copy = kept_copy(path, version)
    copy.unlink(missing_ok=True)
    copy.touch(0o600)
    with closing(sqlite3.connect(copy)) as target:
        database.copy_into(target)
        target.execute("PRAGMA journal_mode = DELETE")


def _refused(database: Database, came: str, expected: str, do: str) -> StoreVersion:
    return StoreVersion(f"{database.address.name}: {came}", expected, do)
