"""From a pool of candidates to the slate's items: boosts, diversity, exploration, caps, pins, and what each moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

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
Moves = tuple[Adjustment, ...]
UNMOVED: Iterable[Moves] = repeat(())
CERTAIN = (1.0,) * 1_000
"""The propensities of a slate that leaves nothing to chance, as many as it may have items."""


def best(snapshot: Snapshot, items: Items, scores: Floats, odds: Sequence[float]) -> Arranged:
    """Returns the items in their order; `odds` are the propensities of at least as many."""
    inner = items.tolist()
    return inner, _named(snapshot, inner, scores.tolist(), UNMOVED, odds)


def explored(
    snapshot: Snapshot, items: Items, scores: Floats, depth: int, pool: int, rate: float, chosen: explore.Picks
) -> Arranged:
    """Returns the first `depth` of a ranked pool, some of them by chance; `items` are as many as the picks go deep."""
    order, odds = explore.by_chance(range(len(items)), depth, pool, rate, chosen)
    ranked, values, shown = items.tolist(), scores.tolist(), order[:depth]
    inner = [ranked[was] for was in shown]
    moves = [_moved("explore", was - now) for now, was in enumerate(shown)]
    return inner, _named(snapshot, inner, [values[was] for was in shown], moves, odds)


def _named(
    snapshot: Snapshot, inner: list[int], scores: list[float], moves: Iterable[Moves], odds: Sequence[float]
) -> tuple[SlateItem, ...]:
    """The items under their outer ids; those whose names were forgotten left out."""
    outer = snapshot.items.outers(inner)
    if None in outer:
        rows = zip(outer, scores, moves, odds, strict=False)
        return tuple([SlateItem(name, score, move, odd) for name, score, move, odd in rows if name is not None])
    return tuple(map(SlateItem, outer, scores, moves, odds))  # type: ignore[arg-type]


@lru_cache(maxsize=1_024)
def _moved(stage: str, places: int) -> Moves:
    return (Adjustment(stage, places),) if places else ()


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
    return explore.by_chance(order.tolist(), depth, len(order), surface.explore, chosen)


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


def _moves(item: int, ranks: list[tuple[str, dict[int, int]]], outside: int) -> Moves:
    """What each stage did to an item; one that a stage left out stands at rank `outside`."""
    before = ranks[0][1].get(item, outside)
    moves = []
    for name, rank in ranks[1:]:
        after = rank.get(item, outside)
        if after != before:
            moves.append(Adjustment(name, before - after))
        before = after
    return tuple(moves)
