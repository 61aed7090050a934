"""Forgetting: a person or one event goes from the store for good, with a receipt that can be checked.

What goes: events of every kind, attributes, links, outer ids, sealing keys, quarantined rows and slates served, from
tables, free pages and journals. What stays: a tombstone index, and a Forget event with a keyed hash in place of the id.
Model versions that learned from the events stay until `purge_models`, called after the next learn; the receipt names
them. Texts that other users wrote about a person, and backups, are outside: forget again after a restore.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from mutua.errors import NotKnown
from mutua.events.kinds import Forget
from mutua.privacy.checks import Check as Check
from mutua.privacy.checks import Receipt as Receipt
from mutua.privacy.checks import emptied, models_left, remaining, searched
from mutua.privacy.slates import Slates, slates_of
from mutua.store import checkpoints
from mutua.store.sqlite.erasing import (
    Counts,
    erase_event,
    erase_users,
    first_sequence,
    keyed_hash,
)
from mutua.store.sqlite.schema import MIGRATIONS, kept_copy
from mutua.store.sqlite.store import SqliteStore


def forget_user(
    store: SqliteStore, user: str, *, now: int, compact: bool = True, slates: Slates | None = None
) -> Receipt:
    """Erases a user and all ids linked to him, and returns the receipt.

    Args:
        now: record time, microseconds UTC.
        compact: rewrite the file, so that no free space holds old bytes; takes seconds on a large store. Without it
            the rows are overwritten with zeros where they stood, but copies that SQLite made in moving them may stay.
        slates: where those he was served are, if they are open already: a server's buffer may hold some that are not
            written yet. By default the file beside the store.

    Raises:
        NotKnown: code `id.unknown`; the user was never recorded, or is forgotten already.
        StoreError: the slates or the store could not be written; nothing is forgotten, or only the slates are.
    """
    index = store.names.users.get(user)
    if index is None:
        raise NotKnown(f"user {user[:60]!r}", "a recorded user", "check the spelling; a forgotten user is unknown too")
    members = store.identity.members(index)
    checkpoints.erase(store.address)
    outers = [outer for outer in store.names.users.outers(members) if outer is not None]
    first = first_sequence(store, members)
    with slates_of(store, slates) as served:
        # Slates first: should they fail, the user is known still and can be forgotten again.
        erased = 0 if served is None else served.erase_users(members)
        counts, appended = erase_users(store, members, recorded=now)
        counts["slates"] = erased
        return _receipt(store, "user", outers, members, counts, appended.sequences, now, first, compact, served)


def with_late_slates(store: SqliteStore, receipt: Receipt, erased: int) -> Receipt:
    """Returns a receipt with slates that others wrote meanwhile and have erased since counted, and looked for again."""
    with slates_of(store, None) as served:
        again = {check.name: check for check in remaining(store, receipt, served)}
    return msgspec.structs.replace(
        receipt,
        counts={**receipt.counts, "slates": receipt.counts.get("slates", 0) + erased},
        checks=tuple(again.get(check.name, check) for check in receipt.checks),
    )


def forget_event(store: SqliteStore, event: str, *, now: int, compact: bool = True) -> Receipt:
    """Erases one event by its outer id and returns the receipt; arguments as in `forget_user`.

    Raises:
        NotKnown: code `id.unknown`.
    """
    first: int | None = store.database.one("SELECT seq FROM event WHERE id = ?", (event,))
    checkpoints.erase(store.address)
    counts, appended = erase_event(store, event, recorded=now)
    return _receipt(store, "event", [event], (), counts, appended.sequences, now, first, compact, None)


def verify(
    store: SqliteStore, receipt: Receipt, *, outer: str | None = None, slates: Slates | None = None
) -> tuple[Check, ...]:
    """Returns what is found now, checked again against the store; passes while the person does not come back.

    Args:
        outer: the forgotten id, where the caller still knows it: the files are then searched for its bytes.
        slates: as in `forget_user`.
    """
    with slates_of(store, slates) as served:
        checks = [*remaining(store, receipt, served), models_left(store, receipt)]
    if outer is not None:
        checks.append(searched(store, [outer]))
    return tuple(checks)


def purge_models(store: SqliteStore) -> tuple[str, ...]:
    """Removes the model versions learned before the newest Forget and returns them; the version in force stays.

    Call it after a learn: the version in force then knows nothing of what was erased.
    """
    newest = newest_forget(store)
    return store.models.drop(_learned(store, lambda until: until < newest))


def newest_forget(store: SqliteStore) -> int:
    """Returns the sequence number of the newest Forget, 0 for none."""
    return store.database.one(f"SELECT max(seq) FROM event WHERE kind > 0 AND kind = {Forget.number}") or 0


def _receipt(
    store: SqliteStore,
    kind: str,
    outers: list[str],
    indices: tuple[int, ...],
    counts: Counts,
    sequences: tuple[int, ...],
    now: int,
    first: int | None,
    compact: bool,
    served: Slates | None,
) -> Receipt:
    oldest = first
    receipt = Receipt(
        kind=kind,
        subjects=tuple(keyed_hash(store, kind, outer) for outer in outers),
        erased=now,
        indices=indices,
        counts=counts,
        sequences=sequences,
        checks=(emptied(store, compact, served if counts.get("slates") else None), searched(store, outers)),
        models=() if oldest is None else _learned(store, lambda until: until >= oldest),
        copies=_copies(store),
    )
    return msgspec.structs.replace(receipt, checks=(*receipt.checks, *remaining(store, receipt, served)))


def _learned(store: SqliteStore, wanted: Callable[[int], bool]) -> tuple[str, ...]:
    return tuple(version for version in store.models.versions() if wanted(store.models.learned_until(version)))


def _copies(store: SqliteStore) -> tuple[str, ...]:
    if store.address.path is None:
        return ()
    made = (kept_copy(store.address.path, version) for version in range(1, len(MIGRATIONS)))
    return tuple(path.name for path in made if path.exists())
