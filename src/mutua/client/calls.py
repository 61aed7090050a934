"""The verbs as calls: pure functions from arguments to what is sent, shared by both clients."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from mutua.client.answers import (
    Export,
    Live,
    Readiness,
    Recorded,
    Similar,
    Slate,
    Trending,
    Why,
)
from mutua.client.messages import Call, encoded, segment
from mutua.client.people import UserProfile
from mutua.core.clock import format_time
from mutua.events.kinds import AnyEvent, Event

Fields = Mapping[str, Any]
Time = str | float | datetime
"""RFC 3339 text, seconds since 1970, or a datetime with a zone."""
Exclude = Literal["auto", "on", "off"]
Kind = TypeVar("Kind")


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of `POST /v1/recommend`; what is left as it is goes unsaid, and the server's default holds."""

    user: str | None = None
    n: int = 10
    surface: str | None = None
    context: Fields | None = None
    where: tuple[str, ...] = ()
    exclude: Exclude | None = None
    omit: tuple[str, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    attributes: Fields | None = None
    min_version: int = 0
    wait: float | None = None
    as_of: Time | None = None
    explain: bool = False


def record(events: Iterable[AnyEvent | Fields] | AnyEvent | Fields, *, receipt: bool = False) -> Call[Recorded]:
    """Record events durably; they are in the next slate of their users.

    An event without an `id` gets one here, so that sending it again after a lost connection changes nothing.

    Args:
        events: one or several (10,000 at most), as `mutua.events.kinds` or as plain objects.
        receipt: also tell what they changed.
    """
    given = [events] if isinstance(events, Event | Mapping) else events
    body: dict[str, Any] = {"events": [identified(plain(event)) for event in given]}
    return post("/v1/events", Recorded, body | ({"receipt": True} if receipt else {}))


def impressions(seen: Iterable[Fields] | Fields) -> Call[Recorded]:
    """Record lists that users really saw: `{"user", "items", "slate", "surface"}`, items in order of position."""
    given = [seen] if isinstance(seen, Mapping) else seen
    return post("/v1/impressions", Recorded, {"impressions": [identified(dict(one)) for one in given]})


def recommend(
    user: str | None = None,
    n: int = 10,
    *,
    surface: str | None = None,
    context: Fields | None = None,
    where: Iterable[str] = (),
    exclude: Exclude | None = None,
    omit: Iterable[str] = (),
    events: Iterable[AnyEvent | Fields] = (),
    attributes: Fields | None = None,
    min_version: int = 0,
    wait: float | None = None,
    as_of: Time | None = None,
    explain: bool = False,
) -> Call[Slate]:
    """Ask for the slate of a user as of now; an unknown user gets a sensible one.

    Args:
        user: None for an anonymous visitor.
        surface: a configuration of the server; context: of this call.
        where: further rules that every item must match; exclude: another treatment of items already seen.
        omit: items that this slate leaves out.
        events: of the user, not recorded; attributes: instead of those recorded.
        min_version: wait until the server holds this sequence number, `wait` seconds at most (its default is 1).
        as_of: with the events that were known then.
        explain: whether items carry their reasons.
    """
    question = Question(
        user,
        n,
        surface,
        context,
        tuple(where),
        exclude,
        tuple(omit),
        tuple(plain(event) for event in events),
        attributes,
        min_version,
        wait,
        as_of,
        explain,
    )
    return post("/v1/recommend", Slate, question)


def similar(item: str, n: int = 10) -> Call[Similar]:
    """Ask for the items most like an item."""
    return asked(f"/v1/items/{segment(item)}/similar", Similar, n=n)


def trending(n: int = 10) -> Call[Trending]:
    """Ask for the items in demand now."""
    return asked("/v1/trending", Trending, n=n)


def profile(user: str, *, as_of: Time | None = None, as_of_event: Time | None = None) -> Call[UserProfile]:
    """Ask for everything known of a user.

    Args:
        as_of: as it was known then; as_of_event: what had happened by then, with today's knowledge.
    """
    return asked(f"/v1/users/{segment(user)}/profile", UserProfile, as_of=as_of, as_of_event=as_of_event)


def explain(user: str, item: str) -> Call[Why]:
    """Ask why an item has its score for a user."""
    return asked(f"/v1/users/{segment(user)}/explain/{segment(item)}", Why)


def export(user: str) -> Call[Export]:
    """Ask for all events of a user."""
    return asked(f"/v1/users/{segment(user)}/export", Export)


def health() -> Call[Live]:
    """Ask whether the server lives."""
    return asked("/healthz", Live)


def ready() -> Call[Readiness]:
    """Ask whether the server is ready; one that is not says so and is no error."""
    return Call("GET", "/readyz", msgspec.json.Decoder(Readiness).decode, accepts=frozenset({503}))


def metrics() -> Call[str]:
    """Ask for the server's figures, in the text form of Prometheus."""
    return Call("GET", "/metrics", bytes.decode)


def stream(user: str, *, n: int | None = None, surface: str | None = None) -> Call[Slate]:
    """Ask for the user's slates as they change."""
    return asked(f"/v1/users/{segment(user)}/stream", Slate, n=n, surface=surface)


def plain(event: AnyEvent | Fields) -> dict[str, Any]:
    """Returns an event as a JSON object.

    Example:
        >>> from mutua.events.kinds import Interaction
        >>> plain(Interaction(user="ann", item="milk", time=1_000_000))["time"]
        '1970-01-01T00:00:01Z'
    """
    if isinstance(event, Mapping):
        return dict(event)
    fields: dict[str, Any] = msgspec.to_builtins(event)
    said = {name: value for name, value in fields.items() if value is not None}
    return said if event.time is None else said | {"time": format_time(event.time)}


def identified(event: dict[str, Any]) -> dict[str, Any]:
    """Returns the event with an id: its own, or a random one."""
    return event if event.get("id") is not None else event | {"id": str(uuid.uuid4())}


def post(path: str, answer: type[Kind], body: object) -> Call[Kind]:
    """Returns a call that sends a body."""
    return Call("POST", path, msgspec.json.Decoder(answer).decode, body=encoded(body))


def asked(path: str, answer: type[Kind], **query: object) -> Call[Kind]:
    """Returns a call that only reads; what is None goes unsaid."""
    said = tuple((name, _spelled(value)) for name, value in query.items() if value is not None)
    return Call("GET", path, msgspec.json.Decoder(answer).decode, query=said)


def _spelled(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
