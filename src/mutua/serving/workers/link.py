"""A worker's link to the writer's process: the same small interface as the writer in the own process has.

What was sent and is not answered when the link breaks is sent again once it stands; every event has an id, given or
from its content, so a batch that was written after all changes nothing the second time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from mutua.errors import Interrupted, Overloaded
from mutua.events.kinds import AnyEvent
from mutua.serving.conditions import Condition
from mutua.serving.histogram import Histogram
from mutua.serving.operations import RESULTS, ForgetEvent, ForgetUser, PurgeModels
from mutua.serving.workers.messages import (
    FROM_WRITER,
    Asked,
    Commit,
    Done,
    Failed,
    Forgot,
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
from mutua.serving.writer import QUEUE, Answer, Committed, Written
from mutua.serving.writing import Reports
from mutua.store.sqlite.store import SqliteStore

LOG = logging.getLogger("mutua.server")
Result = TypeVar("Result")
PATIENCE = 10.0
"""Seconds for which what was sent waits for a writer that went away."""
AGAIN = 0.05
"""Seconds between tries to reach the writer."""


class Heard(Protocol):
    """Who lives by what the writer tells: a service."""

    def committed(self, done: Committed) -> None:
        """Takes a commit in; one that leaves a gap behind what is known makes it read the log."""
        ...

    def forgot(self, user: str | None, indices: Sequence[int], last: int) -> int:
        """Drops all that is kept of who was erased, and returns how many slates that were."""
        ...

    def report(self) -> bytes:
        """Returns the figures as text for Prometheus."""
        ...


class _Batch(NamedTuple):
    frame: bytes
    size: int
    answer: Answer


class _Question(NamedTuple):
    result: Any
    answer: Future[Any]


class Link:
    """Writes through the writer's process. Used and closed on one event loop.

    Args:
        socket: where the writer listens; table: what was acknowledged anywhere.
        worker: this worker's number; tenant: whose store, where there are several.
        loop: where it will be used, if it is made on another thread; default the running one.
    """

    def __init__(
        self,
        socket: Path,
        table: Table,
        worker: int,
        heard: Heard,
        tenant: str = "",
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._socket, self._table, self._heard = socket, table, heard
        self._hello = framed(Hello(worker, tenant))
        self._loop = asyncio.get_running_loop() if loop is None else loop
        self._stream: asyncio.StreamWriter | None = None
        self._batches: dict[int, _Batch] = {}
        self._questions: dict[int, _Question] = {}
        self._numbers = count(1)
        self._waiting = 0
        self._closing = False
        self._given_up: asyncio.TimerHandle | None = None
        self._stands = asyncio.Event()
        self._refused: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> int:
        """Returns 0: what is in the log is for the store to say, and the writer is reached for by `stands`."""
        return 0

    async def stands(self) -> None:
        """Reaches for the writer and returns when the state has caught up with it.

        Raises:
            MutuaError: what kept the writer from opening the store.
        """
        if self._task is None:
            self._task = self._loop.create_task(self._keep_linked())
        stands = self._loop.create_task(self._stands.wait())
        await asyncio.wait((stands, self._refused), return_when=asyncio.FIRST_COMPLETED)
        stands.cancel()
        if not self._stands.is_set():
            self._refused.result()

    @property
    def ready(self) -> bool:
        """Whether the writer is there."""
        return self._stands.is_set()

    @property
    def spent(self) -> Histogram:
        """Nothing: the process that writes knows how long commits took."""
        return Histogram()

    @property
    def waiting(self) -> int:
        """Events of this worker that are not answered."""
        return self._waiting

    def acknowledged(self, user: str | None) -> int:
        """Returns the sequence number that the state must hold to answer a user; under a microsecond."""
        return self._table.of(user)

    @property
    def newest(self) -> int:
        """The newest sequence number acknowledged by any worker."""
        return self._table.newest

    def submit(self, events: Sequence[AnyEvent], answer: Answer, only_if: Condition | None = None) -> None:
        """Sends events; `answer` gets what to tell when they are on disk and the state has moved.

        Args:
            only_if: what must hold when they are written; else they are refused.

        Raises:
            Overloaded: code `server.overloaded`; too many are waiting, or the writer is away. Nothing was kept.
        """
        self._check(len(events))
        number = next(self._numbers)
        frame = framed(Submitted(number, tuple(events), only_if))
        self._waiting += len(events)
        self._batches[number] = _Batch(frame, len(events), answer)
        self._send(frame)

    def call(self, run: Callable[[SqliteStore], Result]) -> Future[Result]:
        """Sends an operation and returns where its result will come.

        Raises:
            Overloaded: code `server.overloaded`; the writer is away.
            TypeError: a function that is no message of `operations`.
        """
        if not isinstance(run, ForgetUser | ForgetEvent | PurgeModels):
            raise TypeError(f"{run!r} cannot travel to another process: name it in mutua.serving.operations")
        return self._ask(lambda number: Asked(number, run), RESULTS[type(run)])

    def gather(self) -> Future[Reports]:
        """Asks all workers for their figures and returns where they will come; raises as `call`."""
        return self._ask(Gather, Reports)

    def close(self) -> None:
        """Ends the link; closing twice is harmless."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
        self._lose()
        self._give_up()

    def _check(self, events: int) -> None:
        away = self._closing or self._stream is None
        if away or self._waiting + events > QUEUE:
            raise Overloaded(
                "the writer is away" if away else f"{self._waiting} events waiting to be written",
                "a writer that runs" if away else f"at most {QUEUE}",
                "send the same again after a second; ids make that harmless",
            )

    def _ask(self, message: Callable[[int], Asked | Gather], result: Any) -> Future[Any]:
        self._check(0)
        number, answer = next(self._numbers), Future[Any]()
        self._questions[number] = _Question(result, answer)
        self._send(framed(message(number)))
        return answer

    def _send(self, frame: bytes) -> None:
        if self._stream is not None:
            self._stream.write(frame)

    async def _keep_linked(self) -> None:
        while True:
            try:
                reader, stream = await asyncio.open_unix_connection(self._socket)
            except OSError:
                await asyncio.sleep(AGAIN)
                continue
            stream.write(self._hello)
            try:
                async for frame in frames(reader):
                    self._hear(FROM_WRITER.decode(frame), stream)
            finally:
                stream.close()
                self._lose()
            LOG.warning("the writer went away; reaching for it again")
            await asyncio.sleep(AGAIN)

    def _hear(self, message: FromWriter, stream: asyncio.StreamWriter) -> None:
        match message:
            case Commit(fresh, sequences, recorded, last):
                self._heard.committed(Committed(fresh, sequences, recorded, last, ()))
            case Told(number, sequences, fresh):
                self._settle(number, Written(sequences, fresh))
            case Failed(0):
                self._refuse(message.error)
            case Failed(number):
                self._fail(number, message.error)
            case Done(number, result):
                question = self._questions.pop(number)
                question.answer.set_result(msgspec.msgpack.decode(result, type=question.result))
            case Forgot(number, user, indices, last):
                slates = self._heard.forgot(user, indices, last)
                self._send(framed(Replied(number, b"%d" % slates)))
            case Wanted(number):
                self._send(framed(Replied(number, self._heard.report())))
            case Welcome(last):
                self._heard.committed(Committed((), (), 0, last, ()))
                self._stood(stream)

    def _refuse(self, reason: Exception) -> None:
        """The store cannot be opened for writing: who waits for the link is told, and it is tried again."""
        if not self._refused.done():
            self._refused.set_exception(reason)
            self._refused.exception()

    def _stood(self, stream: asyncio.StreamWriter) -> None:
        self._stream = stream
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None
        for batch in self._batches.values():
            stream.write(batch.frame)
        self._stands.set()

    def _lose(self) -> None:
        """Questions end with the link; batches wait for the next one."""
        if self._stream is None:
            return
        self._stream = None
        self._stands.clear()
        for number in tuple(self._questions):
            self._fail(number, _interrupted())
        self._given_up = self._loop.call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        for number in tuple(self._batches):
            self._fail(number, _interrupted())

    def _settle(self, number: int, told: Written) -> None:
        batch = self._batches.pop(number)
        self._waiting -= batch.size
        if not batch.answer.done():
            batch.answer.set_result(told)

    def _fail(self, number: int, reason: Exception) -> None:
        question, batch = self._questions.pop(number, None), self._batches.pop(number, None)
        answer = question.answer if question is not None else batch.answer if batch is not None else None
        self._waiting -= 0 if batch is None else batch.size
        if answer is not None and not answer.done():
            answer.set_exception(reason)


def _interrupted() -> Interrupted:
    return Interrupted(
        "the writer's process ended before it answered",
        "an answer within moments",
        "send the same again, events with the same ids; what was written already changes nothing",
    )
