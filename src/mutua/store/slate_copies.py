"""Copies of the slates beside a store, for backup and restore: only those whose names the copied store has."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np

from mutua.errors import StoreError, StoreFull
from mutua.store.slates import SlateLog
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.faults import translated


def copy_slates(source: Address, target: Address) -> bool:
    """Copies one instant of the slates of `source` beside `target`; returns False where they are damaged.

    Nothing is copied where the source has no slates. Slates are no reason to refuse the copy of a store.

    Raises:
        StoreFull: code `store.full`.
    """
    path, aside = source.slates.path, target.slates.file
    if path is None or not path.exists():
        return True
    aside.touch(0o600)
    try:
        with closing(SlateLog.open(source)) as log, closing(sqlite3.connect(aside, isolation_level=None)) as copy:
            log.database.copy_into(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            sound: bool = copy.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
    except (StoreError, sqlite3.Error) as reason:
        found = translated(reason, str(aside)) if isinstance(reason, sqlite3.Error) else reason
        if isinstance(found, StoreFull):
            raise found from reason
        sound = False
    if not sound:
        aside.unlink()
    return sound


def fit_slates(beside: Address, until: int | None = None) -> int:
    """Drops slates that do not fit the copied store beside which they stand, and returns how many are left.

    Dropped are those of users that the store does not know or has forgotten, whose inner numbers may come to mean
    others; with `until` also those recorded later, or with an item that the store does not know.

    Args:
        until: record time, microseconds UTC.
    """
    if not beside.slates.file.exists():
        return 0
    with closing(Database(beside, write=False)) as store:
        users, items = (int(store.one(f"SELECT ifnull(max(idx) + 1, 0) FROM {table}")) for table in ("users", "items"))
        forgotten = [user for (user,) in store.rows("SELECT idx FROM users WHERE id IS NULL")]
    with closing(SlateLog.open(beside, write=True)) as log:
        strange = [] if until is None else _beyond(log, items)
        with log.database.transaction() as cursor:
            cursor.execute("DELETE FROM slate WHERE user >= ?", (users,))
            cursor.executemany("DELETE FROM slate WHERE user = ?", ((user,) for user in forgotten))
            if until is not None:
                cursor.execute("DELETE FROM slate WHERE recorded > ?", (until,))
                cursor.executemany("DELETE FROM slate WHERE number = ?", ((number,) for number in strange))
        log.database.rows("PRAGMA journal_mode = DELETE")
        return int(log.database.one("SELECT count(*) FROM slate"))


def _beyond(log: SlateLog, items: int) -> list[int]:
    return [
        slate.number
        for batch in log.read()
        for slate in batch
        if len(slate) and int(np.max(slate.entries["item"])) >= items
    ]
