"""What the server answers, as typed structs. Fields that a newer server adds are passed over."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from mutua.slates import Adjustment

__all__ = [
    "Adjustment",
    "Attributes",
    "Change",
    "Export",
    "Forgotten",
    "Live",
    "Outcome",
    "Problem",
    "Readiness",
    "Reason",
    "Recorded",
    "Similar",
    "Slate",
    "SlateItem",
    "Trending",
    "Why",
]


class Problem(msgspec.Struct, frozen=True):
    """An error as the server tells it: a stable code, what came, what was expected, what to do."""

    code: str
    came: str = ""
    expected: str = ""
    do: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one event; `sequence` is its place in the log, None for a rejected one."""

    status: Literal["accepted", "duplicate", "rejected"]
    sequence: int | None = None
    problem: Problem | None = None


class Change(msgspec.Struct, frozen=True):
    """What a batch did to one user: interests by kind before and after, items that rose and fell."""

    user: str
    before: dict[str, Any]
    after: dict[str, Any]
    rose: tuple[str, ...] = ()
    fell: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True):
    """What became of a batch.

    Args:
        version: the sequence number that includes all of it; hand it to `recommend` as `min_version`.
        results: one outcome an event, in their order.
        receipts: what changed, where a receipt was asked for.
    """

    accepted: int
    duplicates: int
    rejected: int
    version: int
    results: tuple[Outcome, ...] = ()
    receipts: tuple[Change, ...] = ()


class Reason(msgspec.Struct, frozen=True):
    """One term of a score; `sequences` are the events behind it, `time` the newest of them (RFC 3339)."""

    kind: str
    amount: float
    item: str | None = None
    label: str | None = None
    time: str | None = None
    sequences: tuple[int, ...] = ()
    words: str | None = None


class SlateItem(msgspec.Struct, frozen=True):
    """One recommended item.

    Args:
        propensity: the chance, 0..1, that this item came to stand here.
        reasons: terms that sum to the score; words: the largest of them for a person. Where they were asked for.
    """

    item: str
    score: float
    adjustments: tuple[Adjustment, ...] = ()
    propensity: float = 1.0
    reasons: tuple[Reason, ...] = ()
    words: tuple[str, ...] = ()


class Slate(msgspec.Struct, frozen=True):
    """A list of recommended items, best first.

    Args:
        slate: its id; send it with the events that follow from it.
        user: outer id, None for an anonymous visitor.
        profile_version: sequence number of the newest event of the user in it.
        notes: what did not go as asked, such as a wait that ended.
        took_ms: milliseconds inside the server.
        degraded: what a server under load left out: `linear`, `popularity`, or nothing.
    """

    slate: str
    items: tuple[SlateItem, ...]
    user: str | None = None
    surface: str = "default"
    variant: str | None = None
    model_version: str = ""
    profile_version: int = 0
    notes: tuple[str, ...] = ()
    took_ms: float = 0.0
    degraded: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Outer ids of the items, in order."""
        return tuple(entry.item for entry in self.items)


class Near(msgspec.Struct, frozen=True):
    """An item and how near it is."""

    item: str
    score: float


class Similar(msgspec.Struct, frozen=True):
    """The items most like an item, nearest first."""

    items: tuple[Near, ...]
    item: str = ""
    model_version: str = ""
    notes: tuple[str, ...] = ()


class InDemand(msgspec.Struct, frozen=True):
    """An item and how much it is asked for now; recent events count most."""

    item: str
    count: float = 0.0


class Trending(msgspec.Struct, frozen=True):
    """The items in demand now, most first."""

    items: tuple[InDemand, ...]


class Why(msgspec.Struct, frozen=True):
    """Why an item has its score for a user; `exact` says whether the reasons are the sum itself."""

    user: str
    item: str
    score: float
    reasons: tuple[Reason, ...] = ()
    words: tuple[str, ...] = ()
    exact: bool = True
    name: str = ""
    now: str = ""


class Attributes(msgspec.Struct, frozen=True):
    """What is known of a user's or an item's attributes; of a user each with its source and confidence.

    Args:
        tag: what this answer is known by, to be named when it is changed or asked for again.
    """

    attributes: dict[str, Any]
    user: str | None = None
    item: str | None = None
    version: int = 0
    tag: str = ""


class Export(msgspec.Struct, frozen=True):
    """All events of a user, in the order of the log, as they can be recorded again."""

    user: str
    events: tuple[dict[str, Any], ...] = ()


class Forgotten(msgspec.Struct, frozen=True):
    """The receipt of an erasure, without saying whom: rows by place, checks, models that still hold traces."""

    kind: str = ""
    subjects: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    checks: tuple[dict[str, Any], ...] = ()
    models: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


class Live(msgspec.Struct, frozen=True):
    """Whether the server lives."""

    alive: bool = True


class Readiness(msgspec.Struct, frozen=True):
    """Whether the server is ready, and the newest sequence number it holds."""

    ready: bool
    version: int = 0
    model_version: str | None = None
