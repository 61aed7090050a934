"""The short way in for plain interactions: a batch of JSON is decoded straight into structs and checked in columns.

It takes a batch whole or not at all. Whatever is unusual about one event (an error, an id that is a number, another
kind) leaves the batch to `parsing`, which says of each event what is wrong; so both ways agree on every batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec

from mutua.core.ids import MAX_BYTES, checked_id
from mutua.errors import MutuaError
from mutua.events.kinds import Interaction
from mutua.events.limits import BATCH_EVENTS
from mutua.events.parsing import Parsed, checked_part


class Sent(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="interaction",
    gc=False,
):
    """An interaction as JSON states it; only what is a text throughout is typed here, all else is checked by name."""

    user: str
    item: str
    id: str | None = None
    time: Any = None
    source: str = "api"
    type: str = "view"
    value: Any = None
    session: str | None = None
    device: str | None = None
    context: Any = None
    text: Any = None
    slate: str | None = None
    position: Any = None


def plain_batch(sent: Sequence[Sent], *, now: int) -> Parsed | None:
    """Returns the events of a batch as `parsing.parse_batch` would; None where any of them is unusual or refused.

    Args:
        now: the clock, microseconds UTC.

    Cost: about a microsecond an event.
    """
    if len(sent) > BATCH_EVENTS:
        return None
    try:
        _check_ids(sent)
        events = tuple([_interaction(one, now) for one in sent])
    except MutuaError:
        return None
    return Parsed(events, range(len(events)), ())


def _check_ids(sent: Sequence[Sent]) -> None:
    _check_column("user", [one.user for one in sent])
    _check_column("item", [one.item for one in sent])
    _check_column("type", {one.type for one in sent})
    _check_column("source", {one.source for one in sent})
    given = ((one.id, one.session, one.device, one.slate) for one in sent)
    _check_column("id", [name for name in chain.from_iterable(given) if name is not None])


def _check_column(what: str, names: Iterable[str]) -> None:
    """Plain ASCII is checked at once, all else name by name."""
    text = "".join(names)
    if text.isascii() and text.isprintable() and all(names) and max(map(len, names), default=0) <= MAX_BYTES:
        return
    for name in names:
        checked_id(name, what)


def _interaction(one: Sent, now: int) -> Interaction:
    time, value, context, text, position = one.time, one.value, one.context, one.text, one.position
    return Interaction(
        id=one.id,
        time=None if time is None else checked_part(Interaction, "time", time, now),
        source=one.source,
        user=one.user,
        item=one.item,
        type=one.type,
        value=None if value is None else checked_part(Interaction, "value", value, now),
        session=one.session,
        device=one.device,
        context=None if context is None else checked_part(Interaction, "context", context, now),
        text=None if text is None else checked_part(Interaction, "text", text, now),
        slate=one.slate,
        position=None if position is None else checked_part(Interaction, "position", position, now),
    )
