"""From what came back to an answer or an error, and the course of one call from its first sending to its last."""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Iterator
from typing import TypeVar

import msgspec

from mutua.client.answers import Problem
from mutua.client.messages import Call, Lost, Reply
from mutua.client.retrying import Retry, asked_seconds, repeatable
from mutua.errors import MutuaError, ServerAnswer, ServerUnreachable

Answer = TypeVar("Answer")
PROBLEM = msgspec.json.Decoder(Problem)


def course(call: Call[Answer], retry: Retry) -> Generator[float, Reply | Lost, Answer]:
    """Yields the seconds to wait before each sending, takes what came back, and returns the answer.

    Raises:
        MutuaError: the error that the server told, by its code.
        ServerUnreachable: code `server.unreachable`; no sending brought an answer.
        ServerAnswer: code `server.answer`; what came is no answer of this server.
    """
    sent, pause = 0, 0.0
    while True:
        came = yield pause
        sent += 1
        waits = retry.wait(sent, random.random(), asked_seconds(came, time.time())) if repeatable(call, came) else None
        if waits is None:
            return read(call, came)
        pause = waits


def read(call: Call[Answer], came: Reply | Lost) -> Answer:
    """Returns the answer in what came back; raises as `course`."""
    if isinstance(came, Lost):
        raise unreachable(came)
    if not (200 <= came.status < 300 or came.status in call.accepts):
        raise error_of(came)
    try:
        return call.reads(came.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise ServerAnswer(
            f"an answer to {call.method} {call.path.split('/')[1]} that cannot be read: {reason}",
            "an answer of Mutua's HTTP interface v1",
            "check the address, and that server and client are of one version",
        ) from reason


def error_of(came: Reply) -> MutuaError:
    """Returns the error that the server told, as the class of its code; of a newer code as the plain parent."""
    try:
        told = PROBLEM.decode(came.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ServerAnswer(
            f"status {came.status} without a problem that can be read",
            "an answer of Mutua's HTTP interface v1",
            "check the address, and what stands between here and the server",
        )
    kind = next((kind for kind in _kinds(MutuaError) if kind.code == told.code), MutuaError)
    error = kind(told.came, told.expected, told.do)
    error.code = told.code
    return error


def unreachable(came: Lost) -> MutuaError:
    """Returns the error of a call that no sending brought an answer to."""
    return ServerUnreachable(
        f"no answer from the server: {came.what}", "a server that listens there", "check the address, then try again"
    )


def _kinds(kind: type[MutuaError]) -> Iterator[type[MutuaError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _kinds(inner)
