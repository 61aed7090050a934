"""Erasing from a store: rows, names, keys and quarantined rows in one transaction, then every old byte of them."""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from mutua.errors import NotKnown
from mutua.events.kinds import Forget, UserUpsert
from mutua.store.base import Appended
from mutua.store.sqlite.connection import marks
from mutua.store.sqlite.placing import place
from mutua.store.sqlite.schema import change_lineage
from mutua.store.sqlite.store import SqliteStore

Counts = dict[str, int]
OF_USER = "seq IN (SELECT seq FROM event_of_user WHERE user = ?)"


def keyed_hash(store: SqliteStore, kind: str, outer: str) -> str:
    """Returns the hash that stands for a forgotten id: BLAKE2b under the store's own secret, 128 bits in hex."""
    secret = store.database.one("SELECT value FROM secret WHERE name = 'hash'")
    return blake2b(f"{kind}\x1f{outer}".encode(), key=secret, digest_size=16).hexdigest()


def erase_users(store: SqliteStore, users: Sequence[int], *, recorded: int) -> tuple[Counts, Appended]:
    """Erases all that names `users`, inner indices of one person, and logs a Forget for each.

    Gone are their events of every kind, the links that name them, their outer ids, keys and quarantined rows.

    Returns:
        How many rows went by place, and the sequence numbers of the Forgets.
    """
    named = dict(zip(users, store.names.users.outers(users), strict=True))
    outers = [outer for outer in named.values() if outer is not None]
    quarantined = sorted({number for outer in outers for number in store.quarantine.naming(outer)})
    links = store.identity.naming(users)
    counts: Counts = {}

    def besides(cursor: sqlite3.Cursor) -> None:
        counts["links"] = _delete(cursor, "event", "seq = ?", links)
        counts["attributes"] = _delete(cursor, "event", f"kind = {UserUpsert.number} AND {OF_USER}", users)
        counts["events"] = _delete(cursor, "event", OF_USER, users)
        counts["keys"] = _delete(cursor, "user_key", "user = ?", users)
        counts["quarantine"] = _delete(cursor, "quarantine", "number = ?", quarantined)
        store.names.bury(cursor, "users", users)
        counts["names"] = len(users)

    erased = {
        keyed_hash(store, "user", outer): rows_of(store, [user]) for user, outer in named.items() if outer is not None
    }
    return counts, _forget(store, erased, recorded, besides)


def erase_event(store: SqliteStore, event: str, *, recorded: int) -> tuple[Counts, Appended]:
    """Erases one event by its outer id, and quarantined rows that hold the id, and logs a Forget.

    Raises:
        NotKnown: code `id.unknown`.
    """
    found = store.database.rows("SELECT seq FROM event WHERE id = ? AND kind <> ?", (event, Forget.number))
    if not found:
        raise NotKnown(f"event {event[:60]!r}", "the id of a recorded event", "see `mutua profile` for ids")
    quarantined = store.quarantine.naming(event)
    counts: Counts = {}

    def besides(cursor: sqlite3.Cursor) -> None:
        counts["events"] = _delete(cursor, "event", "seq = ?", [sequence for (sequence,) in found])
        counts["quarantine"] = _delete(cursor, "quarantine", "number = ?", quarantined)

    return counts, _forget(store, {keyed_hash(store, "event", event): 1}, recorded, besides)


def _forget(
    store: SqliteStore, erased: Mapping[str, int], recorded: int, besides: Callable[[sqlite3.Cursor], None]
) -> Appended:
    """The Forgets are written before the rows go, so that no sequence number comes twice."""
    last = store.log.last_sequence()
    forgets = [
        Forget(id=f"forget-{subject}-{last}", subject=subject, erased=count, time=recorded, source="forget")
        for subject, count in erased.items()
    ]

    def erased_rows(cursor: sqlite3.Cursor) -> None:
        place(cursor)
        besides(cursor)
        change_lineage(cursor)

    appended = store.log.append_with(forgets, recorded=recorded, besides=erased_rows)
    store.seals.forget()
    store.catalog.forget()
    store.names.refresh()
    return appended


def _delete(cursor: sqlite3.Cursor, table: str, where: str, values: Sequence[int]) -> int:
    cursor.executemany(f"DELETE FROM {table} WHERE {where}", ((value,) for value in values))
    return cursor.rowcount if values else 0


def files_with(store: SqliteStore, text: str) -> list[Path]:
    """Returns which files of the store, journals and slates included, hold the bytes of `text` anywhere."""
    if store.address.path is None:
        return []
    needle = text.encode()
    files = [path for place in (store.address, store.address.slates) for path in (place.file, place.journal)]
    return [path for path in files if path.exists() and _holds(path, needle)]


def _holds(path: Path, needle: bytes) -> bool:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return view.find(needle) >= 0


def rows_of(store: SqliteStore, users: Sequence[int]) -> int:
    """Returns how many events of these inner users are left."""
    return int(store.database.one(f"SELECT count(*) FROM of_user WHERE user IN ({marks(users)})", users))


def first_sequence(store: SqliteStore, users: Sequence[int]) -> int | None:
    """Returns the oldest sequence number among the events of these inner users, None where there are none."""
    found: int | None = store.database.one(f"SELECT min(seq) FROM of_user WHERE user IN ({marks(users)})", users)
    return found
