"""Growth: fit time, memory and serving at 1 ×, 4 × and 16 × users, items and events of a synthetic shop."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.data import ROOT
from benchmarks.goals import Goal, Measured
from benchmarks.timing import calls, one_blas_thread, one_core, timed
from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.lab.memory import peak
from mutua.learning.search import search
from mutua.models.base import TrainingData
from mutua.models.joint.learner import Joint
from mutua.profiles import fold

SEED = 0
BASE, QUICK_BASE = (5_000, 2_000, 100_000), (100, 50, 2_000)
"""Users, items and events at 1 ×."""
SCALES, QUICK_SCALES = (1, 4, 16), (1, 2, 4)
WARM_UP = (100, 50, 1_000)
TASTES = 20
YEAR = 365 * DAY
ASKED = 500
K = 20
NEAR_LINEAR = 1.2
FIT = Goal("Growth of fit time in events: exponent", must=NEAR_LINEAR, most=True, form=".2f")
MEMORY = Goal("Growth of memory of fitting in events: exponent", must=NEAR_LINEAR, most=True, form=".2f")
SERVING = Goal("Growth of one top-20 in events: exponent", form=".2f")
GOALS = (FIT, MEMORY, SERVING)


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark; every size in a process of its own, so that memory is its own."""
    base, scales = (QUICK_BASE, QUICK_SCALES) if quick else (BASE, SCALES)
    points = [_apart([size * scale for size in base]) for scale in scales]
    columns: dict[str, list[float]] = {
        name: [float(point[name]) for point in points]
        for name in ("events", "fit_seconds", "fit_mib", "top_us", "peak_mib")
    }
    events = columns["events"]
    return {
        "figures": [
            FIT.seen(exponent(events, columns["fit_seconds"]), _steps(columns["fit_seconds"], ".1f", "s")),
            MEMORY.seen(exponent(events, columns["fit_mib"]), _steps(columns["fit_mib"], ".0f", "MiB")),
            SERVING.seen(exponent(events, columns["top_us"]), _steps(columns["top_us"], ".1f", "µs")),
        ],
        "seeds": [SEED],
        "repeats": 1,
        "details": {"scales": scales, "points": points},
    }


def exponent(size: Sequence[float], cost: Sequence[float]) -> float:
    """Returns b of the least-squares line log cost = a + b log size."""
    return float(np.polyfit(np.log(size), np.log(np.maximum(cost, 1e-9)), 1)[0])


def shop(users: int, items: int, events: int) -> TrainingData:
    """Returns a year of a synthetic shop: skewed users and items, tastes that share a catalogue, times at random."""
    source = stream(SEED, "benchmark", "growth", users)
    user = (users * source.random(events) ** 1.5).astype(np.int32)
    own = source.random(events) < 0.8
    shelf = items // TASTES
    wanted = (shelf * source.random(events) ** 2).astype(np.int64) + shelf * (user % TASTES)
    item = np.where(own, wanted, (items * source.random(events) ** 2).astype(np.int64))
    rows = Interactions.of(
        user, item, 20_000 * DAY + source.integers(0, YEAR, events), n_users=users, n_items=items
    ).by_user()
    return TrainingData(rows, AttributeTable(users), AttributeTable(items), int(rows.time.max()))


def measured(users: int, items: int, events: int) -> dict[str, Any]:
    """Returns what one size costs, kernels compiled before; settings are the best guess for such data."""
    search(Joint(), shop(*WARM_UP), 0.0, SEED)
    data = shop(users, items, events)
    with peak() as before:
        pass
    with peak() as most:
        seconds, chosen = timed(lambda: search(Joint(), data, 0.0, SEED))
    model: Any = chosen.model
    views = fold.views(data.interactions, model.encoder, data.now, np.arange(min(ASKED, users), dtype=np.int32))
    cases = [views.rows(place, place + 1) for place in range(len(views))]
    with one_core(), one_blas_thread():
        top = calls(lambda view: model.top(view, K, view.item), cases, rounds=3)
    return {
        "users": users,
        "items": items,
        "events": events,
        "fit_seconds": seconds,
        "fit_mib": max(most.mib - before.mib, 0.0),
        "peak_mib": most.mib,
        "top_us": top.median_us,
        "entries": len(model.influence.value),
        "longest_row": int(np.diff(model.influence.start).max(initial=0)),
    }


def _apart(size: Sequence[int]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.speed.growth", *map(str, size)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _steps(values: Sequence[float], form: str, unit: str) -> str:
    return f"({' → '.join(f'{value:{form}}' for value in values)} {unit})"


if __name__ == "__main__":
    print(json.dumps(measured(*map(int, sys.argv[1:4]))))
