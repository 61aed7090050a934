"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from mutua.client import calls, nouns
from mutua.client.connecting import like, lost, reply_of, request_of, settings, stream_of
from mutua.client.messages import Call, Lost, Reply
from mutua.client.pushes import Listening, Push
from mutua.client.reading import course
from mutua.client.retrying import Retry

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def sent(build: Callable[Given, Call[Answer]]) -> Callable[Concatenate[AsyncClient, Given], Awaitable[Answer]]:
    """Returns the method that sends the call which a function builds, and returns its answer."""

    async def method(self: AsyncClient, /, *args: Given.args, **named: Given.kwargs) -> Answer:
        return await self.send(build(*args, **named))

    return like(build, method)


class AsyncClient:
    """Speaks to a server from one event loop, any number of calls at a time.

    Args:
        base_url: where the server listens.
        key: sent as `Authorization: Bearer`; never part of an error or of the representation.
        timeout: seconds for connecting, and for each wait on the server.
        retry: what happens on 429, 503 and lost connections.
        transport: another way to send than the network, for tests.

    Every method is to be awaited, and raises the `MutuaError` that the server told,
    `server.unreachable` or `server.answer`.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        *,
        key: str = "",
        timeout: float = 10.0,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(transport=transport, **settings(base_url, key, timeout))
        self._retry = Retry() if retry is None else retry
        self._timeout = timeout

    record = sent(calls.record)
    impressions = sent(calls.impressions)
    recommend = sent(calls.recommend)
    similar = sent(calls.similar)
    trending = sent(calls.trending)
    profile = sent(calls.profile)
    explain = sent(calls.explain)
    export = sent(calls.export)
    health = sent(calls.health)
    ready = sent(calls.ready)
    metrics = sent(calls.metrics)
    upsert_user = sent(nouns.upsert_user)
    upsert_item = sent(nouns.upsert_item)
    patch_user = sent(nouns.patch_user)
    patch_item = sent(nouns.patch_item)
    upsert_users = sent(nouns.upsert_users)
    upsert_items = sent(nouns.upsert_items)
    patch_users = sent(nouns.patch_users)
    patch_items = sent(nouns.patch_items)
    get_user = sent(nouns.get_user)
    get_item = sent(nouns.get_item)
    forget_user = sent(nouns.forget_user)
    forget_event = sent(nouns.forget_event)
    remove_item = sent(nouns.remove_item)

    async def send(self, call: Call[Answer]) -> Answer:
        """Sends a call, again where that is harmless, and returns its answer."""
        steps = course(call, self._retry)
        pause = next(steps)
        try:
            while True:
                await asyncio.sleep(pause)
                pause = steps.send(await self._once(call))
        except StopIteration as done:
            answer: Answer = done.value
            return answer

    async def stream(
        self, user: str, *, n: int | None = None, surface: str | None = None, after: str = ""
    ) -> AsyncIterator[Push]:
        """Yields what the server pushes for a user, for ever; a lost connection is taken up where it broke.

        Args:
            n: length of the slates; surface: a configuration of the server.
            after: id of the last push seen, to resume after it.
        """
        listening = Listening(calls.stream(user, n=n, surface=surface), self._retry, after)
        while True:
            came: Reply | Lost | None = None
            try:
                async with self._http.stream(**stream_of(listening, self._timeout)) as response:
                    if listening.opened(response.status_code):
                        async for chunk in response.aiter_bytes():
                            for push in listening.feed(chunk):
                                yield push
                    else:
                        await response.aread()
                        came = reply_of(response)
            except httpx.RequestError as reason:
                came = lost(reason)
            await asyncio.sleep(listening.pause(came))

    async def close(self) -> None:
        """Closes the connections; closing twice is harmless."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _once(self, call: Call[Any]) -> Reply | Lost:
        try:
            return reply_of(await self._http.request(**request_of(call)))
        except httpx.RequestError as reason:
            return lost(reason)
