"""What forgetting a user does to the slates that he was served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

from mutua.store.slates import SlateLog
from mutua.store.sqlite.store import SqliteStore


class Slates(Protocol):
    """Slates that were served: a `SlateLog`, or the `SlateBuffer` before one."""

    def of_users(self, users: Sequence[int]) -> int:
        """Returns how many slates these inner users were served."""
        ...

    def erase_users(self, users: Sequence[int]) -> int:
        """Deletes the slates of these inner users and returns how many there were."""
        ...

    def clean(self, *, compact: bool) -> bool:
        """Empties the journal, after rewriting the file if `compact`; False while a reader keeps old pages."""
        ...


@contextmanager
def slates_of(store: SqliteStore, given: Slates | None) -> Iterator[Slates | None]:
    """Yields the given slates, else those in the file beside the store; None where there is no such file.

    Raises:
        StoreVersion: code `store.version`; the file beside the store is not a log of slates, or of a newer Mutua.
    """
    path = store.address.slates.path
    if given is not None or path is None or not path.exists():
        yield given
        return
    with closing(SlateLog.open(store.address, write=store.database.write)) as log:
        yield log
