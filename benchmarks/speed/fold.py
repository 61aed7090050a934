"""The fold on the request path: one view of a history, one more event in a history; microseconds.

Every figure is the median over rounds of the mean time of many calls in a round; `fastest` is the best round, which is
what a machine without other work would show.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mutua.core.clock import DAY
from mutua.core.seeds import stream
from mutua.profiles import fold
from mutua.profiles.encoder import NO_DECAY, Encoder
from mutua.profiles.history import WINDOW, History

ROUNDS = 200
CALLS = 50
NOW = 20_000 * DAY
N_ITEMS = 41_000
ALL_HALF_LIVES = (0.1, 0.1, 0.2, 0.2, 0.2, 0.2)
TARGETS = {"view 50 events, no decay": 5.0, "view 50 events, 6 half-lives": 12.0, "add to 50 events": 6.0}


def run(rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, Any]:
    """Returns for every call its median and its fastest round in microseconds, and the target where there is one."""
    short, full = history(50), history(WINDOW)
    worn = history(2 * WINDOW).bounded()
    plain, graded = Encoder.of((1.0,), shares=NO_DECAY), Encoder.of((1.0,), shares=ALL_HALF_LIVES)
    measured: dict[str, Callable[[], object]] = {
        "view 50 events, no decay": lambda: fold.view(short, plain, NOW),
        "view 50 events, 6 half-lives": lambda: fold.view(short, graded, NOW),
        "view 500 events, 6 half-lives": lambda: fold.view(full, graded, NOW),
        "view 500 events and a tail, 6 half-lives": lambda: fold.view(worn, graded, NOW),
        "add to 50 events": lambda: short.add(7, 0, float("nan"), NOW, 10_000),
        "add in a row": _adder(short),
        "add to a full window": lambda: worn.add(7, 0, float("nan"), NOW, 10_000),
        "add late by a day": lambda: short.add(7, 0, float("nan"), NOW - DAY, 10_000),
    }
    return {name: _timed(call, rounds, calls) | _target(name) for name, call in measured.items()}


def history(events: int) -> History:
    """Returns the history of a user with so many events of one type over half a year, popular items more often."""
    rng = stream(0, "benchmark", "fold", events)
    items = (N_ITEMS * rng.random(events) ** 3).astype(np.int32)
    times = np.sort(NOW - rng.integers(0, 180 * DAY, events))
    nothing = np.full(events, np.nan, np.float32)
    return History(items, np.zeros(events, np.int16), nothing, times, np.arange(1, events + 1))


def _adder(start: History) -> Callable[[], History]:
    """Events that each go on from the last one, as they come in live; started anew when the window is full."""
    state = [start]

    def add() -> History:
        grown = state[0].add(7, 0, float("nan"), NOW, 10_000)
        state[0] = grown if len(grown) < WINDOW else start
        return grown

    return add


def _timed(call: Callable[[], object], rounds: int, calls: int) -> dict[str, float]:
    call()
    spent = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        for _ in range(calls):
            call()
        spent.append((time.perf_counter_ns() - began) / calls / 1_000)
    return {"median_us": round(statistics.median(spent), 2), "fastest_us": round(min(spent), 2)}


def _target(name: str) -> dict[str, float]:
    return {"target_us": TARGETS[name]} if name in TARGETS else {}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
