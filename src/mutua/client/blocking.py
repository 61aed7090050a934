"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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


def sent(build: Callable[Given, Call[Answer]]) -> Callable[Concatenate[Client, Given], Answer]:
    """Returns the method that sends the call which a function builds, and returns its answer."""

    def method(self: Client, /, *args: Given.args, **named: Given.kwargs) -> Answer:
        return self.send(build(*args, **named))

    return like(build, method)


class Client:
    """Speaks to a server, one call after another; safe to share between threads.

    Args:
        base_url: where the server listens.
        key: sent as `Authorization: Bearer`; never part of an error or of the representation.
        timeout: seconds for connecting, and for each wait on the server.
        retry: what happens on 429, 503 and lost connections.
        transport: another way to send than the network, for tests.

    Every method raises the `MutuaError` that the server told,
    `server.unreachable` or `server.answer`.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        *,
        key: str = "",
        timeout: float = 10.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(transport=transport, **settings(base_url, key, timeout))
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

    def send(self, call: Call[Answer]) -> Answer:
        """Sends a call, again where that is harmless, and returns its answer."""
        steps = course(call, self._retry)
        pause = next(steps)
        try:
            while True:
                time.sleep(pause)
                pause = steps.send(self._once(call))
        except StopIteration as done:
            answer: Answer = done.value
            return answer

    def stream(self, user: str, *, n: int | None = None, surface: str | None = None, after: str = "") -> Iterator[Push]:
        """Yields what the server pushes for a user, for ever; a lost connection is taken up where it broke.

        Args:
            n: length of the slates; surface: a configuration of the server.
            after: id of the last push seen, to resume after it.
        """
        listening = Listening(calls.stream(user, n=n, surface=surface), self._retry, after)
        while True:
            came: Reply | Lost | None = None
            try:
                with self._http.stream(**stream_of(listening, self._timeout)) as response:
                    if listening.opened(response.status_code):
                        for chunk in response.iter_bytes():
                            yield from listening.feed(chunk)
                    else:
                        response.read()
                        came = reply_of(response)
            except httpx.RequestError as reason:
                came = lost(reason)
            time.sleep(listening.pause(came))

    def close(self) -> None:
        """Closes the connections; closing twice is harmless."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, call: Call[Any]) -> Reply | Lost:
        try:
            return reply_of(self._http.request(**request_of(call)))
        except httpx.RequestError as reason:
            return lost(reason)
