"""The slate: the ordered answer to "what should this user see now"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One term of a score.

    Args:
        kind: `influence`, `repeat`, `popularity`, `trend`, `attribute`, `content`, `similar-user` or `bias`.
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


@dataclass(frozen=True)
class Rating:
    """A foreseen rating: the value and an interval that holds the truth in about 80 % of cases, in units of value."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a later stage did to one item: `stage` (diversity, cap, pin, boost, explore …) and the positions moved."""

    stage: str
    moved: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class SlateItem:
    """One recommended item.

    Args:
        item: outer id.
        score: linear relevance; comparable within one slate only.
        adjustments: what happened after scoring, in order.
        propensity: probability of this item at this position given those above it, before constraints.
        reasons: terms that sum to `score`, or empty where not asked for.
    """

    item: str
    score: float
    adjustments: tuple[Adjustment, ...] = ()
    propensity: float = 1.0
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Slate:
    """The ordered answer.

    Args:
        items: best first; shorter than asked where filters leave fewer.
        user: outer id, or None for an anonymous profile.
        model_version: version of the model that scored, empty where none was learned and popularity answered.
        profile_version: sequence number of the newest event in the profile, 0 for none.
        id: unique name of this slate, which feedback may quote.
        surface: the configuration that made it.
        now: scoring time, microseconds UTC.
        notes: what the caller should know (unknown user, too few items after filters …).
    """

    items: tuple[SlateItem, ...]
    user: str | None
    model_version: str
    profile_version: int
    id: str = ""
    surface: str = "default"
    now: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    @property
    def ids(self) -> tuple[str, ...]:
        """The outer ids, best first."""
        return tuple(entry.item for entry in self.items)
