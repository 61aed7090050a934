"""A bounded buffer before the log of slates, so that no request waits for a disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Self

from mutua.core import clock
from mutua.errors import StoreError
from mutua.store.logged import LoggedSlate
from mutua.store.slates import KEPT, Retention, SlateLog
from mutua.store.sqlite.address import Address

CAPACITY = 50_000
FLUSHED_AT = 1_000
FLUSH_SECONDS = 0.1
PRUNE_SECONDS = 10.0


class SlateBuffer:
    """Takes slates at once and writes them from a thread of its own; any thread may call it.

    What waits is written every `seconds`, and as soon as `flushed_at` wait. A write that fails is tried again; what no
    longer fits meanwhile is dropped and counted. The log is pruned on the way.

    Args:
        log: open for writing, closed by `close`.
        reader: the same log open for reading, or `log` itself; closed by `close`.
        capacity: slates that may wait.
        keep: what pruning leaves.
        now: the clock for record times, microseconds UTC.
    """

    def __init__(
        self,
        log: SlateLog,
        reader: SlateLog,
        *,
        capacity: int = CAPACITY,
        flushed_at: int = FLUSHED_AT,
        seconds: float = FLUSH_SECONDS,
        keep: Retention = KEPT,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._log, self._reader = log, reader
        self._capacity, self._flushed_at, self._seconds = capacity, flushed_at, seconds
        self._keep, self._now = keep, now
        self._waiting: dict[str, LoggedSlate] = {}
        self._writing = threading.Lock()
        self._reading = self._writing if reader is log else threading.Lock()
        self._counting = threading.Lock()
        self._wake, self._closed = threading.Event(), False
        self._dropped = self._written = 0
        self._failure = ""
        self._thread = threading.Thread(target=self._run, name="mutua-slates", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, store: Address, *, capacity: int = CAPACITY, keep: Retention = KEPT) -> Self:
        """Returns a buffer before the slates of the store at an address; raises as `SlateLog.open`."""
        log = SlateLog.open(store, write=True)
        try:
            reader = log if store.path is None else SlateLog.open(store)
        except BaseException:
            log.close()
            raise
        return cls(log, reader, capacity=capacity, keep=keep)

    @property
    def waiting(self) -> int:
        """How many slates are not in the log yet."""
        return len(self._waiting)

    @property
    def written(self) -> int:
        """How many slates this buffer has written."""
        return self._written

    @property
    def dropped(self) -> int:
        """How many slates were lost because the buffer was full, or closed."""
        return self._dropped

    @property
    def failure(self) -> str:
        """Why the last write or pruning failed, empty where it did not."""
        return self._failure

    def put(self, slate: LoggedSlate) -> bool:
        """Takes a slate, never waits and never raises; returns whether there was room."""
        waiting = self._waiting
        if len(waiting) >= self._capacity or self._closed:
            with self._counting:
                self._dropped += 1
            return False
        waiting[slate.id] = slate
        if len(waiting) == self._flushed_at:
            self._wake.set()
        return True

    def get(self, slate: str) -> LoggedSlate | None:
        """Returns a slate by its id, written or not; None where it was never taken, or is gone.

        Raises:
            StoreError: code `store.failed`.
        """
        found = self._waiting.get(slate)
        if found is not None:
            return found
        with self._reading:
            return self._reader.get(slate)

    def flush(self) -> int:
        """Writes all that waits now and returns how many slates that were.

        Raises:
            StoreFull: code `store.full`, StoreLocked: code `store.locked`; what is not written waits on.
        """
        with self._writing:
            return self._flushed()

    def of_users(self, users: Sequence[int]) -> int:
        """Returns how many slates of these inner users there are, written or not."""
        with self._writing:
            return len(self._waiting_of(users)) + self._log.of_users(users)

    def erase_users(self, users: Sequence[int]) -> int:
        """Deletes the slates of these inner users, written or not, and returns how many there were."""
        with self._writing:
            unwritten = [self._waiting.pop(name) for name in self._waiting_of(users)]
            return len(unwritten) + self._log.erase_users(users)

    def clean(self, *, compact: bool) -> bool:
        """As `SlateLog.clean`; slates wait in the buffer meanwhile."""
        with self._writing:
            return self._log.clean(compact=compact)

    def close(self) -> None:
        """Writes what waits, ends the thread and closes the log; closing twice is harmless.

        Raises:
            StoreError: what waited could not be written and is dropped.
        """
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        self._thread.join()
        try:
            self.flush()
        finally:
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._reader.close()
            self._log.close()

    def _run(self) -> None:
        prune_at = 0.0
        while not self._closed:
            self._wake.wait(self._seconds)
            self._wake.clear()
            try:
                self.flush()
                if time.monotonic() >= prune_at:
                    prune_at = time.monotonic() + PRUNE_SECONDS
                    with self._writing:
                        self._log.prune(self._now(), self._keep)
            except StoreError as reason:
                self._failure = str(reason)
            else:
                self._failure = ""

    def _flushed(self) -> int:
        """Written slates leave the buffer only now, so that `get` finds each of them at every moment."""
        left = done = len(self._waiting)
        while left > 0:
            batch = list(islice(self._waiting.values(), min(left, self._flushed_at)))
            self._written += self._log.append(batch, recorded=self._now())
            for slate in batch:
                self._waiting.pop(slate.id, None)
            left -= len(batch)
        return done

    def _waiting_of(self, users: Sequence[int]) -> list[str]:
        erased = set(users)
        return [slate.id for slate in list(self._waiting.values()) if slate.user in erased]
