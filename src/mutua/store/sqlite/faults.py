"""SQLite's errors as Mutua's: what came, what was expected, what to do."""

from __future__ import annotations

import sqlite3

from mutua.errors import StoreError, StoreFull, StoreLocked, StoreVersion

_PRIMARY = 0xFF
_FULL = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE})


def translated(reason: sqlite3.Error, name: str) -> StoreError:
    """Returns the coded error for what SQLite said of the store `name`."""
    extended = getattr(reason, "sqlite_errorcode", None) or 0
    came, code = f"{name}: {reason}", extended & _PRIMARY
    if code == sqlite3.SQLITE_FULL or extended in _FULL:
        return StoreFull(came, "room to write; nothing of this batch was kept", "free space, or raise the size limit")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(came, "a store that no other program locks", "close other programs that have it open")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreVersion(
            came, "a store written by Mutua", "name another file, or restore a backup if this was a store"
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(came, "an undamaged file", "run `mutua doctor`, then `mutua restore` the newest backup")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(came, "a store that exists and can be read", "record something first, or name its place")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(came, "a store opened for writing", "open it with write=True; check the file's permissions")
    return StoreError(came, "a store that can be read and written", "run `mutua doctor`")
