"""The receipt of forgetting, and what is looked at after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from mutua.errors import StoreFull, StoreLocked
from mutua.events.kinds import Forget
from mutua.privacy.slates import Slates
from mutua.store.sqlite.erasing import files_with, keyed_hash, rows_of
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


def remaining(store: SqliteStore, receipt: Receipt, served: Slates | None) -> tuple[Check, ...]:
    """Returns whether the log tells of it, and whether names, events and slates of the subject are gone."""
    checks = (_logged(store, receipt), _unnamed(store, receipt), _tombstones(store, receipt))
    return checks if receipt.kind != "user" else (*checks, _unserved(receipt, served))


def emptied(store: SqliteStore, compact: bool, served: Slates | None) -> Check:
    """Rewrites the files, or only empties the journals, and returns whether no old bytes are left in them."""
    try:
        done = store.database.compact() if compact else store.database.flush()
        done = (served is None or served.clean(compact=compact)) and done
    except StoreFull as reason:
        return Check("old bytes", False, f"no room to rewrite the file: {reason.came}")
    except StoreLocked as reason:
        return Check("old bytes", False, f"others write, so the file was not rewritten: {reason.came}")
    if not done:
        return Check("old bytes", False, "a reader holds old pages of the journal; forget nothing more, verify later")
    what = "the file was rewritten" if compact else "erased rows were overwritten with zeros"
    return Check("old bytes", True, f"{what} and the journal emptied")


def searched(store: SqliteStore, outers: Sequence[str]) -> Check:
    """Returns whether the bytes of the ids occur in any file of the store."""
    distinctive = [outer for outer in outers if len(outer.encode()) >= DISTINCTIVE_BYTES]
    found = {path.name for outer in distinctive for path in files_with(store, outer)}
    if found:
        return Check("bytes on disk", False, f"the id's bytes occur in {', '.join(sorted(found))}")
    if not distinctive:
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


def models_left(store: SqliteStore, receipt: Receipt) -> Check:
    """Returns whether the versions that learned from the subject are gone."""
    left = [version for version in receipt.models if version in store.models.versions()]
    return Check("models", not left, f"learned before: {', '.join(left)}" if left else "none learned from it is kept")


def _unserved(receipt: Receipt, served: Slates | None) -> Check:
    left = 0 if served is None else served.of_users(receipt.indices)
    return Check("slates", left == 0, f"{left} slates are left under the erased indices")
