"""The writer's process: the one writer, and the desk at which every worker has a link.

A commit is told to all workers, and noted in the shared table before anybody hears of it; then its senders get their
answers. What a worker cannot take in time breaks its link, and it reads the log when it comes back.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import uvloop

from mutua.errors import MutuaError
from mutua.events.kinds import AnyEvent, IdentityLink, ItemUpsert
from mutua.privacy.checks import Receipt
from mutua.privacy.forgetting import with_late_slates
from mutua.serving.operations import ForgetUser
from mutua.serving.workers.child import end_with_parent
from mutua.serving.workers.messages import (
    FROM_WORKER,
    Asked,
    Commit,
    Done,
    Failed,
    Forgot,
    FromWorker,
    FromWriter,
    Gather,
    Hello,
    Replied,
    Submitted,
    Told,
    Wanted,
    Welcome,
    framed,
    frames,
)
from mutua.serving.workers.table import Table
from mutua.serving.writer import Committed, Writer, Written
from mutua.store.sqlite.store import SqliteStore

LOG = logging.getLogger("mutua.server")
BEHIND = 64 << 20
"""Bytes that may wait for a worker before its link is broken."""
REPLIES = 5.0
"""Seconds that workers have to answer what all were told."""
LAST_WORDS = 15.0
"""Seconds that workers have to finish what they accepted, when the server is told to end."""


class Ticket(NamedTuple):
    """Where the answer to a batch goes."""

    link: Link
    number: int


class Link:
    """One worker's link."""

    def __init__(self, stream: asyncio.StreamWriter, worker: int) -> None:
        self._stream = stream
        self.worker = worker
        self.replies: dict[int, asyncio.Future[bytes]] = {}

    def send(self, message: FromWriter) -> None:
        """Sends a message."""
        self.write(framed(message))

    def write(self, frame: bytes) -> None:
        """Sends a frame; a worker that is too far behind loses the link."""
        transport = self._stream.transport
        if transport.get_write_buffer_size() > BEHIND:
            LOG.warning("worker %d is too far behind, its link is broken", self.worker)
            transport.abort()
        self._stream.write(frame)

    def close(self) -> None:
        """Ends the link; who waits for a reply waits no longer."""
        self._stream.close()
        for reply in self.replies.values():
            if not reply.done():
                reply.set_result(b"")


class Desk:
    """Takes what workers hand in, has it written, and tells all of them. Used on one loop.

    Args:
        opened: opens the store for writing, on the writer's thread.
        loop: where it will be used, if it is made on another thread; default the running one.
    """

    def __init__(
        self, opened: Callable[[], SqliteStore], table: Table, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self._opened, self._table = opened, table
        self._loop = asyncio.get_running_loop() if loop is None else loop
        self._writer = Writer(self._open, self._committed)
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = count(1)
        self._last = self._writer.start()
        table.begin(self._last)
        self.left = asyncio.Event()
        self.left.set()

    async def welcome(self, reader: asyncio.StreamReader, stream: asyncio.StreamWriter, worker: int = -1) -> None:
        """Serves one link until it ends.

        Args:
            worker: its number, where it was heard already.
        """
        link = Link(stream, worker)
        self._links.add(link)
        self.left.clear()
        link.send(Welcome(self._last))
        try:
            async for frame in frames(reader):
                self._take(link, FROM_WORKER.decode(frame))
        finally:
            self._links.discard(link)
            link.close()
            if not self._links:
                self.left.set()

    def close(self) -> None:
        """Writes what is queued and closes the store."""
        self._writer.close()

    def _open(self) -> SqliteStore:
        self._store = self._opened()
        return self._store

    def _take(self, link: Link, message: FromWorker) -> None:
        match message:
            case Submitted(number, events, only_if):
                try:
                    self._writer.submit(events, Ticket(link, number), only_if)
                except MutuaError as reason:
                    link.send(Failed.of(number, reason))
            case Asked(number, _):
                self._do(link, number, self._operate(message))
            case Gather(number):
                self._do(link, number, self._gather())
            case Replied(number, data):
                reply = link.replies.get(number)
                if reply is not None and not reply.done():
                    reply.set_result(data)
            case Hello(worker):
                link.worker = worker

    def _do(self, link: Link, number: int, work: Any) -> None:
        async def answered() -> None:
            try:
                link.send(Done(number, msgspec.Raw(msgspec.msgpack.encode(await work))))
            except Exception as reason:
                if not isinstance(reason, MutuaError):
                    LOG.error("a fault in the writer's process", exc_info=reason)
                link.send(Failed.of(number, reason))

        task = self._loop.create_task(answered())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _operate(self, asked: Asked) -> object:
        """Carries an operation out; an erasure is told of only when every worker has dropped its traces."""
        result = await asyncio.wrap_future(self._writer.call(asked.operation))
        if isinstance(result, Receipt):
            self._last = max(self._last, *result.sequences)
            self._table.stamp((), everybody=True, last=self._last)
            user = asked.operation.user if isinstance(asked.operation, ForgetUser) else None
            replies = await self._everybody(lambda number: Forgot(number, user, result.indices, self._last))
            if user is not None:
                erased = sum(int(reply) for _, reply in replies)
                return await asyncio.wrap_future(
                    self._writer.call(lambda store: with_late_slates(store, result, erased))
                )
        return result

    async def _gather(self) -> list[tuple[int, bytes]]:
        return await self._everybody(Wanted)

    async def _everybody(self, message: Callable[[int], FromWriter]) -> list[tuple[int, bytes]]:
        """Sends a message to all workers and returns the replies that come in time."""
        number = next(self._numbers)
        asked = {link: self._loop.create_future() for link in self._links}
        for link, reply in asked.items():
            link.replies[number] = reply
            link.send(message(number))
        if asked:
            await asyncio.wait(asked.values(), timeout=REPLIES)
        for link in asked:
            del link.replies[number]
        return [(link.worker, reply.result()) for link, reply in asked.items() if reply.done() and reply.result()]

    def _committed(self, done: Committed) -> None:
        """On the writer's thread: what is on disk is in the table before anybody is told."""
        if done.fresh:
            self._table.stamp(
                self._concerned(done.fresh), any(isinstance(e, ItemUpsert) for e in done.fresh), done.last
            )
        self._loop.call_soon_threadsafe(self._tell, done)

    def _concerned(self, events: Iterable[AnyEvent]) -> set[str]:
        """Returns the outer ids of those whose profiles the events move, linked ones included."""
        named = {user for event in events for user in _users(event)}
        union = self._store.identity.union()
        if not union.canonical:
            return named
        names = self._store.names.vocabulary("users")
        inner = {member for user in named if (index := names.get(user)) is not None for member in union.of(index)}
        return named | {outer for outer in names.outers(sorted(inner)) if outer is not None}

    def _tell(self, done: Committed) -> None:
        self._last = max(self._last, done.last)
        if done.fresh:
            frame = framed(Commit(done.fresh, done.sequences, done.recorded, done.last))
            for link in self._links:
                link.write(frame)
        for ticket, told in done.answers:
            _answer(ticket, told)


def _users(event: AnyEvent) -> tuple[str, ...]:
    if isinstance(event, IdentityLink):
        return event.user, event.other
    user = getattr(event, "user", None)
    return () if user is None else (user,)


def _answer(ticket: Ticket, told: Written | Exception) -> None:
    if isinstance(told, Written):
        ticket.link.send(Told(ticket.number, told.sequences, told.fresh))
    else:
        if not isinstance(told, MutuaError):
            LOG.error("a fault in the writer's process", exc_info=told)
        ticket.link.send(Failed.of(ticket.number, told))


class Welcoming(Protocol):
    """One desk, or those of several tenants."""

    left: asyncio.Event

    async def welcome(self, reader: asyncio.StreamReader, stream: asyncio.StreamWriter) -> None:
        """Serves one link until it ends."""
        ...

    def close(self) -> None:
        """Writes what is queued."""
        ...


def write(made: Callable[[], Welcoming], socket: Path) -> None:
    """Writes for all workers until it is told to end (SIGTERM); then they may finish what they accepted.

    Args:
        made: makes the desk, on the running loop.
        socket: where to listen, in a folder that is private.
    """
    uvloop.run(_write(made, socket))


async def _write(made: Callable[[], Welcoming], socket: Path) -> None:
    desk, told_to_end = made(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    end_with_parent()
    socket.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(desk.welcome, socket)
    socket.chmod(0o600)
    await told_to_end.wait()
    try:
        async with asyncio.timeout(LAST_WORDS):
            await desk.left.wait()
    except TimeoutError:
        LOG.warning("workers did not end in time")
    server.close()
    desk.close()
