"""Pushed slates as server-sent events, the bytes of `text/event-stream`."""

from __future__ import annotations

import msgspec

from mutua.serving.push.change import Changes
from mutua.serving.push.subscription import Heartbeat, Pushed
from mutua.slates import SlateItem

CONTENT_TYPE = b"text/event-stream; charset=utf-8"
RETRY = 2_000
"""Milliseconds after which a reader who lost the connection should come back."""
BEAT = b": heartbeat\n\n"
_ENCODER = msgspec.json.Encoder()


class Message(msgspec.Struct, frozen=True):
    """The data of a pushed slate, one line of JSON; WebSockets send the same.

    Args:
        id: to name on coming back; slate: the slate's own id; version: the log's newest sequence number in it.
    """

    id: str
    slate: str
    items: tuple[SlateItem, ...]
    model_version: str
    profile_version: int
    version: int
    changes: Changes


def message(pushed: Pushed) -> bytes:
    """Returns the JSON of a pushed slate, without line breaks."""
    slate = pushed.slate
    told = Message(
        pushed.id, slate.id, slate.items, slate.model_version, slate.profile_version, pushed.version, pushed.changes
    )
    return _ENCODER.encode(told)


def opening(retry: int = RETRY) -> bytes:
    """Returns what a stream begins with: after how many milliseconds to come back."""
    return b"retry: %d\n\n" % retry


def frame(item: Pushed | Heartbeat) -> bytes:
    """Returns one event `slate` with its id, or the comment that stands for a heartbeat."""
    if isinstance(item, Heartbeat):
        return BEAT
    return b"id: %b\nevent: slate\ndata: %b\n\n" % (item.id.encode(), message(item))


def ending(reason: str) -> bytes:
    """Returns the event `end`, which says why the stream is over; the reader may come back all the same."""
    return b"event: end\ndata: %b\n\n" % _ENCODER.encode({"reason": reason})
