"""The server asked twice as much as it can answer: how much of its capacity is left as answers that come in time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import data
from benchmarks.goals import Figure, Goal, Measured
from benchmarks.speed.serve import MUTUA, Load, load, plans, served
from benchmarks.timing import median
from mutua import Recommender, Settings

ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS, QUICK_SECONDS = 8.0, 0.5
CONNECTIONS, QUICK_CONNECTIONS = 3_000, 50
"""Enough that the load is open: requests come when they are due, not when others were answered."""
DEADLINE = 0.5
GOODPUT = Goal(
    "At twice the capacity: answers of status 200 within 0.5 s, share of the capacity", must=0.90, form=".2f"
)
WHOLE = Goal("… of them not degraded", form=".0%")
GOALS = (GOODPUT, WHOLE)


def run(quick: bool) -> Measured:
    """Returns the figures: in each round the maximum is found, then twice as much is offered at a fixed rate."""
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    connections = QUICK_CONNECTIONS if quick else CONNECTIONS
    with tempfile.TemporaryDirectory(prefix="mutua-overload-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/shop.db"
        path = data.gowalla(folder, quick)
        with Recommender.open(url, settings=Settings()) as shop:
            shop.record_file(path / "train.txt")
            shop.learn(budget=0)
            requests = plans(folder, shop)["recommend"]
        seen: list[tuple[Load, Load]] = []
        for _ in range(rounds):
            with served(MUTUA, url, "/readyz") as port:
                load(port, requests, 32, seconds)
                top = load(port, requests, 32, seconds)
                seen.append((top, load(port, requests, connections, seconds, 2 * top["per_second"], DEADLINE)))
    details = {"maximum": [top for top, _ in seen], "twice": [twice for _, twice in seen]}
    return {"figures": rows(seen, seconds), "seeds": [0], "repeats": rounds, "details": details}


def rows(seen: list[tuple[Load, Load]], seconds: float) -> list[Figure]:
    """Returns the rows, medians over the rounds of the maximum and of what was seen at twice as much."""
    shares = [twice["timely"] / seconds / top["per_second"] for top, twice in seen]
    whole = [1 - (twice["linear"] + twice["popularity"]) / max(1, twice["timely"]) for _, twice in seen]
    offered = median([2 * top["per_second"] for top, _ in seen])
    refused = median([twice["refused"] / seconds for _, twice in seen])
    late = median([twice["p99_ms"] for _, twice in seen])
    said = f"({offered:,.0f} a second offered, {refused:,.0f} refused; p99 of answers {late:.0f} ms)"
    return [GOODPUT.seen(median(shares), said), WHOLE.seen(median(whole))]
