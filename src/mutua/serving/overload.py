"""What the server does when more is asked than it can answer: whom it lets in, and how much it does for each.

A request that comes is refused at once where the line before it is too long to be worth standing in; one that stood
in line gets what the time left allows: the whole pipeline, the ranking by relevance alone, or what is popular.
"""

from __future__ import annotations

from mutua.errors import InvalidField, Overloaded, TooLate
from mutua.slates import Degraded

FULL_UNTIL, LINEAR_UNTIL, POPULAR_UNTIL = 0.1, 0.2, 0.8
"""Shares of the deadline that a request may have waited to get the whole pipeline, relevance alone, any answer.

They are low because the wait is counted from when the server reads a request: by then it waited about as long unread.
"""
SHORTEST, LONGEST = 0.01, 30.0
"""Bounds of a deadline, seconds."""
WAIT = 0.15
"""Seconds in line that are worth standing for."""
PLACES = 4_096
"""Places in the line, however fast it moves."""
WEIGHT = 1 / 32
"""Of the newest interval in the pace."""
ALWAYS = 8
"""Places that there are however slow the pace was: who stands there shows whether it still is."""


class Line:
    """Requests that came and were not begun yet, and how fast they are.

    A new one is turned away where those before it would take longer than `wait` at the pace seen lately. Refusing at
    the end of a short line keeps every wait short, and needs no clock beside the one that times the pace.

    Args:
        wait: seconds; places: requests.
    """

    def __init__(self, wait: float = WAIT, places: int = PLACES) -> None:
        self._wait, self._places, self._slowest = wait, places, wait / ALWAYS
        self.waiting = 0
        self._pace = self._left = 0.0
        self._standing = False

    @property
    def full(self) -> bool:
        """Whether one more would wait too long."""
        return self.waiting >= self._places or self.waiting * self._pace > self._wait

    def enter(self) -> None:
        """One more stands in line."""
        self.waiting += 1

    def leave(self, now: float) -> None:
        """The first in line is begun; the time since the one before it counts where it stood in line all the while.

        Args:
            now: seconds of a clock that never jumps.
        """
        if self._standing:
            self._pace += (min(now - self._left, self._slowest) - self._pace) * WEIGHT
        self.waiting -= 1
        self._left, self._standing = now, self.waiting > 0


def level(waited: float, deadline: float) -> Degraded:
    """Returns what is done for a request that has waited for so many seconds of its deadline.

    Raises:
        TooLate: code `server.late`; the answer would come too late.

    Example:
        >>> [level(waited, 0.5) for waited in (0.01, 0.08, 0.2)]
        ['', 'linear', 'popularity']
    """
    if waited <= FULL_UNTIL * deadline:
        return ""
    if waited <= LINEAR_UNTIL * deadline:
        return "linear"
    if waited <= POPULAR_UNTIL * deadline:
        return "popularity"
    raise TooLate(
        f"a request that waited {waited * 1_000:.0f} of its {deadline * 1_000:.0f} ms before its turn",
        "time left for an answer",
        "send it again after the seconds of Retry-After, or with a longer deadline",
    )


def short_of_memory() -> Overloaded:
    """Returns the error of a request for which there is too little memory; what it began was undone."""
    return Overloaded("too little memory for this request", "room", "send less at once, or again after a second")


def deadline_of(milliseconds: bytes) -> float | None:
    """Returns the deadline that a request asks for, seconds; None where it does not.

    Args:
        milliseconds: the header's value, empty where there is none.

    Raises:
        InvalidField: code `field.invalid`; no number, or outside 10 to 30,000.
    """
    if not milliseconds:
        return None
    seconds = int(milliseconds) / 1_000 if milliseconds.isdigit() and len(milliseconds) < 6 else 0.0
    if not SHORTEST <= seconds <= LONGEST:
        raise InvalidField(
            f"Mutua-Deadline: {milliseconds[:20].decode('latin-1')}",
            f"{SHORTEST * 1_000:.0f} to {LONGEST * 1_000:,.0f} milliseconds",
            "correct the header, or leave it out",
        )
    return seconds
