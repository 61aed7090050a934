"""The hot routes, in front of the framework: events, impressions and recommendations."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from mutua.core import clock
from mutua.errors import InvalidField, MutuaError, Overloaded, WrongMethod
from mutua.events.parsing import Parsed, parse_batch
from mutua.events.sent import plain_batch
from mutua.serving import words
from mutua.serving.http.exchange import (
    DEADLINE,
    LINES,
    REFUSED,
    WAITED,
    Application,
    Receive,
    Reply,
    Scope,
    Send,
    answer,
    body,
    header,
    read,
    refusal,
    refused,
    reply,
    service_of,
)
from mutua.serving.messages import Answer, Batch, PlainBatch, Question, Seen
from mutua.serving.overload import deadline_of, short_of_memory
from mutua.serving.problems import INTERNAL
from mutua.slates import Slate

LOG = logging.getLogger("mutua.server")
QUESTION = msgspec.json.Decoder(Question)
BATCH = msgspec.json.Decoder(Batch)
PLAIN = msgspec.json.Decoder(PlainBatch)
SEEN = msgspec.json.Decoder(Seen)
ANY = msgspec.json.Decoder()
USERS, RECOMMENDATIONS = "/v1/users/", "/recommendations"
MANY = ("where", "omit")
"""Parameters that may be given more than once."""
OF_USER = f"{USERS}{{user}}{RECOMMENDATIONS}"
POSTED = frozenset({"/v1/recommend", "/v1/events", "/v1/impressions"})
HOT = POSTED | {OF_USER}
"""Templates of the hot routes."""
Handler = Callable[[Scope, Receive], Awaitable[Reply]]


class Hot:
    """Answers the hot routes and hands all others on.

    Args:
        others: the application behind.
    """

    def __init__(self, others: Application) -> None:
        self._others = others
        self._routes: dict[tuple[str, str], Handler] = {
            ("POST", "/v1/recommend"): self._recommend,
            ("POST", "/v1/events"): self._events,
            ("POST", "/v1/impressions"): self._impressions,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        handler = self._handler(scope) if scope["type"] == "http" else None
        if handler is None:
            await self._others(scope, receive, send)
            return
        try:
            given = await handler(scope, receive)
        except MutuaError as error:
            scope[REFUSED] = error.code
            given = refusal(error)
        except MemoryError:
            scope[REFUSED] = Overloaded.code
            given = refusal(short_of_memory())
        except Exception:
            LOG.exception("a fault in %s", scope["path"].partition(USERS)[0] or RECOMMENDATIONS)
            given = refused(INTERNAL)
        await answer(send, given)

    def _handler(self, scope: Scope) -> Handler | None:
        method, path = scope["method"], scope["path"]
        found = self._routes.get((method, path))
        if found is not None:
            return found
        if path in POSTED:
            return self._other_method
        if path.endswith(RECOMMENDATIONS) and path.startswith(USERS):
            return self._recommend_user if method == "GET" else self._other_method
        return None

    async def _other_method(self, scope: Scope, receive: Receive) -> Reply:  # noqa: ARG002
        raise WrongMethod(f"{scope['method']} {scope['path'][:60]}", "a method of /docs", "check the method")

    async def _recommend(self, scope: Scope, receive: Receive) -> Reply:
        return await _answered(scope, read(QUESTION, await body(scope, receive)))

    async def _recommend_user(self, scope: Scope, receive: Receive) -> Reply:  # noqa: ARG002
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        user = unquote(raw.partition(b"?")[0].decode()[len(USERS) : -len(RECOMMENDATIONS)])
        return await _answered(scope, _asked(user, scope["query_string"]))

    async def _events(self, scope: Scope, receive: Receive) -> Reply:
        given = await body(scope, receive)
        service = service_of(scope)
        if header(scope, b"content-type").startswith(LINES):
            return reply(await service.record([_line(line) for line in given.splitlines() if line.strip()]))
        started = perf_counter()
        parsed, receipt = _batch(given)
        return reply(await service.record_parsed(parsed, perf_counter() - started, receipt=receipt))

    async def _impressions(self, scope: Scope, receive: Receive) -> Reply:
        seen = read(SEEN, await body(scope, receive)).impressions
        return reply(await service_of(scope).record([_impression(one) for one in seen]))


async def _answered(scope: Scope, question: Question) -> Reply:
    started, service = perf_counter(), service_of(scope)
    slate = await service.recommend(question, scope.get(WAITED, 0.0), deadline_of(header(scope, DEADLINE)))
    explained = question.explain and not slate.degraded
    items: tuple[Any, ...] = words.explained(service.shop, slate) if explained else slate.items
    encoded = reply(_told(slate, items, started))
    service.figures.laps.lap("encode")
    return encoded


def _batch(given: bytes) -> tuple[Parsed, bool]:
    """The events of a body and whether it asks for a receipt; what is not plain interactions is read with care."""
    now = clock.now()
    try:
        plain = PLAIN.decode(given)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        plain = None
    parsed = None if plain is None else plain_batch(plain.events, now=now)
    if plain is not None and parsed is not None:
        return parsed, plain.receipt
    batch = read(BATCH, given)
    return parse_batch(batch.events, now=now), batch.receipt


def _impression(given: object) -> object:
    return {"kind": "impression", **given} if isinstance(given, dict) else given


def _line(line: bytes) -> object:
    """A line of NDJSON; one that is not JSON is refused by itself, as the text that it is."""
    try:
        return ANY.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return line.decode(errors="replace")


def _asked(user: str, query: bytes) -> Question:
    try:
        return msgspec.convert({**_fields(query), "user": user}, Question, strict=False)
    except msgspec.ValidationError as reason:
        raise InvalidField(
            f"a query that cannot be read: {reason}", "the parameters of /docs", "correct it"
        ) from reason


@lru_cache(maxsize=64)
def _fields(query: bytes) -> Mapping[str, Any]:
    """The parameters of a query as `Question` names them; most callers send the same few."""
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True) if query else {}
    return {name: values if name in MANY else values[-1] for name, values in given.items()}


def _told(slate: Slate, items: tuple[Any, ...], started: float) -> Answer:
    return Answer(
        slate.id,
        slate.user,
        items,
        slate.surface,
        slate.variant,
        slate.model_version,
        slate.profile_version,
        slate.notes,
        round((perf_counter() - started) * 1_000, 3),
        slate.degraded,
    )
