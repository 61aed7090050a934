"""What the live demo shows while shoppers come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

import numpy as np
from rich.table import Table

WINDOW = 5.0
"""Seconds over which rates are counted."""
KEPT = 2_000
"""Waiting times from which the middle and the slowest are told."""
CHANGES = 4


class Board:
    """Counts what the shoppers do and shows it.

    Args:
        followed: the household whose slate is watched; names: words for products.
    """

    def __init__(self, followed: str, names: Mapping[str, str]) -> None:
        self.followed, self._names = followed, names
        self.events = self.slates = self.taken = 0
        self._ticks: deque[tuple[float, int]] = deque()
        self._answered: deque[float] = deque(maxlen=KEPT)
        self._pushed: deque[float] = deque(maxlen=KEPT)
        self._sent: float | None = None
        self._slate: tuple[str, ...] = ()
        self._changes: Sequence[str] = ("nothing yet",)
        self._now = 0.0

    def sent(self, user: str) -> None:
        """Starts the clock on the next pushed slate, where it is the followed household that buys."""
        if user == self.followed:
            self._sent = monotonic()

    def visited(self, time: float, bought: int, taken: int, waited: float) -> None:
        """Counts one basket: of how many things, how many of them were recommended, seconds until they were on disk."""
        moment = monotonic()
        self._now = max(self._now, time)
        self.events, self.slates, self.taken = self.events + bought, self.slates + 1, self.taken + taken
        self._ticks.append((moment, bought))
        self._answered.append(waited)

    def pushed(self, items: Sequence[str]) -> None:
        """Takes a slate that the server pushed for the household that is followed."""
        if self._sent is not None:
            self._pushed.append(monotonic() - self._sent)
            self._sent = None
        if self._slate:
            self._changes = changes(self._slate, tuple(items), self._names) or self._changes
        self._slate = tuple(items)

    def table(self) -> Table:
        """Returns the board as of now."""
        moment = monotonic()
        while self._ticks and self._ticks[0][0] < moment - WINDOW:
            self._ticks.popleft()
        bought, visits = sum(count for _, count in self._ticks), len(self._ticks)
        made = Table(box=None, show_header=False, pad_edge=False)
        made.add_column(style="bold")
        made.add_column()
        made.add_row("in the shop it is", f"{datetime.fromtimestamp(self._now, UTC):%A, %d %B %Y, %H:%M}")
        made.add_row("events", f"{self.events:,} recorded, {bought / WINDOW:,.0f} a second")
        made.add_row("slates", f"{self.slates:,} asked for, {visits / WINDOW:,.0f} a second")
        made.add_row("on disk and in the profile", _told(self._answered))
        made.add_row("changed slate pushed", _told(self._pushed))
        share = self.taken / self.events if self.events else 0.0
        made.add_row("bought off the slate", f"{share:.1%} of what was bought stood among the ten recommended")
        made.add_row(f"household {self.followed}", "\n".join(self._changes))
        return made


def changes(before: Sequence[str], after: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Returns what came, rose, fell and left between two slates, in words, the topmost first.

    Example:
        >>> changes(("tea", "milk"), ("milk", "jam"), {"jam": "Plum Jam"})
        ['↑ 1 milk, now 1.', 'new Plum Jam, now 2.', 'left tea']
    """
    was = {item: place for place, item in enumerate(before)}
    told = [
        f"new {names.get(item, item)}, now {place + 1}."
        if item not in was
        else f"{'↑' if was[item] > place else '↓'} {abs(was[item] - place)} {names.get(item, item)}, now {place + 1}."
        for place, item in enumerate(after)
        if was.get(item) != place
    ]
    return [*told[:CHANGES], *(f"left {names.get(item, item)}" for item in before if item not in after)][: CHANGES + 2]


def _told(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing yet"
    middle, slow = np.percentile(np.array(seconds) * 1_000, [50, 99])
    return f"after {middle:.1f} ms, 99 of 100 within {slow:.1f} ms"
