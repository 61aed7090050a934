"""A profile as the server tells it: times in RFC 3339, spans in seconds, items in outer ids."""

from __future__ import annotations

from typing import Any

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """One attribute: the value that won, who said it and when, how sure that is (0..1), and who disagreed."""

    value: Any = None
    source: str = ""
    time: str | None = None
    confidence: float = 1.0
    supporting: tuple[str, ...] = ()
    losing: tuple[dict[str, Any], ...] = ()


class Weighed(msgspec.Struct, frozen=True):
    """An item and its weight in something."""

    item: str
    weight: float
    times: int = 0
    last: str | None = None


class Interest(msgspec.Struct, frozen=True):
    """One interest: its share over months and over days, and the events and items behind it."""

    label: str
    long: float
    short: float
    events: int = 0
    last: str | None = None
    sequences: tuple[int, ...] = ()
    items: tuple[Weighed, ...] = ()


class HistorySummary(msgspec.Struct, frozen=True):
    """How much was recorded of a user; `exact` events are kept one by one, older ones as sums."""

    events: int
    exact: int = 0
    since: str | None = None
    last: str | None = None
    items: int = 0
    top: tuple[Weighed, ...] = ()


class LifeCycle(msgspec.Struct, frozen=True):
    """Where a user stands between new and lost."""

    stage: str
    silence_seconds: int = 0
    rhythm_seconds: int = 0
    visits: int = 0


class Anomaly(msgspec.Struct, frozen=True):
    """Something unlike people, with its severity 0..1 and the events that show it."""

    code: str
    severity: float
    text: str = ""
    sequences: tuple[int, ...] = ()


class UserProfile(msgspec.Struct, frozen=True):
    """Everything known of a user at one instant.

    Args:
        version: sequence number of the newest event in it, 0 for none.
        interests: by kind: category, brand, price band, tag.
        rising, falling: interests as `kind:label`.
        consent: by purpose, whether the user allows it.
    """

    user: str | None
    version: int
    now: str
    attributes: dict[str, Claim] = {}
    interests: dict[str, tuple[Interest, ...]] = {}
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()
    history: HistorySummary = HistorySummary(0)
    life_cycle: LifeCycle = LifeCycle("new")
    segment: str | None = None
    anomalies: tuple[Anomaly, ...] = ()
    identities: tuple[str, ...] = ()
    consent: dict[str, bool] = {}
