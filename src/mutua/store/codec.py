"""Events as rows of a log and back, without loss: columns for what is searched, JSON for all other fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import polars as pl

from mutua.events.kinds import KINDS, AnyEvent, IdentityLink, Impression

COLUMN_FIELDS = frozenset({"id", "user", "item", "type", "value", "time", "source", "session"})
_PAYLOAD_FIELDS = tuple(
    tuple(
        (field.name, field.default) for field in msgspec.structs.fields(kind) if field.encode_name not in COLUMN_FIELDS
    )
    for kind in KINDS
)
MENTIONING = (IdentityLink.number, Impression.number)
"""Kinds whose payload names users or items besides those in the columns."""
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


def encode(events: Sequence[AnyEvent], recorded: int) -> list[EventRow]:
    """Returns one row an event.

    A missing time becomes `recorded`. A missing id becomes the hash of source, content and the ordinal among equal
    events of this call, so the same call with the same times changes nothing the second time.
    """
    rows = [_row(event, recorded) for event in events]
    ids = iter(derived_ids(row for row in rows if not row.id))
    return [row if row.id else row._replace(id=next(ids)) for row in rows]


def derived_ids(rows: Iterable[EventRow]) -> Iterator[str]:
    """Yields the 128-bit BLAKE2b hashes, in hex, that stand for ids where the sender gave none."""
    ordinals: Counter[bytes] = Counter()
    for row in rows:
        content = _ENCODER.encode(row)
        yield blake2b(content + b"#%d" % ordinals[content], digest_size=16).hexdigest()
        ordinals[content] += 1


def _row(event: AnyEvent, recorded: int) -> EventRow:
    kind = event.number
    rest = {name: value for name, default in _PAYLOAD_FIELDS[kind] if (value := getattr(event, name)) is not default}
    return EventRow(
        id=event.id or "",
        kind=kind,
        user=getattr(event, "user", None),
        item=getattr(event, "item", None),
        type=getattr(event, "type", None),
        value=getattr(event, "value", None),
        time=recorded if event.time is None else event.time,
        source=event.source,
        session=getattr(event, "session", None),
        payload=_ENCODER.encode(rest) if rest else None,
    )


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
