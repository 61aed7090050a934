"""What lies in an outbox: notices, their deliveries and dead letters, and the JSON that is posted."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from mutua.core.clock import SECOND
from mutua.serving.push.triggers import Trigger


class Notice(msgspec.Struct, frozen=True):
    """A trigger that waits to be admitted, with the user's time zone (empty where unknown)."""

    id: int
    user: str
    kind: str
    zone: str


class Delivery(msgspec.Struct, frozen=True):
    """One notice on its way to one hook; `body` is the JSON that is posted, `attempts` those made so far."""

    id: int
    hook: str
    zone: str
    body: bytes
    attempts: int


class DeadLetter(msgspec.Struct, frozen=True):
    """A delivery that was given up; `error` says why in a few words."""

    id: int
    hook: str
    user: str
    kind: str
    attempts: int
    error: str
    body: msgspec.Raw


class OutboxCounts(msgspec.Struct, frozen=True):
    """Notices waiting and capped; deliveries pending, done and dead, of those that are kept."""

    waiting: int
    capped: int
    pending: int
    done: int
    dead: int


def body_of(trigger: Trigger) -> bytes:
    """Returns the JSON that is posted: kind, user, item, time in seconds since 1970, detail, sequence."""
    return msgspec.json.encode(
        {**msgspec.structs.asdict(trigger), "time": trigger.time / SECOND},
    )


def digest_of(trigger: Trigger) -> bytes:
    """Returns the 128 bits that name a trigger: the same one found again has the same."""
    named = f"{trigger.kind}\x1f{trigger.user}\x1f{trigger.item}\x1f{trigger.sequence}"
    return blake2b(named.encode(), digest_size=16).digest()
