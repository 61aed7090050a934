"""Events as rows of a log and back, without loss: columns for what is searched, JSON for all other fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import polars as pl

from mutua.events.kinds import KINDS, AnyEvent, IdentityLink, Impression, Interaction
from mutua.slates import new_id

COLUMN_FIELDS = frozenset({"id", "user", "item", "type", "value", "time", "source", "session"})
_PAYLOAD_FIELDS = tuple(
    tuple(
        (field.name, field.default) for field in msgspec.structs.fields(kind) if field.encode_name not in COLUMN_FIELDS
    )
    for kind in KINDS
)
MENTIONING = (IdentityLink.number, Impression.number)
"""Kinds whose payload names users or items besides those in the columns."""
_NOTHING = (None,) * 5
_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder()


class EventRow(NamedTuple):
    """One event in outer ids, `payload` the JSON of all fields that have no column of their own."""

    id: str
    kind: int
    user: str | None
    item: str | None
    type: str | None
    value: float | None
    time: int
    source: str
    session: str | None
    payload: bytes | None


Columns = dict[str, list[Any]]
"""Events by the fields of `EventRow`: one list a field, one place an event."""


def columns(calls: Sequence[Sequence[AnyEvent]], recorded: int, *, apart: bool = False) -> Columns:
    """Returns the events of several calls as columns, one call behind the other.

    A missing time becomes `recorded`. A missing id becomes the hash of source, content and the ordinal among equal
    events of its call, so the same call with the same times changes nothing the second time.

    Args:
        recorded: record time, microseconds UTC.
        apart: whether an event with neither id nor time is a fact of its own, whatever its content.

    Cost: about a microsecond for an interaction that says who, what and which type.
    """
    events = [event for call in calls for event in call]
    plain = all(type(event) is Interaction for event in events)
    found = _of_interactions(events, recorded) if plain else _of_any(events, recorded)  # type: ignore[arg-type]
    if "" in found["id"]:
        if apart:
            _name_apart(found["id"], events)
        _name_by_content(found, calls)
    return found


def encode(events: Sequence[AnyEvent], recorded: int) -> list[EventRow]:
    """Returns one row an event, ids and times filled in as by `columns`."""
    return [EventRow(*row) for row in zip(*columns([events], recorded).values(), strict=True)]


def _of_interactions(events: Sequence[Interaction], recorded: int) -> Columns:
    return {
        "id": [event.id or "" for event in events],
        "kind": [Interaction.number] * len(events),
        "user": [event.user for event in events],
        "item": [event.item for event in events],
        "type": [event.type for event in events],
        "value": [event.value for event in events],
        "time": [recorded if event.time is None else event.time for event in events],
        "source": [event.source for event in events],
        "session": [event.session for event in events],
        "payload": [
            None
            if (event.device, event.context, event.text, event.slate, event.position) == _NOTHING
            else _payload(event)
            for event in events
        ],
    }


def _of_any(events: Sequence[AnyEvent], recorded: int) -> Columns:
    rows = [_row(event, recorded) for event in events]
    return dict(zip(EventRow._fields, map(list, zip(*rows, strict=True)), strict=True))


def _name_apart(ids: list[str], events: Sequence[AnyEvent]) -> None:
    name = new_id()
    for place, event in enumerate(events):
        if event.id is None and event.time is None:
            ids[place] = f"{name}{place:06x}"


def _name_by_content(found: Columns, calls: Sequence[Sequence[AnyEvent]]) -> None:
    ids, start = found["id"], 0
    for call in calls:
        nameless = [place for place in range(start, start + len(call)) if not ids[place]]
        rows = [EventRow(*(column[place] for column in found.values())) for place in nameless]
        for place, name in zip(nameless, derived_ids(rows), strict=True):
            ids[place] = name
        start += len(call)


def derived_ids(rows: Iterable[EventRow]) -> Iterator[str]:
    """Yields the 128-bit BLAKE2b hashes, in hex, that stand for ids where the sender gave none."""
    ordinals: Counter[bytes] = Counter()
    for row in rows:
        content = _ENCODER.encode(row)
        yield blake2b(content + b"#%d" % ordinals[content], digest_size=16).hexdigest()
        ordinals[content] += 1


def _row(event: AnyEvent, recorded: int) -> EventRow:
    return EventRow(
        id=event.id or "",
        kind=event.number,
        user=getattr(event, "user", None),
        item=getattr(event, "item", None),
        type=getattr(event, "type", None),
        value=getattr(event, "value", None),
        time=recorded if event.time is None else event.time,
        source=event.source,
        session=getattr(event, "session", None),
        payload=_payload(event),
    )


def _payload(event: AnyEvent) -> bytes | None:
    fields = _PAYLOAD_FIELDS[event.number]
    rest = {name: value for name, default in fields if (value := getattr(event, name)) is not default}
    return _ENCODER.encode(rest) if rest else None


def decode(batch: pl.DataFrame) -> Iterator[AnyEvent]:
    """Yields the events of a batch of `BATCH_SCHEMA` columns, such as `EventLog.read` gives.

    Raises:
        msgspec.ValidationError: the payload does not hold what the kind needs.
    """
    names = [name for name in batch.columns if name in COLUMN_FIELDS]
    for kind, payload, *values in batch.select("kind", "payload", *names).iter_rows():
        fields = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        if payload is not None:
            fields |= _DECODER.decode(payload)
        yield msgspec.convert(fields, KINDS[kind])


def mentioned(kind: int, payload: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the users and items that stand in a payload: linked users, items of a list seen."""
    if kind == IdentityLink.number:
        return (payload_fields(payload)["other"],), ()
    if kind == Impression.number:
        return (), tuple(payload_fields(payload)["items"])
    return (), ()


def payload_fields(payload: bytes) -> dict[str, Any]:
    """Returns the fields of one clear payload."""
    fields: dict[str, Any] = _DECODER.decode(payload)
    return fields
