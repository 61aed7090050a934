"""What lies in carts and was not bought: noted by events, looked through by a timer."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass

CAPACITY = 100_000
Place = tuple[str, str]
"""User and item."""


@dataclass(frozen=True, slots=True)
class Left:
    """An item put into a cart; `time` in microseconds UTC, `sequence` its place in the log."""

    user: str
    item: str
    time: int
    sequence: int


class Carts:
    """Items in carts, the oldest dropped beyond the capacity.

    Args:
        patience: microseconds from the last time that an item was put into the cart until it counts as abandoned.
    """

    def __init__(self, patience: int, capacity: int = CAPACITY) -> None:
        self._patience, self._capacity = patience, capacity
        self._left: OrderedDict[Place, Left] = OrderedDict()
        self._bought: OrderedDict[Place, int] = OrderedDict()
        self._due: list[tuple[int, int, Place]] = []

    def __len__(self) -> int:
        return len(self._left)

    def put(self, left: Left) -> None:
        """Notes an item put into a cart, unless it was bought later than that or is there since later."""
        place = left.user, left.item
        known = self._left.get(place)
        if self._bought.get(place, -1) >= left.time or (known is not None and known.time >= left.time):
            return
        self._left[place] = left
        self._left.move_to_end(place)
        heapq.heappush(self._due, (left.time + self._patience, left.sequence, place))
        if len(self._left) > self._capacity:
            self._left.popitem(last=False)
        if len(self._due) > 2 * self._capacity:
            self._tidy()

    def taken(self, user: str, item: str, time: int) -> None:
        """Notes that an item was bought, or is not wanted any more, at `time`."""
        place = user, item
        self._bought[place] = max(time, self._bought.get(place, -1))
        self._bought.move_to_end(place)
        if len(self._bought) > self._capacity:
            self._bought.popitem(last=False)
        known = self._left.get(place)
        if known is not None and known.time <= time:
            del self._left[place]

    def abandoned(self, now: int) -> list[Left]:
        """Takes out and returns what has been left for as long as the patience lasts, the longest first."""
        found = []
        while self._due and self._due[0][0] <= now:
            due, sequence, place = heapq.heappop(self._due)
            left = self._left.get(place)
            if left is not None and (left.time + self._patience, left.sequence) == (due, sequence):
                del self._left[place]
                found.append(left)
        return found

    def forget(self, user: str) -> None:
        """Drops all that is kept of a user."""
        for kept in (self._left, self._bought):
            for place in [place for place in kept if place[0] == user]:
                del kept[place]
        self._tidy()

    def _tidy(self) -> None:
        """Leaves out entries of what was taken or put again."""
        self._due = [(left.time + self._patience, left.sequence, place) for place, left in self._left.items()]
        heapq.heapify(self._due)
