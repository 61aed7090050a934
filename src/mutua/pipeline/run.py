"""The pipeline: candidates → guards and rules → rank → explore → constraints, guards checked again on the slate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.core.seeds import stream
from mutua.errors import UsageError
from mutua.models.base import Model, Ranks, Repeats
from mutua.models.topn import top_n
from mutua.pipeline import constraints, rerank
from mutua.pipeline.exclude import NOTHING, seen_items
from mutua.pipeline.explore import explored
from mutua.pipeline.guards import Mask, banned_items
from mutua.pipeline.rules import matches, parse_rule
from mutua.pipeline.spec import Surface
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Views
from mutua.slates import Adjustment, Slate, SlateItem, new_id
from mutua.snapshot import Snapshot

Items = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Stage = tuple[str, Items]
"""A stage's name and the items in the order that it left them in."""

NO_MODEL = Encoder.of((1.0,))
LONGEST = 1_000
"""Items that one slate may have."""
POOL = 2_000
"""Candidates that later stages choose from at most; diversity compares each with each."""


@dataclass(frozen=True)
class Plan:
    """A surface made ready for one model and catalogue, reused by every request until either changes.

    Args:
        surface: what was asked for; name: what it is called.
        model: None before any was learned.
        ranks: the same, where it has a way to its best items.
        again: bool [n_items], items that people come back for, or None where the model does not say.
        banned: bool [items in the vocabulary], what guards or rules keep from everyone; None for nothing.
        pins: inner item by 1-based position; never a banned one, and each item once.
    """

    surface: Surface
    name: str
    model: Model | None
    ranks: Ranks | None
    again: Mask | None
    banned: Mask | None
    pins: Mapping[int, int]


def prepared(surface: Surface, model: Model | None, snapshot: Snapshot, name: str = "default") -> Plan:
    """Returns the plan of a surface; its rules, caps and boosts are checked here, once.

    Raises:
        UsageError: code `usage`; a rule, cap or boost that does not fit the catalogue.

    Cost: O(items) for each rule.
    """
    for boost in surface.boosts:
        matches(parse_rule(boost.where), snapshot.catalog)
    constraints.labels_of(surface.caps, snapshot.catalog)
    known = len(snapshot.popularity) if model is None else model.n_items
    found = banned_items(surface.where, snapshot.catalog, max(known, len(snapshot.items)))
    banned = found if found.any() else None
    return Plan(
        surface,
        name,
        model,
        model if isinstance(model, Ranks) else None,
        _returned_to(model),
        banned,
        pins_of(surface, snapshot, banned),
    )


def recommend(plan: Plan, snapshot: Snapshot, n: int, seed: int = 0, omitted: Items = NOTHING) -> Slate:
    """Returns the slate of up to n items for the snapshot's user.

    Args:
        omitted: int32 [m], items that this slate leaves out whatever the surface says; pins are not left out.

    An unknown user, an empty history or no model at all is answered by what the model says of nobody in particular,
    in the end by popularity; the slate's notes say so.

    Raises:
        UsageError: code `usage`; n below 1 or above 1,000.

    Cost: one fold and one ranking for a plain surface; O(n · pool) beyond that, O(pool²) for diversity.
    """
    _check(n)
    surface = plan.surface
    encoder = NO_MODEL if plan.model is None else plan.model.encoder
    views = fold.view(snapshot.history, encoder, snapshot.now, snapshot.attributes)
    excluded = seen_items(surface.exclude, plan.again, views)
    excluded = np.concatenate((excluded, omitted)) if len(omitted) else excluded
    wanted = n if surface.plain else min(n * surface.pool, max(n, POOL))
    items, scores = _candidates(plan, snapshot, views, wanted, excluded)
    if surface.plain:
        inner = items.tolist()
        outer = snapshot.items.outers(inner)
        entries = tuple([SlateItem(o, s) for o, s in zip(outer, scores.tolist(), strict=True) if o is not None])
    else:
        inner = []
        entries = _arranged(plan, snapshot, items, scores, n, seed)
    return Slate(
        new_id(),
        snapshot.user,
        entries,
        plan.name,
        snapshot.model_version,
        snapshot.version,
        snapshot.now,
        _notes(plan.model, snapshot, views, len(entries), n),
        tuple(inner) if len(inner) == len(entries) else (),
    )


def similar(model: Model, snapshot: Snapshot, item: int, n: int) -> Slate:
    """Returns up to n items most like an item; those that guards keep back or that are not alike at all left out.

    Raises:
        UsageError: code `usage`; n below 1 or above 1,000.
    """
    _check(n)
    banned = banned_items((), snapshot.catalog, model.n_items)[: model.n_items]
    items, scores = top_n(model.similar(item), n, banned)
    outer = snapshot.items.outers(items.tolist())
    alike = zip(outer, scores.tolist(), strict=True)
    entries = tuple(SlateItem(name, score) for name, score in alike if name is not None and score > 0)
    notes = (snapshot.note,) if snapshot.note else ()
    return Slate(new_id(), None, entries, "similar", snapshot.model_version, 0, snapshot.now, notes)


def _returned_to(model: Model | None) -> Mask | None:
    if not isinstance(model, Repeats):
        return None
    again = model.repeatable()
    return again if again.any() else None


def _check(n: int) -> None:
    if not 1 <= n <= LONGEST:
        raise UsageError(f"a slate of {n} items", f"1 to {LONGEST:,} items", "ask for a number within the range")


def pins_of(surface: Surface, snapshot: Snapshot, banned: Mask | None) -> dict[int, int]:
    """Returns inner items by position, the topmost of each; items that are unknown or banned are not pinned."""
    found: dict[int, int] = {}
    for position, outer in sorted(surface.pins.items()):
        item = snapshot.items.get(outer)
        if item is not None and not (banned is not None and banned[item]) and item not in found.values():
            found[position] = item
    return found


def _candidates(plan: Plan, snapshot: Snapshot, views: Views, n: int, excluded: Items) -> tuple[Items, Floats]:
    size = len(snapshot.popularity) if plan.model is None else plan.model.n_items
    banned = None if plan.banned is None else plan.banned[:size]
    if plan.ranks is not None:
        return plan.ranks.top(views, n, excluded, banned)
    row = snapshot.popularity if plan.model is None else plan.model.score(views)[0]
    out = np.zeros(size, np.bool_) if banned is None else banned.copy()
    out[excluded[excluded < size]] = True
    return top_n(row, n, out)


def _arranged(plan: Plan, snapshot: Snapshot, pool: Items, scores: Floats, n: int, seed: int) -> tuple[SlateItem, ...]:
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
    if surface.explore:
        rng = stream(seed, "explore", snapshot.user or "", snapshot.version, snapshot.now)
        order, odds, _ = explored(order, n, surface.explore, rng)
        propensity[order[: len(odds)]] = odds
        stages.append(("explore", pool[order]))
    if surface.caps:
        order = constraints.capped(order, pool, n, surface.caps, catalog)
        stages.append(("cap", pool[order]))
    if plan.pins:
        stages.append(("pin", constraints.pinned(pool[order], plan.pins, n)))
    final = stages[-1][1][:n]
    shown = final if plan.banned is None else final[~plan.banned[final]]
    return _entries(snapshot, shown, pool, scores, propensity, stages)


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


def _notes(model: Model | None, snapshot: Snapshot, views: Views, found: int, n: int) -> tuple[str, ...]:
    if model is not None and found == n and len(views.item) and not snapshot.note:
        return ()
    notes = [snapshot.note] if snapshot.note else []
    if model is None:
        notes.append("no model has been learned: ordered by popularity")
    elif not len(views.item):
        known = views.attributes is not None and bool(views.attributes.any())
        notes.append(f"no history: ordered by {'attributes and ' if known else ''}what holds for everyone")
    if found < n:
        notes.append(f"{found} of {n} items: the others are excluded, out of stock or do not match the rules")
    return tuple(notes)
