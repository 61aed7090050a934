"""What a store's file says of itself."""

from __future__ import annotations

import sqlite3

from mutua.events.kinds import Forget
from mutua.store.sqlite.connection import Database


def library_version() -> tuple[int, ...]:
    """Returns the version of the SQLite library in use."""
    return sqlite3.sqlite_version_info


def schema_version(database: Database) -> int:
    """Returns the number of the newest migration applied."""
    return int(database.one("PRAGMA user_version"))


def damage(database: Database, limit: int = 10) -> tuple[str, ...]:
    """Returns what SQLite's integrity check finds, nothing for a sound file; reads the whole file."""
    found = tuple(text for (text,) in database.rows(f"PRAGMA integrity_check({limit})"))
    return () if found == ("ok",) else found


def newest_recorded(database: Database) -> int | None:
    """Returns the record time of the newest event, microseconds UTC."""
    found: int | None = database.one("SELECT recorded FROM event ORDER BY seq DESC LIMIT 1")
    return found


def newest_of(database: Database, kind: int) -> tuple[int, int]:
    """Returns the newest sequence numbers of a kind other than interactions and of Forgets, −1 where there is none.

    It differs whenever events of the kind came or went: whatever erases also logs a Forget.
    """
    newest = "ifnull((SELECT seq FROM event WHERE kind > 0 AND kind = ? ORDER BY seq DESC LIMIT 1), -1)"
    first, second = database.rows(f"SELECT {newest}, {newest}", (kind, Forget.number))[0]
    return first, second


def count_events(database: Database) -> int:
    """Returns how many events a store holds."""
    return int(database.one("SELECT count(*) FROM event"))
