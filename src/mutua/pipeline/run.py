"""The pipeline: candidates → guards and rules → rank → explore → constraints, guards checked again on the slate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AVAILABLE, AttributeTable
from mutua.core.seeds import stream
from mutua.models.base import Model, Ranks, Repeats
from mutua.models.topn import top_n
from mutua.pipeline import constraints, rerank
from mutua.pipeline.exclude import seen_items
from mutua.pipeline.explore import explored
from mutua.pipeline.rules import matches, parse_rule
from mutua.pipeline.spec import Surface
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Views
from mutua.slates import Adjustment, Slate, SlateItem
from mutua.snapshot import Snapshot

Items = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NO_MODEL = Encoder.of((1.0,))


@dataclass(frozen=True)
class Plan:
    """A surface made ready for one model and catalogue, reused by every request until either changes.

    Args:
        surface: what was asked for; name: what it is called.
        model: None before any was learned.
        ranks: the same, where it has a way to its best items.
        again: bool [n_items], items that people come back for, or None where the model does not say.
        banned: bool [n_items], items that guards or rules keep from everyone, or None.
        pins: inner item by 1-based position.
    """

    surface: Surface
    name: str
    model: Model | None
    ranks: Ranks | None
    again: Mask | None
    banned: Mask | None
    pins: Mapping[int, int]


def prepared(surface: Surface, model: Model | None, snapshot: Snapshot, name: str = "default") -> Plan:
    """Returns the plan of a surface; its rules are checked here, once.

    Raises:
        UsageError: code `usage`; a rule, cap or boost that does not fit the catalogue.
    """
    size = len(snapshot.popularity) if model is None else model.n_items
    banned = _banned(surface, snapshot.catalog, size)
    for boost in surface.boosts:
        matches(parse_rule(boost.where), snapshot.catalog)
    pins = {position: snapshot.items.get(item) for position, item in surface.pins.items()}
    return Plan(
        surface,
        name,
        model,
        model if isinstance(model, Ranks) else None,
        model.repeatable() if isinstance(model, Repeats) else None,
        banned if banned.any() else None,
        {position: item for position, item in pins.items() if item is not None},
    )


def recommend(plan: Plan, snapshot: Snapshot, n: int, seed: int = 0) -> Slate:
    """Returns the slate of up to n items for the snapshot's user.

    An unknown user, an empty history or no model at all is answered by what the model says of nobody in particular,
    in the end by popularity; the slate's notes say so.

    Cost: one fold and one ranking for a plain surface; O(pool²) beyond that for diversity.
    """
    surface = plan.surface
    encoder = NO_MODEL if plan.model is None else plan.model.encoder
    views = fold.view(snapshot.history, encoder, snapshot.now, snapshot.attributes)
    excluded = seen_items(surface.exclude, plan.again, views)
    items, scores = _candidates(plan, snapshot, views, n if surface.plain else n * surface.pool, excluded)
    if surface.plain:
        outer = snapshot.items.outers(items.tolist())
        entries = tuple([SlateItem(o, s) for o, s in zip(outer, scores.tolist(), strict=True) if o is not None])
    else:
        entries = _arranged(plan, snapshot, items, scores, n, seed)
    return Slate(
        secrets.token_hex(8),
        snapshot.user,
        entries,
        plan.name,
        snapshot.model_version,
        snapshot.version,
        snapshot.now,
        _notes(plan.model, views, len(entries), n),
    )


def similar(model: Model, snapshot: Snapshot, item: int, n: int) -> Slate:
    """Returns the n items most like an item, those that guards keep back left out."""
    banned = _banned(Surface(), snapshot.catalog, model.n_items)
    items, scores = top_n(model.similar(item), n, banned)
    outer = snapshot.items.outers(items.tolist())
    entries = tuple(SlateItem(o, s) for o, s in zip(outer, scores.tolist(), strict=True) if o is not None)
    return Slate(secrets.token_hex(8), None, entries, "similar", snapshot.model_version, 0, snapshot.now)


def _candidates(plan: Plan, snapshot: Snapshot, views: Views, n: int, excluded: Items) -> tuple[Items, Floats]:
    if plan.ranks is not None:
        return plan.ranks.top(views, n, excluded, plan.banned)
    row = snapshot.popularity if plan.model is None else plan.model.score(views)[0]
    out = np.zeros(len(row), np.bool_) if plan.banned is None else plan.banned.copy()
    out[excluded[excluded < len(row)]] = True
    return top_n(row, n, out)


def _arranged(plan: Plan, snapshot: Snapshot, pool: Items, scores: Floats, n: int, seed: int) -> tuple[SlateItem, ...]:
    surface, catalog = plan.surface, snapshot.catalog
    stages: list[tuple[str, npt.NDArray[np.intp]]] = [("score", np.arange(len(pool)))]
    relevance = rerank.boosted(pool, scores, surface.boosts, catalog)
    if surface.boosts:
        stages.append(("boost", np.argsort(-relevance, kind="stable")))
    if surface.diversity:
        order = rerank.diverse(relevance, rerank.likeness(pool, catalog, plan.model), n, surface.diversity)
        stages.append(("diversity", order))
    order, propensity = stages[-1][1], np.ones(len(pool))
    if surface.explore:
        rng = stream(seed, "explore", snapshot.user or "", snapshot.version, snapshot.now)
        order, odds, _ = explored(order, n, surface.explore, rng)
        propensity[order[: len(odds)]] = odds
        stages.append(("explore", order))
    if surface.caps:
        stages.append(("cap", constraints.capped(order, pool, n, surface.caps, catalog)))
    return _entries(plan, snapshot, pool, scores, propensity, stages, n)


def _entries(
    plan: Plan,
    snapshot: Snapshot,
    pool: Items,
    scores: Floats,
    propensity: npt.NDArray[np.float64],
    stages: list[tuple[str, npt.NDArray[np.intp]]],
    n: int,
) -> tuple[SlateItem, ...]:
    final = constraints.pinned(pool[stages[-1][1]], plan.pins, n)
    if plan.banned is not None:
        final = final[~plan.banned[final]]
    place = {int(item): at for at, item in enumerate(pool)}
    ranks = [(name, {int(at): rank for rank, at in enumerate(order)}) for name, order in stages]
    pins = set(plan.pins.values())
    entries = []
    for rank, item in enumerate(final.tolist()):
        at, outer = place.get(item), snapshot.items.outer(item)
        if outer is None:
            continue
        score = 0.0 if at is None else float(scores[at])
        moves = () if at is None else _moves(at, ranks)
        if item in pins:
            before = len(pool) if at is None else ranks[-1][1].get(at, len(pool))
            moves = (*moves, Adjustment("pin", before - rank))
        entries.append(SlateItem(outer, score, moves, 1.0 if at is None else float(propensity[at])))
    return tuple(entries)


def _moves(at: int, ranks: list[tuple[str, dict[int, int]]]) -> tuple[Adjustment, ...]:
    moves, before = [], at
    for name, rank in ranks[1:]:
        if at in rank and rank[at] != before:
            moves.append(Adjustment(name, before - rank[at]))
            before = rank[at]
    return tuple(moves)


def _banned(surface: Surface, catalog: AttributeTable, size: int) -> Mask:
    banned = np.zeros(max(size, catalog.size), np.bool_)
    stock = catalog.numbers(AVAILABLE)
    if stock is not None:
        banned[: catalog.size] |= stock.values == 0
    for text in surface.where:
        allowed = matches(parse_rule(text), catalog)
        banned[: catalog.size] |= ~allowed
        banned[catalog.size :] = True
    return banned[:size]


def _notes(model: Model | None, views: Views, found: int, n: int) -> tuple[str, ...]:
    if model is not None and found == n and len(views.item):
        return ()
    notes = []
    if model is None:
        notes.append("no model has been learned: ordered by popularity")
    elif not len(views.item):
        notes.append("no history: ordered by what holds for everyone")
    if found < n:
        notes.append(f"{found} of {n} items: the others are excluded, out of stock or do not match the rules")
    return tuple(notes)
