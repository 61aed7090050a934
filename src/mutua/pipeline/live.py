"""Live histories: loaded from the log on first use, moved by every event, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from mutua.profiles.history import EMPTY, History

CAPACITY = 100_000
"""Histories kept; about 20 kB each at the full window."""


class Histories:
    """The histories in use, least recently used dropped first; what is dropped is loaded again when needed.

    Args:
        load: returns the history of an inner user from the log.
        capacity: most histories kept.
    """

    def __init__(self, load: Callable[[int], History], capacity: int = CAPACITY) -> None:
        self._load = load
        self._capacity = capacity
        self._kept: OrderedDict[int, History] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, user: int) -> History:
        """Returns the history of an inner user; under a microsecond when kept."""
        found = self._kept.get(user)
        if found is None:
            found = self._kept[user] = self._load(user)
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(user)
        return found

    def peek(self, user: int) -> History:
        """Returns the history of an inner user where it is kept, else an empty one; never reads the log."""
        return self._kept.get(user, EMPTY)

    def apply(self, user: int, item: int, type: int, value: float, time: int, sequence: int) -> None:
        """Moves a kept history by one recorded event; one that is not kept, or was loaded later, holds it already."""
        found = self._kept.get(user)
        if found is not None and sequence > found.version:
            self._kept[user] = found.add(item, type, value, time, sequence)

    def drop(self, user: int | None = None) -> None:
        """Drops one history, or all of them."""
        if user is None:
            self._kept.clear()
        else:
            self._kept.pop(user, None)
