"""What the server is asked and what it answers, as typed messages; the schemas of the HTTP interface come from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from mutua.events.sent import Sent
from mutua.pipeline.spec import Exclude
from mutua.slates import Adjustment, Degraded

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=5)]
Time = str | float | int
"""RFC 3339 text, or seconds since 1970."""
Rule = Annotated[str, msgspec.Meta(max_length=1_000)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Event = dict[str, Any]
"""One event as `events.parsing.parse_event` reads it: each is judged by itself, so a bad one never fails the others."""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/recommend`.

    Args:
        user: outer id; without one the visitor is anonymous.
        surface: a configuration of `mutua.toml`; where: further rules; exclude: another treatment of seen items;
            omit: items to leave out.
        events: further events of the user that are not recorded.
        attributes: of the user, instead of those recorded.
        context: what the request is about: `item` of a product page, `cart`, `items` to choose from, and words that
            the surface's rules wait for.
        min_version: wait until the profile holds this sequence number, at most `wait` seconds.
        as_of: with the events known at this record time.
        explain: whether items carry their reasons.
    """

    user: Id | None = None
    n: Count = 10
    surface: str = "default"
    where: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=100)] = ()
    exclude: Exclude | None = None
    omit: Annotated[tuple[str, ...], msgspec.Meta(max_length=10_000)] = ()
    events: Annotated[tuple[Event, ...], msgspec.Meta(max_length=1_000)] = ()
    attributes: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    min_version: Annotated[int, msgspec.Meta(ge=0)] = 0
    wait: Seconds = 1.0
    as_of: Time | None = None
    explain: bool = False


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/events`; with `receipt` the answer tells what the events changed.

    Args:
        key: an API key, for a page that is being left and can send no header.
    """

    events: list[Any]
    receipt: bool = False
    key: str = ""


class PlainBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Batch` of interactions, the common case, decoded without a detour."""

    events: list[Sent]
    receipt: bool = False
    key: str = ""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/impressions`: lists that users really saw; `key` as in `Batch`."""

    impressions: list[Any]
    key: str = ""


class Attributes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT` and `PATCH` on a user or an item."""

    attributes: dict[str, Any]
    time: Time | None = None
    source: Id = "api"


class UserLine(Attributes, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of `POST` and `PUT` on `/v1/users`; one with an `id` is written once, however often it is sent."""

    user: Id
    id: Id | None = None


class ItemLine(Attributes, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of `POST` and `PUT` on `/v1/items`; one with an `id` is written once, however often it is sent."""

    item: Id
    id: Id | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error, as `application/problem+json` (RFC 9457) with the code and the three sentences of every error."""

    title: str
    status: int
    detail: str
    code: str
    came: str
    expected: str
    do: str
    type: str = "about:blank"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one event; `sequence` is its place in the log (of a duplicate: the place of the first)."""

    status: Literal["accepted", "duplicate", "rejected"]
    sequence: int = 0
    problem: Problem | None = None


class Change(msgspec.Struct, frozen=True):
    """What a batch did to one user: interests and top items before and after."""

    user: str
    before: dict[str, Any]
    after: dict[str, Any]
    rose: tuple[str, ...]
    fell: tuple[str, ...]


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to events: counts, one outcome an event in their order, and the version that includes them all."""

    accepted: int
    duplicates: int
    rejected: int
    version: int
    results: list[Outcome]
    receipts: list[Change] = []


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """One term of a score in outer ids; `words` says it to a person where it is among the largest."""

    kind: str
    amount: float
    item: str | None = None
    label: str = ""
    time: str | None = None
    sequences: tuple[int, ...] = ()


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One recommended item with its reasons."""

    item: str
    score: float
    adjustments: tuple[Adjustment, ...] = msgspec.field(default_factory=tuple)
    propensity: float = 1.0
    reasons: tuple[Why, ...] = ()
    words: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """The answer to a question: a slate, who asked, and how long it took, milliseconds.

    Args:
        degraded: what was left out for want of time: `linear`: all but the ranking by relevance, so diversity, boosts,
            caps, pins, exploration and reasons; `popularity`: all that is personal but what the user has had; empty
            for nothing. Rules hold always.
    """

    slate: str
    user: str | None
    items: tuple[Any, ...]
    surface: str
    variant: str
    model_version: str
    profile_version: int
    notes: tuple[str, ...]
    took_ms: float
    degraded: Degraded = ""
