"""Memory: bytes of a live profile and of an item in a state that is ready to answer, and how both grow."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import ROOT
from benchmarks.goals import Goal, Measured
from benchmarks.speed.growth import NEAR_LINEAR, exponent
from benchmarks.speed.stocked import stocked
from mutua import Settings
from mutua.state import LiveState
from mutua.store.sqlite.store import SqliteStore

SIZES, QUICK_SIZES = (25_000, 100_000, 400_000), (200, 400, 800)
FEW = 100
EACH = 20
"""Events of a user."""
PROFILES = Goal("Memory of a million profiles of 20 events, known and ready to be loaded", form=",.0f", unit=" MB")
LIVE = Goal("… and what each costs besides while it is live", form=",.0f", unit=" bytes")
ITEMS = Goal("Memory of a million items with category, price and title", form=",.0f", unit=" MB")
BY_PROFILES = Goal("Growth of memory in profiles: exponent", must=NEAR_LINEAR, most=True, form=".2f")
BY_ITEMS = Goal("Growth of memory in items: exponent", must=NEAR_LINEAR, most=True, form=".2f")
GOALS = (PROFILES, LIVE, ITEMS, BY_PROFILES, BY_ITEMS)


def run(quick: bool) -> Measured:
    """Returns the figures; every size in a process of its own, so that memory is its own."""
    sizes = QUICK_SIZES if quick else SIZES
    people = [_apart(size, FEW, size * EACH, cards=False) for size in sizes]
    goods = [_apart(FEW, size, size, cards=True) for size in sizes]
    known, kept = ([float(point["known"]) for point in points] for points in (people, goods))
    live = people[1]
    return {
        "figures": [
            PROFILES.seen(_slope(sizes, known)),
            LIVE.seen(max(live["live"], 0) / live["loaded"], f"({live['loaded']:,} of them)"),
            ITEMS.seen(_slope(sizes, kept)),
            BY_PROFILES.seen(exponent(sizes, known), _steps(known)),
            BY_ITEMS.seen(exponent(sizes, kept), _steps(kept)),
        ],
        "seeds": [0],
        "repeats": 1,
        "details": {"sizes": sizes, "people": people, "items": goods},
    }


def measured(path: Path, bare: int) -> dict[str, int]:
    """Returns the bytes that a state of the store takes, and those that its live histories take besides."""
    with SqliteStore.open(f"sqlite:///{path}") as store:
        state = LiveState(store, Settings(), None, fed=True)
        state.warm()
        gc.collect()
        known = resident() - bare
        loaded = min(len(store.names.users), 100_000)
        for user in range(loaded):
            state.histories.get(user)
        return {"known": known, "live": resident() - bare - known, "loaded": loaded}


def resident() -> int:
    """Returns the bytes that this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def _apart(users: int, items: int, events: int, cards: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mutua-memory-") as name:
        path = Path(name) / "shop.db"
        stocked(path, users, items, events, cards)
        command = [sys.executable, "-m", "benchmarks.speed.memory", str(path)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def _slope(sizes: tuple[int, ...], costs: list[float]) -> float:
    """Megabytes a million, by what the largest size takes more than the smallest."""
    return (costs[-1] - costs[0]) / (sizes[-1] - sizes[0])


def _steps(costs: list[float]) -> str:
    return f"({' → '.join(f'{cost / 1e6:,.0f}' for cost in costs)} MB)"


def main() -> None:
    """Measures one store, after a tiny one has brought all code into memory."""
    with tempfile.TemporaryDirectory(prefix="mutua-memory-") as name:
        stocked(Path(name) / "shop.db", 10, 10, 100, cards=True)
        measured(Path(name) / "shop.db", 0)
    gc.collect()
    print(json.dumps(measured(Path(sys.argv[1]), resident())))


if __name__ == "__main__":
    main()
