"""Live histories: loaded from the log on first use, moved by every event, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from operator import itemgetter

from mutua.pipeline.moves import Move, Moves
from mutua.profiles.history import EMPTY, History
from mutua.profiles.identity import NO_LINKS, Union

CAPACITY = 100_000
"""Histories kept; about 20 kB each at the full window."""


class Histories:
    """The histories in use, least recently used dropped first; what is dropped is loaded again when needed.

    What is noted in `moves` joins a history when it is next asked for: most events are of users whom nobody asks for.
    Notes are kept until the log tells of them by itself (`settle`).

    Args:
        load: returns the history of an inner user from the log, at least up to where moves are kept from.
        capacity: most histories kept.
    """

    def __init__(self, load: Callable[[int], History], capacity: int = CAPACITY) -> None:
        self._load = load
        self._capacity = capacity
        self._kept: OrderedDict[int, History] = OrderedDict()
        self.moves = Moves()
        self.union: Union = NO_LINKS

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, user: int) -> History:
        """Returns the history of an inner user and those linked to him; under a microsecond when nothing moved."""
        found = self._kept.get(user)
        if found is None:
            found = self._kept[user] = self._load(user)
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(user)
        if self.union.canonical or self.moves.newest(user) > found.version:
            for item, type, value, time, sequence in self._ahead(user, found.version):
                found = found.add(item, type, value, time, sequence)
            self._kept[user] = found
        return found

    def peek(self, user: int) -> History:
        """Returns the history of an inner user where it is kept, else an empty one; never reads the log."""
        return self.get(user) if user in self._kept else EMPTY

    def settle(self, sequence: int) -> None:
        """Lets go of moves up to a sequence number: the log tells of them by itself. Histories that lack one of a user
        are loaded again."""
        for user in self.moves.users:
            for member in self.union.of(user):
                kept = self._kept.get(member)
                if kept is not None and kept.version < self.moves.newest(user):
                    del self._kept[member]
        self.moves = self.moves.after(sequence)

    def drop(self, user: int | None = None) -> None:
        """Drops one history, or all of them."""
        if user is None:
            self._kept.clear()
        else:
            self._kept.pop(user, None)

    def _ahead(self, user: int, version: int) -> list[Move]:
        """The moves that a history of this version lacks, in log order."""
        if not self.union.canonical:
            return self.moves.of(user, version)
        everyone = [move for member in self.union.of(user) for move in self.moves.of(member, version)]
        return sorted(everyone, key=itemgetter(-1))
