"""What must still hold of a user or an item when somebody writes about it, so that two editors overwrite nothing."""

from __future__ import annotations

import msgspec

from mutua.errors import Overtaken
from mutua.store.sqlite.catalog import Subject
from mutua.store.sqlite.store import SqliteStore


class Condition(msgspec.Struct, frozen=True):
    """Nothing was stated of a user or an item since it was read. Looked at between two commits, by who writes.

    Args:
        outer: its id.
        stated: sequence numbers, one of which must be that of the newest statement on it; None for any.
    """

    noun: Subject
    outer: str
    stated: tuple[int, ...] | None

    def check(self, store: SqliteStore) -> None:
        """Returns if it holds.

        Raises:
            Overtaken: code `version.overtaken`; it does not, or nothing is known of the user or item.
        """
        newest = newest_statement(store, self.noun, self.outer)
        if newest is None or (self.stated is not None and newest not in self.stated):
            raise Overtaken(
                f"a change of {self.noun} {self.outer[:60]!r} as it was, and another came before",
                "If-Match with the ETag of how it is now",
                "read it again, and state the change anew",
            )


def newest_statement(store: SqliteStore, noun: Subject, outer: str) -> int | None:
    """Returns the sequence number of the newest statement on a user or an item, 0 for none; None for an unknown id."""
    index = store.names.vocabulary(f"{noun}s").get(outer)
    return None if index is None else store.catalog.newest_statement(noun, index)
