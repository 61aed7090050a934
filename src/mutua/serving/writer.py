"""The one writer: a thread that owns the store opened for writing and commits in groups.

What queued while the last commit was being made durable goes into the next one, so that many small requests share one
fsync; an idle writer commits at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from mutua.core import clock
from mutua.errors import Overloaded
from mutua.events.kinds import AnyEvent
from mutua.serving.conditions import Condition
from mutua.serving.histogram import Histogram
from mutua.serving.jobs import Job
from mutua.serving.writing import Reports
from mutua.store.base import Appended
from mutua.store.sqlite.store import SqliteStore

Result = TypeVar("Result")
GROUP = 4_000
"""Events of one commit, unless a single batch is larger: what a commit costs by itself counts little from there on."""
QUEUE = 50_000
"""Events waiting at most; beyond them a sender is told to come again."""


@dataclass(frozen=True)
class Written:
    """What became of one request's events.

    Args:
        sequences: of each event; of a duplicate that of the first.
        fresh: whether each was new to the log.
    """

    sequences: tuple[int, ...] = ()
    fresh: tuple[bool, ...] = ()


Answer = Any
"""Where the answer to a batch goes; the writer only carries it."""


@dataclass(frozen=True)
class Batch:
    """Events of one request, where its answer goes, and what must hold when they are written."""

    events: Sequence[AnyEvent]
    answer: Answer
    only_if: Condition | None = None


@dataclass(frozen=True)
class Committed:
    """One commit: what is on disk now.

    Args:
        fresh: the events new to the log, in order; sequences: of each.
        recorded: record time, microseconds UTC; last: the log's newest sequence number.
        answers: what to tell each sender once the state has moved, or the error that kept his batch out.
    """

    fresh: tuple[AnyEvent, ...]
    sequences: tuple[int, ...]
    recorded: int
    last: int
    answers: tuple[tuple[Answer, Written | Exception], ...]


class Writer:
    """Writes what is submitted, in order, from one thread.

    Args:
        opened: opens the store for writing; called on the writer's thread, and its errors are raised by `start`.
        committed: called on the writer's thread after each commit; it answers the senders.
    """

    def __init__(self, opened: Callable[[], SqliteStore], committed: Callable[[Committed], None]) -> None:
        self._opened, self._committed = opened, committed
        self._spent = Histogram()
        self._wake = threading.Condition()
        self._queue: deque[Batch | Job[SqliteStore]] = deque()
        self._waiting = 0
        self._closing = False
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._work, name="mutua-writer", daemon=True)

    def start(self) -> int:
        """Starts the thread, waits until the store is open and returns the log's newest sequence number.

        Raises:
            StoreLocked: code `store.locked`, as do the other errors of opening a store.
        """
        self._thread.start()
        return self._started.result()

    @property
    def spent(self) -> Histogram:
        """How long commits took."""
        return self._spent

    @property
    def waiting(self) -> int:
        """Events that are queued."""
        return self._waiting

    async def stands(self) -> None:
        """Returns at once: `start` has opened the store."""

    @property
    def ready(self) -> bool:
        """Whether what is submitted now will be written."""
        return not self._closing

    def acknowledged(self, user: str | None) -> int:  # noqa: ARG002
        """Returns 0: what this writer acknowledged has moved the state."""
        return 0

    @property
    def newest(self) -> int:
        """0: nobody else acknowledges anything."""
        return 0

    def gather(self) -> Future[Reports]:
        """Returns that there are no other workers."""
        nobody = Future[Reports]()
        nobody.set_result([])
        return nobody

    def submit(self, events: Sequence[AnyEvent], answer: Answer, only_if: Condition | None = None) -> None:
        """Queues events; `committed` hands `answer` back with what to tell, never before they are on disk.

        Args:
            only_if: what must hold when they are written; else they are refused.

        Raises:
            Overloaded: code `server.overloaded`; too many events are waiting, nothing of these was kept.
        """
        with self._wake:
            if self._closing or self._waiting + len(events) > QUEUE:
                raise Overloaded(
                    "the server is closing" if self._closing else f"{self._waiting} events waiting to be written",
                    f"at most {QUEUE}",
                    "send the same events again after a second; ids make that harmless",
                )
            self._waiting += len(events)
            self._queue.append(Batch(events, answer, only_if))
            self._wake.notify()

    def call(self, run: Callable[[SqliteStore], Result]) -> Future[Result]:
        """Queues a function of the writing store behind what is queued, and returns where its result will come.

        Raises:
            Overloaded: code `server.overloaded`; the server is closing.
        """
        job = Job(run)
        with self._wake:
            if self._closing:
                raise Overloaded("the server is closing", "one that runs", "ask again after the restart")
            self._queue.append(job)
            self._wake.notify()
        return job.answer

    def close(self) -> None:
        """Writes what is queued, closes the store and ends the thread; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        try:
            store = self._opened()
        except Exception as reason:  # noqa: BLE001  (raised again by `start`)
            self._started.set_exception(reason)
            return
        with store:
            self._started.set_result(store.log.last_sequence())
            while work := self._next():
                if isinstance(work, Job):
                    work.do(store)
                else:
                    began = perf_counter()
                    done = _commit(store, work)
                    self._spent.observe(perf_counter() - began)
                    self._committed(done)

    def _next(self) -> Job[SqliteStore] | list[Batch] | None:
        """Waits for work; None once the writer is closing and nothing is queued."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            first = self._queue.popleft()
            if isinstance(first, Job):
                return first
            group, size = [first], len(first.events)
            while self._queue and isinstance(following := self._queue[0], Batch) and size < GROUP:
                if first.only_if or following.only_if:
                    break
                self._queue.popleft()
                group.append(following)
                size += len(following.events)
            self._waiting -= size
            return group


def _commit(store: SqliteStore, group: Sequence[Batch]) -> Committed:
    """Writes a group in one transaction; where that fails, each batch in its own, so that one never fails another."""
    recorded = clock.now()
    try:
        if group[0].only_if is not None:
            group[0].only_if.check(store)
        done = store.log.append_all([batch.events for batch in group], recorded=recorded, apart=True)
        return _told(group, done, recorded)
    except Exception as reason:  # noqa: BLE001  (it belongs to the senders; the writer goes on)
        if len(group) == 1:
            return Committed((), (), recorded, store.log.last_sequence(), ((group[0].answer, reason),))
    return _joined([_commit(store, [batch]) for batch in group])


def _told(group: Sequence[Batch], done: Appended, recorded: int) -> Committed:
    if done.duplicates:
        return _told_apart(group, done, recorded)
    start, answers = 0, list[tuple[Answer, Written | Exception]]()
    for batch in group:
        stop = start + len(batch.events)
        answers.append((batch.answer, Written(done.sequences[start:stop], (True,) * (stop - start))))
        start = stop
    events = tuple([event for batch in group for event in batch.events])
    return Committed(events, done.sequences, recorded, done.last, tuple(answers))


def _told_apart(group: Sequence[Batch], done: Appended, recorded: int) -> Committed:
    """As `_told` where some events are repeated: new are those above what the log held, each the first time."""
    places, before, last = iter(done.sequences), done.last - done.accepted, done.last
    fresh: dict[int, AnyEvent] = {}
    answers: list[tuple[Answer, Written | Exception]] = []
    for batch in group:
        given, new = [], []
        for event in batch.events:
            sequence = next(places)
            given.append(sequence)
            new.append(sequence > before and sequence not in fresh)
            if new[-1]:
                fresh[sequence] = event
        answers.append((batch.answer, Written(tuple(given), tuple(new))))
    return Committed(tuple(fresh.values()), tuple(fresh), recorded, last, tuple(answers))


def _joined(parts: Sequence[Committed]) -> Committed:
    return Committed(
        tuple(event for part in parts for event in part.fresh),
        tuple(sequence for part in parts for sequence in part.sequences),
        parts[-1].recorded,
        parts[-1].last,
        tuple(answer for part in parts for answer in part.answers),
    )
