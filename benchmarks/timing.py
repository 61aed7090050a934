"""Times of single calls and of whole runs, on one core where a figure is for one core."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TypeVar

Answer = TypeVar("Answer")
Case = TypeVar("Case")


@dataclass(frozen=True)
class Calls:
    """Microseconds of many calls."""

    median_us: float
    p90_us: float
    p99_us: float
    fastest_us: float
    calls: int

    def as_dict(self) -> dict[str, float]:
        """Returns the same by name, rounded."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def calls(call: Callable[[Case], object], cases: Sequence[Case], rounds: int = 1) -> Calls:
    """Returns how long `call` took on each case, each call timed alone; one round before is not counted.

    Args:
        rounds: how often all cases are gone through.
    """
    for case in cases:
        call(case)
    clock = time.perf_counter_ns
    spent: list[int] = []
    for _ in range(rounds):
        for case in cases:
            began = clock()
            call(case)
            spent.append(clock() - began)
    spent.sort()
    at = [spent[min(len(spent) - 1, int(share * len(spent)))] / 1_000 for share in (0.5, 0.9, 0.99)]
    return Calls(at[0], at[1], at[2], spent[0] / 1_000, len(spent))


def timed(call: Callable[[], Answer]) -> tuple[float, Answer]:
    """Returns the seconds that a call took, and its answer."""
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def median(values: Sequence[float]) -> float:
    """Returns the median."""
    return float(statistics.median(values))


@contextmanager
def one_core() -> Iterator[None]:
    """Keeps this process on one of its cores, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keeps the linear algebra library to one thread, as the peer's documentation asks for and as one core means."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1, "blas"):
        yield


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
