"""When a call is sent again, and after how long; free of clocks and sleeping."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from mutua.client.messages import Call, Lost, Repeat, Reply

BUSY = frozenset({429, 503})
"""Statuses by which a server refuses to begin."""


@dataclass(frozen=True)
class Retry:
    """How often and how patiently a call is repeated.

    Args:
        attempts: sendings in all, at least 1.
        first: seconds before the second sending; each later wait is twice as long, less up to a half by chance, so
            that many clients do not come back at once.
        longest: seconds of one wait at most; a server that asks for more gets no further sending.
    """

    attempts: int = 5
    first: float = 0.2
    longest: float = 20.0

    def wait(self, sent: int, chance: float, asked: float | None = None) -> float | None:
        """Returns the seconds before the next sending, None to give up.

        Args:
            sent: sendings so far.
            chance: a random number in 0..1.
            asked: seconds that the server asked for.
        """
        if sent >= self.attempts or (asked is not None and asked > self.longest):
            return None
        own = min(self.longest, self.first * 2.0 ** (sent - 1)) * (0.5 + 0.5 * chance)
        return own if asked is None else max(own, asked)


def repeatable(call: Call[Any], came: Reply | Lost) -> bool:
    """Returns whether what came back of a call asks for another try and the call allows it."""
    if isinstance(came, Lost):
        return call.repeat is Repeat.ALWAYS
    return came.status in BUSY and came.status not in call.accepts


def asked_seconds(came: Reply | Lost, now: float) -> float | None:
    """Returns the seconds that `Retry-After` asks for, as a number or as a date; None where it says nothing.

    Args:
        now: seconds since 1970.
    """
    text = "" if isinstance(came, Lost) else came.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError):
        return None
