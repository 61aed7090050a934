"""From a pool of candidates to the slate's items: boosts, diversity, exploration, caps, pins, and what each moved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.pipeline import constraints, explore, rerank
from mutua.pipeline.plan import Plan
from mutua.slates import Adjustment, SlateItem
from mutua.snapshot import Items, Snapshot

Floats = npt.NDArray[np.float32]
Stage = tuple[str, Items]
"""A stage's name and the items in the order that it left them in."""
Arranged = tuple[list[int], tuple[SlateItem, ...]]
"""The inner index of each item of the slate, and the items."""


def best(snapshot: Snapshot, items: Items, scores: Floats, odds: tuple[float, ...]) -> Arranged:
    """Returns the items in their order; `odds` are their propensities, empty where nothing is left to chance."""
    inner = items.tolist()
    outer = snapshot.items.outers(inner)
    if odds:
        rows = zip(outer, scores.tolist(), odds, strict=False)
        return inner, tuple([SlateItem(o, s, (), p) for o, s, p in rows if o is not None])
    return inner, tuple([SlateItem(o, s) for o, s in zip(outer, scores.tolist(), strict=True) if o is not None])


def explored(snapshot: Snapshot, items: Items, scores: Floats, depth: int, rate: float, key: bytes) -> Arranged:
    """Returns the first `depth` of a ranked pool, some of them by chance."""
    pool = len(items)
    chosen = explore.picks(depth, pool, rate, key)
    order, odds = explore.by_chance(range(pool), depth, rate, chosen)
    shown = order[:depth]
    inner, values = items[shown].tolist(), scores[shown].tolist()
    rows = zip(snapshot.items.outers(inner), values, shown, odds, strict=True)
    return inner, tuple(
        [
            SlateItem(outer, score, (Adjustment("explore", was - now),) if was != now else (), chance)
            for now, (outer, score, was, chance) in enumerate(rows)
            if outer is not None
        ]
    )


def arranged(plan: Plan, snapshot: Snapshot, pool: Items, scores: Floats, n: int, key: bytes) -> Arranged:
    """Returns up to n items of a pool after every stage of the surface; guards are checked again at the end.

    Args:
        pool: int32 [p], best first; scores: float32 [p].
        key: what exploration draws from.

    Cost: O(n · p), O(p²) for diversity.
    """
    surface, catalog = plan.surface, snapshot.catalog
    stages: list[Stage] = [("score", pool)]
    order, propensity = np.arange(len(pool)), np.ones(len(pool))
    relevance = rerank.boosted(pool, scores, surface.boosts, catalog)
    if surface.boosts:
        order = np.argsort(-relevance, kind="stable")
        stages.append(("boost", pool[order]))
    if surface.diversity:
        order = rerank.diverse(relevance, rerank.likeness(pool, catalog, plan.model), n, surface.diversity)
        stages.append(("diversity", pool[order]))
    if surface.explore or surface.temperature:
        drawn, odds = _drawn(plan, order, relevance, min(n, len(pool)), key)
        order = np.array(drawn, np.intp)
        propensity[order[: len(odds)]] = odds
        stages.append(("explore", pool[order]))
    if surface.caps:
        order = constraints.capped(order, pool, n, surface.caps, catalog)
        stages.append(("cap", pool[order]))
    if plan.pins:
        stages.append(("pin", constraints.pinned(pool[order], plan.pins, n)))
    final = stages[-1][1][:n]
    shown = final if plan.banned is None else final[~plan.banned[final]]
    return shown.tolist(), _entries(snapshot, shown, pool, scores, propensity, stages)


def _drawn(
    plan: Plan, order: npt.NDArray[np.intp], relevance: Floats, depth: int, key: bytes
) -> tuple[list[int], list[float]]:
    surface = plan.surface
    if surface.temperature:
        return explore.plackett_luce(order, relevance, depth, surface.temperature, key)
    chosen = explore.picks(depth, len(order), surface.explore, key)
    return explore.by_chance(order.tolist(), depth, surface.explore, chosen)


def _entries(
    snapshot: Snapshot,
    shown: Items,
    pool: Items,
    scores: Floats,
    propensity: npt.NDArray[np.float64],
    stages: list[Stage],
) -> tuple[SlateItem, ...]:
    """The slate's items; one that a pin brought from outside the pool has score 0."""
    ranks = [(name, {item: rank for rank, item in enumerate(items.tolist())}) for name, items in stages]
    entries = []
    for item, outer in zip(shown.tolist(), snapshot.items.outers(shown.tolist()), strict=True):
        if outer is not None:
            at = ranks[0][1].get(item)
            score, odds = (0.0, 1.0) if at is None else (float(scores[at]), float(propensity[at]))
            entries.append(SlateItem(outer, score, _moves(item, ranks, len(pool)), odds))
    return tuple(entries)


def _moves(item: int, ranks: list[tuple[str, dict[int, int]]], outside: int) -> tuple[Adjustment, ...]:
    """What each stage did to an item; one that a stage left out stands at rank `outside`."""
    before = ranks[0][1].get(item, outside)
    moves = []
    for name, rank in ranks[1:]:
        after = rank.get(item, outside)
        if after != before:
            moves.append(Adjustment(name, before - after))
        before = after
    return tuple(moves)
