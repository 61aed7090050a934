"""Replay in time order: what profiles that learn at once are worth against late and frozen ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.goals import Figure, Goal, Measured, all_not_run, span
from mutua.lab import plots
from mutua.lab.dataset import Dataset, load
from mutua.lab.document import Document
from mutua.lab.protocols import Options
from mutua.lab.replay import LIVE_POPULARITY, POPULARITY
from mutua.lab.run import run as run_lab
from mutua.metrics.bootstrap import Interval

CUTOFFS = (10, 20)
SHOWN = 20
SEED = 0
REPLAYED = 0.4
BUDGET, QUICK_BUDGET = 60.0, 1.0
FROZEN = "frozen"
FILMS, SHOP = "ML-100k", "RetailRocket"
MAPPING = "user=user,item=item,type=event,time=timestamp"
WARM = {
    name: Goal(f"Replay of {name}, warm users: hits@20 live, × frozen", must=1.5, form=".2f", unit=" ×")
    for name in (FILMS, SHOP)
}
NEW = {
    name: Goal(f"Replay of {name}, new users: hits@20 live, × popularity", must=2.0, form=".2f", unit=" ×")
    for name in (FILMS, SHOP)
}
CURVE = {
    (name, group): Goal(f"Replay of {name}, {group} users: hits@20 by delay of the profile", form=".3f")
    for name in (FILMS, SHOP)
    for group in ("warm", "new")
}
GOALS = (*WARM.values(), *NEW.values(), *CURVE.values())


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark.

    Only items that are new to their user are foreseen: repeats would flatter a live profile.
    """
    figures: list[Figure] = []
    details: dict[str, Any] = {}
    for name, read in ((FILMS, films), (SHOP, shop)):
        try:
            log = read(quick)
        except data.NotAvailable as reason:
            goals = (WARM[name], NEW[name], *(CURVE[name, group] for group in ("warm", "new")))
            figures += all_not_run(goals, str(reason))
            continue
        document = replayed(name, log, QUICK_BUDGET if quick else BUDGET)
        figures += rows(name, document)
        details[name] = document
    return {"figures": figures, "seeds": [SEED], "repeats": 1, "details": details}


def draw(measured: Measured, folder: Path) -> list[Path]:
    """Draws the curve of each data set into `folder` and returns the pictures."""
    return [
        plots.freshness(document, "default", f"hr@{SHOWN}", folder / f"replay-{name.lower()}.png")
        for name, document in measured["details"].items()
    ]


def films(quick: bool) -> Dataset:
    """Returns MovieLens-100K."""
    with tempfile.TemporaryDirectory(prefix="mutua-replay-") as folder:
        return load(data.ml_100k_ratings(Path(folder), quick))


def shop(quick: bool) -> Dataset:
    """Returns RetailRocket's dated events."""
    with tempfile.TemporaryDirectory(prefix="mutua-replay-") as folder:
        return load(data.retailrocket(Path(folder), quick), MAPPING)


def replayed(name: str, log: Dataset, budget: float) -> Document:
    """Returns the document of a replay of the newest events; settings are chosen on the events before."""
    options = Options("replay", name, fraction=REPLAYED, cutoffs=CUTOFFS, seed=SEED, budget=budget, exclude_seen="yes")
    return run_lab(options, data=log)


def rows(name: str, document: Document) -> list[Figure]:
    """Returns the rows of one data set; new users are set against the stronger of the two countings of popularity."""
    over = document.results["default"].live_over
    return [
        _ratio(WARM[name], over.get("warm", {}).get(FROZEN), "no hit of a frozen profile of a warm user"),
        _stronger(name, over.get("new", {})),
        *(_curve(name, group, document) for group in ("warm", "new")),
    ]


def _ratio(goal: Goal, found: Interval | None, missing: str, note: str = "") -> Figure:
    if found is None or found.value != found.value:
        return goal.not_run(missing)
    return goal.seen(found.value, span(found.low, found.high, ".2f") + note)


def _stronger(name: str, over: dict[str, Interval]) -> Figure:
    known = {line: over[line] for line in (POPULARITY, LIVE_POPULARITY) if line in over}
    known = {line: found for line, found in known.items() if found.value == found.value}
    if not known:
        return NEW[name].not_run("no event of a new user that popularity foresees")
    line = min(known, key=lambda one: known[one].value)
    others = "".join(f"; × {other} {found.value:.2f}" for other, found in known.items() if other != line)
    return _ratio(NEW[name], known[line], "", f" (× {line}{others})")


def _curve(name: str, group: str, document: Document) -> Figure:
    goal = CURVE[name, group]
    points = [point for point in document.results["default"].freshness if point.group == group]
    if not points:
        return goal.not_run(f"no event of a {group} user")
    found = {point.delay: point.metrics[f"hr@{SHOWN}"] for point in points}
    lines = [f"{delay} {goal.written(one.value)} {span(one.low, one.high, goal.form)}" for delay, one in found.items()]
    events = f"({points[0].events} events of {points[0].users} users)"
    return Figure(goal.what, goal.target, f"{' · '.join(lines)} {events}", None)
