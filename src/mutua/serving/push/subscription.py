"""One reader of pushed slates: a bounded queue with an end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

import msgspec

from mutua.serving.push.change import Changes
from mutua.slates import Slate

SLOW = "slow"
CLOSED = "closed"
LEFT = "left"
FAILED = "failed"
Key = tuple[str, int, str]
"""What a reader follows: user, length of the list, surface."""


class Pushed(msgspec.Struct, frozen=True):
    """A slate that changed.

    Args:
        id: the profile's sequence number and a hash of the list, as in `1042-5f0c9a21`; a reader who names it on
            coming back gets nothing while that list still stands, whichever process answers.
        slate: the list as of now; changes: since what this reader was given last.
        version: the log's newest sequence number that the slate holds, 0 where none was told yet.
    """

    id: str
    slate: Slate
    changes: Changes = Changes()
    version: int = 0


class Heartbeat(msgspec.Struct, frozen=True):
    """Nothing changed for a while, and the connection lives."""


HEARTBEAT = Heartbeat()


class Subscription:
    """An asynchronous iterator of `Pushed` and `Heartbeat`, for one reader; leave it by `close` or `async with`.

    When it ends, `reason` says why: `slow` (the queue was full, what was in it is gone), `closed` (the server stops;
    what was queued still comes), `left` (the reader went) or `failed` (its slate can no longer be made). A handler
    that is stuck in sending learns of the end from the future `ended`.

    Args:
        key: what is followed; depth: slates that may wait; heartbeat: seconds of silence before one.
        gone: called once, when it ends.
    """

    def __init__(self, key: Key, depth: int, heartbeat: float, gone: Callable[[Subscription], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.key, self._depth, self._heartbeat, self._gone = key, depth, heartbeat, gone
        self.given: tuple[str, ...] = ()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self._queue: deque[Pushed] = deque()
        self._waiter: asyncio.Future[None] | None = None

    @property
    def reason(self) -> str:
        """Why it ended, empty while it goes on."""
        return self.ended.result() if self.ended.done() else ""

    def put(self, item: Pushed) -> bool:
        """Queues a slate and returns True; ends as `slow` and returns False where the queue is full."""
        if len(self._queue) >= self._depth:
            self._queue.clear()
            self.end(SLOW)
            return False
        self._queue.append(item)
        self.given = item.slate.ids
        self._wake()
        return True

    def end(self, reason: str) -> None:
        """Ends it; only the first reason counts."""
        if not self.ended.done():
            self.ended.set_result(reason)
            self._gone(self)
            self._wake()

    def close(self) -> None:
        """The reader leaves; closing twice is harmless."""
        self._queue.clear()
        self.end(LEFT)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Pushed | Heartbeat:
        if not self._queue and not self.ended.done():
            await self._wait()
        if self._queue:
            return self._queue.popleft()
        if self.ended.done():
            raise StopAsyncIteration
        return HEARTBEAT

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(self._heartbeat, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
