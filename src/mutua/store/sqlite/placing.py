"""Where the events of each user are: an index filled in bulk, behind the log.

Users come in no order, so an index by user kept with every commit would write one page of the file an event, most of
what a commit writes. The newest events, at most about `TAIL`, are therefore found by looking through the end of the
log; those before it stand in `event_of_user`. The view `of_user` gives both as one.
"""

from __future__ import annotations

import sqlite3

from mutua.store.sqlite.connection import Database

TAIL = 100_000
"""Events that may wait for their place; a look through them takes some milliseconds, for those who must."""


def ends(database: Database) -> tuple[int, int]:
    """Returns the newest sequence number and the one up to which every event has its place, each 0 for none."""
    last, placed = database.rows("SELECT (SELECT max(seq) FROM event), until FROM placed")[0]
    return last or 0, placed


def place_many(cursor: sqlite3.Cursor, waiting: int) -> None:
    """Gives every event its place once so many wait that it pays."""
    if waiting > TAIL:
        place(cursor)


def place(cursor: sqlite3.Cursor) -> None:
    """Gives every event its place, within the transaction; about 2 µs an event that waits."""
    cursor.execute(
        "INSERT INTO event_of_user SELECT user, time, seq FROM event "
        "WHERE seq > (SELECT until FROM placed) AND user IS NOT NULL ORDER BY user, time, seq"
    )
    cursor.execute("UPDATE placed SET until = ifnull((SELECT max(seq) FROM event), 0)")
