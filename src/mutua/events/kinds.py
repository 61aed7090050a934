"""The closed set of events. An event is one immutable fact; everything else is a function of the log of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

Attributes = Mapping[str, Any]
"""Attribute name → plain JSON value: text, number, true/false, null, or a list of texts or numbers."""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", gc=False):
    """The fields that every kind shares.

    Args:
        id: the sender's id of this fact; a repeated id changes nothing. Without one, the content decides.
        time: when it happened, microseconds UTC; None means when it was recorded.
        source: who says so (a shop system, a file, an enrichment job).
    """

    number: ClassVar[int]

    id: str | None = None
    time: int | None = None
    source: str = "api"


class Interaction(Event, frozen=True, kw_only=True, gc=False, tag="interaction"):
    """A user did something with an item. `type` is an open vocabulary; `value` its number (stars, price, seconds)."""

    number: ClassVar[int] = 0

    user: str
    item: str
    type: str = "view"
    value: float | None = None
    session: str | None = None
    device: str | None = None
    context: Attributes | None = None
    text: str | None = None
    slate: str | None = None
    position: int | None = None


class Impression(Event, frozen=True, kw_only=True, gc=False, tag="impression"):
    """A list that a user really saw, in order of position."""

    number: ClassVar[int] = 1

    user: str
    items: tuple[str, ...]
    slate: str | None = None
    session: str | None = None
    surface: str | None = None


class UserUpsert(Event, frozen=True, kw_only=True, gc=False, tag="user-upsert"):
    """What a source says of a user; null withdraws that source's word on an attribute."""

    number: ClassVar[int] = 2

    user: str
    attributes: Attributes


class ItemUpsert(Event, frozen=True, kw_only=True, gc=False, tag="item-upsert"):
    """What a source says of an item; null withdraws that source's word on an attribute."""

    number: ClassVar[int] = 3

    item: str
    attributes: Attributes


class Edit(Event, frozen=True, kw_only=True, gc=False, tag="edit"):
    """A person's correction of a profile: pin, mute or correct an interest (`field` as in `category:dairy`)."""

    number: ClassVar[int] = 4

    user: str
    field: str
    action: str
    value: float | None = None


class Consent(Event, frozen=True, kw_only=True, gc=False, tag="consent"):
    """A user allows or refuses a purpose (`personalise`, `store`, `train`)."""

    number: ClassVar[int] = 5

    user: str
    purpose: str
    granted: bool


class IdentityLink(Event, frozen=True, kw_only=True, gc=False, tag="identity-link"):
    """`other` (an anonymous, device or source id) is the same person as `user`; `undo` takes the link back."""

    number: ClassVar[int] = 6

    user: str
    other: str
    undo: bool = False


class Forget(Event, frozen=True, kw_only=True, gc=False, tag="forget"):
    """A user or an event was erased. Holds keyed hashes of what went, never the ids themselves."""

    number: ClassVar[int] = 7

    subject: str
    erased: int


AnyEvent = Interaction | Impression | UserUpsert | ItemUpsert | Edit | Consent | IdentityLink | Forget
KINDS: tuple[type[Event], ...] = (
    Interaction,
    Impression,
    UserUpsert,
    ItemUpsert,
    Edit,
    Consent,
    IdentityLink,
    Forget,
)
