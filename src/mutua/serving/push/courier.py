"""The courier: a thread that owns the outbox and works it off, so that neither disk nor receivers hold up a request."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import msgspec

from mutua.core import clock
from mutua.errors import MutuaError, Overloaded
from mutua.serving.jobs import Job
from mutua.serving.push.delivering import Delivering, Step
from mutua.serving.push.letters import OutboxCounts
from mutua.serving.push.outbox import Outbox
from mutua.serving.push.triggers import Trigger
from mutua.serving.push.webhooks import WebhookSettings

LOG = logging.getLogger("mutua.server")
Result = TypeVar("Result")
ZoneOf = Callable[[str], str]
"""From a user to the IANA name of his time zone, empty where unknown."""
EVERY = 1.0
"""Seconds between looks for deliveries whose time has come."""
TIDY = clock.HOUR
COUNT = 5 * clock.SECOND
"""Between two counts of what the outbox holds, for `latest`."""
QUEUE = 100_000
"""Triggers that may wait for the thread; beyond them new ones are dropped and counted."""


class CourierCounts(msgspec.Struct, frozen=True):
    """What was done since the start, triggers dropped since then, and what the outbox holds."""

    done: Step
    dropped: int
    outbox: OutboxCounts


class _Offer(msgspec.Struct, frozen=True):
    triggers: tuple[tuple[Trigger, str], ...]
    seen: int


class Courier:
    """Takes triggers from the loop and delivers them from a thread of its own.

    Args:
        opened: opens the outbox; called on the thread, and its errors are raised by `start`.
        now: microseconds UTC.

    `latest` holds the figures of some seconds ago, None before the first; reading it waits for nobody.

    Raises:
        ConfigError: code `config.invalid`; as `WebhookSettings.checked`.
    """

    def __init__(
        self, opened: Callable[[], Outbox], settings: WebhookSettings, now: Callable[[], int] = clock.now
    ) -> None:
        self._opened, self._settings, self._now = opened, settings.checked(), now
        self._wake = threading.Condition()
        self._offers: deque[_Offer] = deque()
        self._jobs: deque[Job[Outbox]] = deque()
        self._waiting = self._dropped = 0
        self._done = Step()
        self._tidied = self._counted = 0
        self.latest: CourierCounts | None = None
        self._closing = False
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._work, name="mutua-courier", daemon=True)

    def start(self) -> int:
        """Starts the thread and returns the log's sequence number up to which triggers were offered before.

        Raises:
            StoreError: code `store.failed`, as do the other errors of opening an outbox.
        """
        self._thread.start()
        return self._started.result()

    def offer(self, triggers: Sequence[Trigger], seen: int, zone_of: ZoneOf = lambda _: "") -> None:
        """Hands triggers over and returns at once; they are on disk within moments.

        Args:
            seen: the log's sequence number up to which triggers were found.
            zone_of: asked here, on the caller's thread.
        """
        if not triggers:
            return
        taken = tuple((trigger, zone_of(trigger.user)) for trigger in triggers)
        with self._wake:
            if self._closing or self._waiting + len(taken) > QUEUE:
                self._dropped += len(taken)
                return
            self._waiting += len(taken)
            self._offers.append(_Offer(taken, seen))
            self._wake.notify()

    def call(self, run: Callable[[Outbox], Result]) -> Future[Result]:
        """Runs a function of the outbox on its thread, between two steps, after what was offered before.

        Raises:
            Overloaded: code `server.overloaded`; the courier is closing.
        """
        job = Job(run)
        with self._wake:
            if self._closing:
                raise Overloaded("the courier is closing", "an open one", "ask again after the restart")
            self._jobs.append(job)
            self._wake.notify()
        return job.answer

    def counts(self) -> Future[CourierCounts]:
        """Returns where the figures as of now will come."""
        return self.call(self._counts)

    def close(self) -> None:
        """Keeps what was offered, ends the thread after the try under way and closes the outbox; twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        try:
            outbox = self._opened()
            seen = outbox.seen
        except BaseException as reason:  # noqa: BLE001  (whatever it is belongs to him who starts it)
            self._started.set_exception(reason)
            return
        with outbox:
            delivering = Delivering(outbox, self._settings, self._now, stopped=lambda: self._closing)
            self._started.set_result(seen)
            while not self._closing:
                if not self._turn(outbox, delivering):
                    self._rest()
            self._turn(outbox, delivering)

    def _turn(self, outbox: Outbox, delivering: Delivering) -> bool:
        """One round, and whether it got anything done; each part is tried whatever became of the others."""
        before = self._done
        for part in (self._keep, self._deliver, self._tidy, self._count):
            try:
                part(outbox, delivering)
            except MutuaError as reason:
                LOG.warning("the outbox waits: %s", reason)
            except Exception:
                LOG.exception("a fault in delivering")
        return (self._done.done, self._done.admitted) != (before.done, before.admitted)

    def _deliver(self, _: Outbox, delivering: Delivering) -> None:
        if not self._closing:
            self._done += delivering.step()

    def _tidy(self, outbox: Outbox, _: Delivering) -> None:
        now = self._now()
        if now - self._tidied > TIDY:
            self._tidied = now
            outbox.tidy(now)

    def _count(self, outbox: Outbox, _: Delivering) -> None:
        now = self._now()
        if now - self._counted > COUNT:
            self._counted = now
            self.latest = self._counts(outbox)

    def _counts(self, outbox: Outbox) -> CourierCounts:
        return CourierCounts(self._done, self._dropped, outbox.counts())

    def _rest(self) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._offers or self._jobs or self._closing, EVERY)

    def _keep(self, outbox: Outbox, _: Delivering) -> None:
        """Writes what was offered, then does the jobs; an offer leaves the queue only when it is on disk."""
        with self._wake:
            jobs, self._jobs = self._jobs, deque()
        try:
            while self._offers:
                offer = self._offers[0]
                outbox.put(offer.triggers, offer.seen, self._now())
                with self._wake:
                    self._offers.popleft()
                    self._waiting -= len(offer.triggers)
        finally:
            for job in jobs:
                job.do(outbox)
