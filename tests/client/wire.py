"""A server for the clients that answers as told and keeps what it was sent."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from mutua.client import AsyncClient, Client, Retry

RECORDED = {
    "accepted": 1,
    "duplicates": 0,
    "rejected": 0,
    "version": 7,
    "results": [{"status": "accepted", "sequence": 7}],
}
SLATE = {
    "slate": "s-1",
    "user": "ann",
    "items": [
        {
            "item": "tea",
            "score": 0.5,
            "adjustments": [{"stage": "diversity", "moved": 2}],
            "propensity": 0.9,
            "reasons": [{"kind": "influence", "amount": 0.5, "item": "milk", "sequences": [7]}],
            "words": ["because you bought milk: 100 %"],
        }
    ],
    "surface": "home",
    "variant": "",
    "model_version": "m-1",
    "profile_version": 7,
    "notes": [],
    "took_ms": 0.2,
    "a_field_of_a_newer_server": 1,
}
QUICK = Retry(attempts=3, first=0.0)
Answer = httpx.Response | Exception


def problem(code: str, status: int, **headers: str) -> httpx.Response:
    """Returns a problem as the server tells it."""
    told = {"type": "about:blank", "title": "-", "status": status, "detail": "-"}
    said = {"code": code, "came": "what came", "expected": "what was expected", "do": "what to do"}
    content = json.dumps(told | said).encode()
    return httpx.Response(status, content=content, headers={"content-type": "application/problem+json", **headers})


class Wire:
    """Answers one after the other, the last one for ever.

    Args:
        answers: responses, or errors of the network to raise.
    """

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    @property
    def bodies(self) -> list[Any]:
        """The bodies sent so far, decoded."""
        return [json.loads(request.content) for request in self.requests]

    @property
    def last(self) -> httpx.Request:
        """The newest request."""
        return self.requests[-1]


def ask_blocking(wire: Wire, verb: str, *args: Any, retry: Retry = QUICK, **named: Any) -> Any:
    """Returns what the blocking client answers; of a stream, the pushes until its error."""
    with Client("http://shop.test", key="mu_secret", retry=retry, transport=httpx.MockTransport(wire)) as client:
        return getattr(client, verb)(*args, **named)


def ask_asynchronous(wire: Wire, verb: str, *args: Any, retry: Retry = QUICK, **named: Any) -> Any:
    """Returns what the asynchronous client answers."""

    async def ask() -> Any:
        transport = httpx.MockTransport(wire)
        async with AsyncClient("http://shop.test", key="mu_secret", retry=retry, transport=transport) as client:
            return await getattr(client, verb)(*args, **named)

    return asyncio.run(ask())


def pushes_blocking(wire: Wire, most: int, **named: Any) -> Iterator[Any]:
    """Yields the first pushes for one user."""
    with Client("http://shop.test", retry=QUICK, transport=httpx.MockTransport(wire)) as client:
        stream = client.stream("ann", **named)
        assert inspect.isgenerator(stream)
        for _ in range(most):
            yield next(stream)
        stream.close()


def pushes_asynchronous(wire: Wire, most: int, **named: Any) -> Iterator[Any]:
    """Yields the first pushes for one user."""

    async def listen() -> list[Any]:
        transport = httpx.MockTransport(wire)
        async with AsyncClient("http://shop.test", retry=QUICK, transport=transport) as client:
            stream = client.stream("ann", **named)
            assert inspect.isasyncgen(stream)
            found = [await anext(stream) for _ in range(most)]
            await stream.aclose()
            return found

    yield from asyncio.run(listen())


Ask = Callable[..., Any]
BOTH = (ask_blocking, ask_asynchronous)
