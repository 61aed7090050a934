"""What a writer is to the service: a thread of its own process, or the link to a process that writes for several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from mutua.events.kinds import AnyEvent
from mutua.serving.conditions import Condition
from mutua.serving.histogram import Histogram
from mutua.store.sqlite.store import SqliteStore

Result = TypeVar("Result")
Reports = list[tuple[int, bytes]]
"""Figures as text for Prometheus, by number of the worker."""


class Writing(Protocol):
    """The small interface of both. Every commit, whoever sent it, is handed to the service's `committed`."""

    def start(self) -> int:
        """Begins, and returns the log's newest sequence number where it is known, else 0."""
        ...

    async def stands(self) -> None:
        """Returns when what is submitted will be written and the state holds all that was written before."""
        ...

    @property
    def spent(self) -> Histogram:
        """How long commits took; nothing where another process makes them."""
        ...

    @property
    def ready(self) -> bool:
        """Whether what is submitted now will be written."""
        ...

    @property
    def waiting(self) -> int:
        """Events that are queued."""
        ...

    def acknowledged(self, user: str | None) -> int:
        """Returns the sequence number that the state must hold to answer a user as any process would."""
        ...

    @property
    def newest(self) -> int:
        """The newest sequence number acknowledged by another process, 0 where there is none."""
        ...

    def submit(self, events: Sequence[AnyEvent], answer: Any, only_if: Condition | None = None) -> None:
        """Queues events; `answer` is told when they are on disk and the state has moved, or that `only_if` fails."""
        ...

    def call(self, run: Callable[[SqliteStore], Result]) -> Future[Result]:
        """Queues one of the `operations` and returns where its result will come."""
        ...

    def gather(self) -> Future[Reports]:
        """Returns where the figures of all workers will come; none where there is one process."""
        ...

    def close(self) -> None:
        """Ends it in order; closing twice is harmless."""
        ...
