"""Forgetting: a person or one event goes from the store for good, with a receipt that can be checked.

What goes: events of every kind, attributes, links, outer ids, sealing keys and quarantined rows, from the tables, from
free pages and from the journal. What stays: a tombstone index, and a Forget event with a keyed hash in place of the
id. Model versions that learned from the events stay until `purge_models`, called after the next learn; the receipt
names them. Texts that other users wrote about a person, and backups, are outside: forget again after a restore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from mutua.errors import NotKnown, StoreFull
from mutua.events.kinds import Forget
from mutua.store.sqlite.erasing import (
    Counts,
    erase_event,
    erase_users,
    files_with,
    first_sequence,
    keyed_hash,
    rows_of,
)
from mutua.store.sqlite.schema import MIGRATIONS, kept_copy
from mutua.store.sqlite.store import SqliteStore

DISTINCTIVE_BYTES = 8
"""A shorter id turns up in other data by chance, so searching the files for its bytes says nothing."""


class Check(msgspec.Struct, frozen=True):
    """One thing looked at after erasing, and what was found."""

    name: str
    ok: bool
    what: str


class Receipt(msgspec.Struct, frozen=True):
    """What was forgotten, without saying whom.

    Args:
        kind: `user` or `event`.
        subjects: keyed hashes of the erased ids; of a person's linked ids too.
        erased: when, microseconds UTC.
        indices: inner indices of users that are tombstones now.
        counts: rows erased by place.
        sequences: sequence numbers of the Forget events.
        checks: what was verified at once.
        models: versions that learned from the erased events and stand until the next learn.
        copies: files outside the store's reach that may still hold them.
    """

    kind: str
    subjects: tuple[str, ...]
    erased: int
    indices: tuple[int, ...]
    counts: dict[str, int]
    sequences: tuple[int, ...]
    checks: tuple[Check, ...]
    models: tuple[str, ...]
    copies: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every check passed and nothing remains."""
        return all(check.ok for check in self.checks) and not self.models and not self.copies


def forget_user(store: SqliteStore, user: str, *, now: int, compact: bool = True) -> Receipt:
    """Erases a user and all ids linked to him, and returns the receipt.

    Args:
        now: record time, microseconds UTC.
        compact: rewrite the file, so that no free space holds old bytes; takes seconds on a large store. Without it
            the rows are overwritten with zeros where they stood, but copies that SQLite made in moving them may stay.

    Raises:
        NotKnown: code `id.unknown`; the user was never recorded, or is forgotten already.
    """
    index = store.names.users.get(user)
    if index is None:
        raise NotKnown(f"user {user[:60]!r}", "a recorded user", "check the spelling; a forgotten user is unknown too")
    members = store.identity.members(index)
    outers = [outer for outer in store.names.users.outers(members) if outer is not None]
    first = first_sequence(store, members)
    counts, appended = erase_users(store, members, recorded=now)
    return _receipt(store, "user", outers, members, counts, appended.sequences, now, first, compact)


def forget_event(store: SqliteStore, event: str, *, now: int, compact: bool = True) -> Receipt:
    """Erases one event by its outer id and returns the receipt; arguments as in `forget_user`.

    Raises:
        NotKnown: code `id.unknown`.
    """
    first: int | None = store.database.one("SELECT seq FROM event WHERE id = ?", (event,))
    counts, appended = erase_event(store, event, recorded=now)
    return _receipt(store, "event", [event], (), counts, appended.sequences, now, first, compact)


def verify(store: SqliteStore, receipt: Receipt, *, outer: str | None = None) -> tuple[Check, ...]:
    """Returns what is found now, checked again against the store; passes while the person does not come back.

    Args:
        outer: the forgotten id, where the caller still knows it: the files are then searched for its bytes.
    """
    checks = [_logged(store, receipt), _unnamed(store, receipt), _tombstones(store, receipt), _models(store, receipt)]
    if outer is not None:
        checks.append(_bytes(store, [outer]))
    return tuple(checks)


def purge_models(store: SqliteStore) -> tuple[str, ...]:
    """Removes the model versions learned before the newest Forget and returns them; the version in force stays.

    Call it after a learn: the version in force then knows nothing of what was erased.
    """
    newest = store.database.one(f"SELECT max(seq) FROM event WHERE kind > 0 AND kind = {Forget.number}") or 0
    return store.models.drop(_learned(store, lambda until: until < newest))


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
) -> Receipt:
    oldest = first
    receipt = Receipt(
        kind=kind,
        subjects=tuple(keyed_hash(store, kind, outer) for outer in outers),
        erased=now,
        indices=indices,
        counts=counts,
        sequences=sequences,
        checks=(_emptied(store, compact), _bytes(store, outers)),
        models=() if oldest is None else _learned(store, lambda until: until >= oldest),
        copies=_copies(store),
    )
    return msgspec.structs.replace(
        receipt,
        checks=(*receipt.checks, _logged(store, receipt), _unnamed(store, receipt), _tombstones(store, receipt)),
    )


def _learned(store: SqliteStore, wanted: Callable[[int], bool]) -> tuple[str, ...]:
    return tuple(version for version in store.models.versions() if wanted(store.models.learned_until(version)))


def _copies(store: SqliteStore) -> tuple[str, ...]:
    if store.address.path is None:
        return ()
    made = (kept_copy(store.address.path, version) for version in range(1, len(MIGRATIONS)))
    return tuple(path.name for path in made if path.exists())


def _emptied(store: SqliteStore, compact: bool) -> Check:
    try:
        emptied = store.database.compact() if compact else store.database.flush()
    except StoreFull as reason:
        return Check("old bytes", False, f"no room to rewrite the file: {reason.came}")
    if not emptied:
        return Check("old bytes", False, "a reader holds old pages of the journal; forget nothing more, verify later")
    done = "the file was rewritten" if compact else "erased rows were overwritten with zeros"
    return Check("old bytes", True, f"{done} and the journal emptied")


def _bytes(store: SqliteStore, outers: Iterable[str]) -> Check:
    searched = [outer for outer in outers if len(outer.encode()) >= DISTINCTIVE_BYTES]
    found = {path.name for outer in searched for path in files_with(store, outer)}
    if found:
        return Check("bytes on disk", False, f"the id's bytes occur in {', '.join(sorted(found))}")
    if not searched:
        return Check("bytes on disk", True, f"not searched: ids under {DISTINCTIVE_BYTES} bytes occur by chance")
    return Check("bytes on disk", True, "the id's bytes occur in no file of the store")


def _logged(store: SqliteStore, receipt: Receipt) -> Check:
    logged = {
        fields["subject"]
        for batch in store.log.read(min(receipt.sequences) - 1, kinds=[Forget.number])
        for fields in map(msgspec.json.decode, batch["payload"])
    }
    ok = set(receipt.subjects) <= logged
    return Check("logged", ok, "the log says that it was forgotten" if ok else "the log does not say so")


def _unnamed(store: SqliteStore, receipt: Receipt) -> Check:
    subjects = set(receipt.subjects)
    if receipt.kind == "user":
        users = store.names.users
        names: Iterable[str | None] = (users.outer(index) for index in range(len(users)))
    else:
        names = (event for (event,) in store.database.rows("SELECT id FROM event"))
    back = any(name is not None and keyed_hash(store, receipt.kind, name) in subjects for name in names)
    return Check("unknown", not back, "the id was recorded again" if back else "no id in the store has that hash")


def _tombstones(store: SqliteStore, receipt: Receipt) -> Check:
    left = rows_of(store, receipt.indices)
    return Check("events", left == 0, f"{left} events are left under the erased indices")


def _models(store: SqliteStore, receipt: Receipt) -> Check:
    left = [version for version in receipt.models if version in store.models.versions()]
    return Check("models", not left, f"learned before: {', '.join(left)}" if left else "none learned from it is kept")
