"""Raw ASGI: bodies in within bounds, answers out, for the routes where every microsecond counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from mutua.errors import Interrupted, InvalidField, MutuaError, Overloaded, RateLimited
from mutua.serving.messages import Problem
from mutua.serving.problems import problem
from mutua.serving.security.access import CHALLENGE
from mutua.serving.security.limits import RequestLimits, check_body, check_declared, check_depth, unpacked
from mutua.serving.security.rates import retry_after
from mutua.serving.service import Service

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]
Wanted = TypeVar("Wanted")

ENCODER = msgspec.json.Encoder()
JSON: Header = (b"content-type", b"application/json")
PROBLEM: Header = (b"content-type", b"application/problem+json")
RETRY: Header = (b"retry-after", b"1")
LINES = b"application/x-ndjson"
DEADLINE = b"mutua-deadline"
ARRIVED, WAITED, REFUSED, ACCESS = "mutua.arrived", "mutua.waited", "mutua.refused", "mutua.access"
"""Of a scope: when the request was read and how long it waited for its turn, seconds; the code of the error that it
was answered with; what its key may do."""
LIMITS = RequestLimits()
BODY_SECONDS = 30.0
"""In which a whole body must have come."""
TENANT, SERVICE = "mutua.tenant", "mutua.service"
"""What a request's scope holds behind the gate: whose it is, and the service that answers it."""


class Reply(NamedTuple):
    """An answer: status, body, headers besides its length."""

    body: bytes
    status: int = 200
    headers: tuple[Header, ...] = (JSON,)


def service_of(scope: Scope) -> Service:
    """Returns the service that a request is for."""
    found: Service = scope[SERVICE]
    return found


def header(scope: Scope, name: bytes) -> bytes:
    """Returns a header of the request, its name in lower case; empty where there is none."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def body(scope: Scope, receive: Receive, limits: RequestLimits = LIMITS) -> bytes:
    """Returns the whole body, unpacked where it came as gzip.

    Raises:
        TooLarge: code `input.too-large`; more than the bounds, before or after unpacking, or nested too deeply.
        InvalidField: code `field.invalid`; not gzip though it says so, cut short, or too slow.
    """
    check_declared(limits, header(scope, b"content-length"))
    message = await receive()
    found: bytes | bytearray = message.get("body", b"")
    if message.get("more_body"):
        found = await _rest(receive, bytearray(found), limits)
    elif message["type"] == "http.disconnect":
        raise _cut_short()
    check_body(limits, len(found))
    whole = unpacked(limits, bytes(found)) if header(scope, b"content-encoding") == b"gzip" else bytes(found)
    if not header(scope, b"content-type").startswith(LINES):
        check_depth(limits, whole)
    return whole


async def _rest(receive: Receive, found: bytearray, limits: RequestLimits) -> bytearray:
    """What comes in many small parts costs as much as in few; what stops coming is given up."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _cut_short()
                found += message.get("body", b"")
                check_body(limits, len(found))
                more = message.get("more_body", False)
    except TimeoutError as reason:
        came = f"a body that did not come within {BODY_SECONDS:g} s"
        raise InvalidField(came, "the whole body", "send smaller batches") from reason
    return found


def _cut_short() -> InvalidField:
    return InvalidField("a body that was cut short", "the whole body", "send it again")


def read(decoder: msgspec.json.Decoder[Wanted], given: bytes) -> Wanted:
    """Returns a decoded body.

    Raises:
        InvalidField: code `field.invalid`; not JSON, or not what the route expects.
    """
    try:
        return decoder.decode(given)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as reason:
        raise InvalidField(f"a body that cannot be read: {reason}", "the JSON of /docs", "correct the body") from reason


def reply(answer: object) -> Reply:
    """Returns an answer as JSON."""
    return Reply(ENCODER.encode(answer))


def refusal(error: MutuaError) -> Reply:
    """Returns an error as a problem; one that will pass says when to come again."""
    return refused(problem(error), _when_again(error))


def refused(told: Problem, more: tuple[Header, ...] = ()) -> Reply:
    """Returns a problem as an answer."""
    return Reply(ENCODER.encode(told), told.status, (PROBLEM, *more))


def _when_again(error: MutuaError) -> tuple[Header, ...]:
    if isinstance(error, RateLimited):
        return ((b"retry-after", b"%d" % retry_after(error.wait)),)
    return (RETRY,) if isinstance(error, Overloaded | Interrupted) else ()


async def refuse(scope: Scope, send: Send, error: MutuaError, more: tuple[Header, ...] = ()) -> None:
    """Sends an error instead of an answer, or ends a WebSocket before it is open."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    scope[REFUSED] = error.code
    told = refusal(error)
    await answer(send, told, (*((CHALLENGE,) if told.status == 401 else ()), *more))


async def answer(send: Send, given: Reply, more: tuple[Header, ...] = ()) -> None:
    """Sends an answer."""
    length = (b"content-length", b"%d" % len(given.body))
    await send({"type": "http.response.start", "status": given.status, "headers": [*given.headers, length, *more]})
    await send({"type": "http.response.body", "body": given.body})
