"""What travels between the writer and the workers: plain typed messages, each in a frame with its length before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Self

import msgspec

from mutua.errors import MutuaError
from mutua.events.kinds import AnyEvent
from mutua.serving.conditions import Condition
from mutua.serving.operations import Operation

LENGTH = 4
"""Bytes of a frame's length, big-endian."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """A worker's first word: which it is, and whose store it is about where there are several."""

    worker: int
    tenant: str = ""


class Submitted(msgspec.Struct, frozen=True, tag=True):
    """Events of one request to be written; `number` comes back with the answer, as in all that follows."""

    number: int
    events: tuple[AnyEvent, ...]
    only_if: Condition | None = None


class Asked(msgspec.Struct, frozen=True, tag=True):
    """Something else to be done with the writing store."""

    number: int
    operation: Operation


class Gather(msgspec.Struct, frozen=True, tag=True):
    """A wish for the figures of all workers."""

    number: int


class Replied(msgspec.Struct, frozen=True, tag=True):
    """A worker's answer to what all were told or asked."""

    number: int
    data: bytes = b""


class Welcome(msgspec.Struct, frozen=True, tag=True):
    """The writer's first word: the newest sequence number; every later commit follows on this link."""

    last: int


class Commit(msgspec.Struct, frozen=True, tag=True):
    """One commit as `Committed`, for every worker."""

    fresh: tuple[AnyEvent, ...]
    sequences: tuple[int, ...]
    recorded: int
    last: int


class Told(msgspec.Struct, frozen=True, tag=True):
    """What became of a request's events, as `Written`; comes after the commit that holds them."""

    number: int
    sequences: tuple[int, ...]
    fresh: tuple[bool, ...]


class Done(msgspec.Struct, frozen=True, tag=True):
    """The result of what was asked."""

    number: int
    result: msgspec.Raw


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The error that kept a request out; without a code a fault of the writer, whose log holds it."""

    number: int
    code: str = ""
    words: tuple[str, str, str] = ("", "", "")

    @classmethod
    def of(cls, number: int, reason: BaseException) -> Self:
        """Returns what a worker is told of an error."""
        if isinstance(reason, MutuaError):
            return cls(number, reason.code, (reason.came, reason.expected, reason.do))
        return cls(number)

    @property
    def error(self) -> Exception:
        """The error again, of its class."""
        kind = KINDS.get(self.code)
        return (
            RuntimeError("a fault in the writer's process, whose log holds it") if kind is None else kind(*self.words)
        )


class Forgot(msgspec.Struct, frozen=True, tag=True):
    """Somebody, or one event, was erased; to be confirmed by `Replied` when no trace is left in the worker.

    Args:
        user: outer id, None for an event.
        indices: inner indices that are tombstones now; last: the newest sequence number.
    """

    number: int
    user: str | None
    indices: tuple[int, ...]
    last: int


class Wanted(msgspec.Struct, frozen=True, tag=True):
    """A wish for the worker's figures, to be answered by `Replied`."""

    number: int


FromWorker = Hello | Submitted | Asked | Gather | Replied
FromWriter = Welcome | Commit | Told | Done | Failed | Forgot | Wanted
FROM_WORKER: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
FROM_WRITER: msgspec.msgpack.Decoder[FromWriter] = msgspec.msgpack.Decoder(FromWriter)
ENCODER = msgspec.msgpack.Encoder()


def framed(message: FromWorker | FromWriter) -> bytes:
    """Returns a message as it travels.

    Raises:
        OverflowError: a number of more than 64 bits.
    """
    packed = ENCODER.encode(message)
    return len(packed).to_bytes(LENGTH, "big") + packed


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yields packed messages until the other side goes."""
    try:
        while True:
            length = int.from_bytes(await reader.readexactly(LENGTH), "big")
            yield await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        return


def _kinds(kind: type[MutuaError]) -> Iterator[tuple[str, type[MutuaError]]]:
    yield kind.code, kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


KINDS = dict(_kinds(MutuaError))
"""Class of error by code."""
