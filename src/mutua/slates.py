"""The slate: the ordered answer to "what should this user see now", and the reasons for it."""

from __future__ import annotations

import os
import secrets
import time
from typing import Literal

import msgspec

Degraded = Literal["", "linear", "popularity"]
"""What a slate went without: nothing; reranking, exploration and reasons; all that is personal but what one has had."""


class Reason(msgspec.Struct, frozen=True):
    """One term of a score.

    Args:
        kind: `influence`, `following`, `repeat`, `popularity`, `trend`, `attribute`, `content`, `similar-user` or
            `bias`.
        amount: what it adds to the score (negative takes away).
        item: inner index of the item that the evidence is on, −1 if none.
        sequences: positions in the log of the events that it comes from.
        label: an attribute's name and value, a category … where there is one.
        time: of the newest event behind it, microseconds UTC; −1 if none.
    """

    kind: str
    amount: float
    item: int = -1
    sequences: tuple[int, ...] = ()
    label: str = ""
    time: int = -1


class Rating(msgspec.Struct, frozen=True):
    """A foreseen rating: the value and an interval that holds the truth in about 80 % of cases, in units of value."""

    value: float
    low: float
    high: float


class Adjustment(msgspec.Struct, frozen=True):
    """What a stage after scoring did to one item.

    Args:
        stage: `boost`, `diversity`, `explore`, `cap` or `pin`.
        moved: places up (positive) or down (negative) in the order.
    """

    stage: str
    moved: int


class SlateItem(msgspec.Struct, frozen=True, gc=False):
    """One recommended item.

    Args:
        item: outer id.
        score: linear relevance; comparable within one slate only.
        adjustments: what happened after scoring, in order.
        propensity: probability of this item at this position given those above it, before constraints.
        reasons: terms that sum to `score`, largest first; empty where not asked for.
    """

    item: str
    score: float
    adjustments: tuple[Adjustment, ...] = ()
    propensity: float = 1.0
    reasons: tuple[Reason, ...] = ()


class Slate(msgspec.Struct, frozen=True):
    """The ordered answer.

    Args:
        id: unique name of this slate, which feedback may quote.
        user: outer id, None for an anonymous profile.
        items: best first; fewer than asked where filters leave fewer.
        surface: the configuration that made it.
        model_version: of the model that scored, empty where popularity answered.
        profile_version: sequence number of the newest event in the profile, 0 for none.
        now: scoring time, microseconds UTC.
        notes: what the caller should know (unknown user, too few items after filters …).
        inner: inner index of each item, for the log of slates; empty where it was not made from a model's items.
        variant: `experiment/variant` where the surface splits its users; empty otherwise.
        degraded: what a server under load left out.
    """

    id: str
    user: str | None
    items: tuple[SlateItem, ...]
    surface: str = "default"
    model_version: str = ""
    profile_version: int = 0
    now: int = 0
    notes: tuple[str, ...] = ()
    inner: tuple[int, ...] = ()
    variant: str = ""
    degraded: Degraded = ""

    def __len__(self) -> int:
        return len(self.items)

    @property
    def ids(self) -> tuple[str, ...]:
        """The outer ids, best first."""
        return tuple(entry.item for entry in self.items)


def new_id() -> str:
    """Returns the id of a new slate: 12 hexadecimal digits of milliseconds since 1970, then 12 that nobody can guess.

    Ids rise with time, so that a log which holds millions of slates finds each by its id and still grows at its end.
    """
    return f"{time.time_ns() // 1_000_000:012x}{_unguessable()}"


_DRAWN: list[str] = []
"""Random digits drawn from the system ahead of need, since each call of it costs more than all else here."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_DRAWN.clear)


def _unguessable() -> str:
    """Twelve hexadecimal digits, each drawn once; taking one out is atomic, so threads never share one."""
    try:
        return _DRAWN.pop()
    except IndexError:
        digits = secrets.token_hex(6 * 256)
        _DRAWN.extend(digits[at : at + 12] for at in range(12, len(digits), 12))
        return digits[:12]
