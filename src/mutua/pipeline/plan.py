"""A surface made ready for one model and catalogue, reused by every request until either changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mutua.models.base import Model, Ranks, Repeats
from mutua.pipeline import constraints
from mutua.pipeline.guards import Mask, banned_items
from mutua.pipeline.rules import matches, parse_rule
from mutua.pipeline.spec import Surface
from mutua.snapshot import Snapshot


@dataclass(frozen=True)
class Plan:
    """What requests of one surface have in common.

    Args:
        surface: what was asked for; name: what it is called.
        model: None before any was learned, and where popularity ranks.
        ranks: the same, where it has a way to its best items.
        again: bool [n_items], items that people come back for, or None where the model does not say.
        banned: bool [items in the vocabulary], what guards or rules keep from everyone; None for nothing.
        open_items: how many items can be ranked for somebody who has seen none.
        pins: inner item by 1-based position; never a banned one, and each item once.
        direct: whether the best n by score are the answer, exploring aside.
    """

    surface: Surface
    name: str
    model: Model | None
    ranks: Ranks | None
    again: Mask | None
    banned: Mask | None
    open_items: int
    pins: Mapping[int, int]
    direct: bool


def prepared(surface: Surface, model: Model | None, snapshot: Snapshot, name: str = "default") -> Plan:
    """Returns the plan of a surface; its rules, caps and boosts are checked here, once.

    Raises:
        UsageError: code `usage`; a rule, cap or boost that does not fit the catalogue.

    Cost: O(items) for each rule.
    """
    for boost in surface.boosts:
        matches(parse_rule(boost.where), snapshot.catalog)
    constraints.labels_of(surface.caps, snapshot.catalog)
    known = scored_items(model, snapshot)
    found = banned_items(surface.where, snapshot.catalog, max(known, len(snapshot.items)))
    banned = found if found.any() else None
    return Plan(
        surface,
        name,
        model,
        model if isinstance(model, Ranks) else None,
        _returned_to(model),
        banned,
        open_items(model, snapshot, banned),
        pins_of(surface, snapshot, banned),
        surface.plain and surface.ranks_all,
    )


def scored_items(model: Model | None, snapshot: Snapshot) -> int:
    """Returns how many items have a score: by the model, or by popularity without one."""
    return len(snapshot.popularity) if model is None else model.n_items


def open_items(model: Model | None, snapshot: Snapshot, banned: Mask | None) -> int:
    """Returns how many items can be ranked for somebody who has seen none."""
    known = scored_items(model, snapshot)
    return known if banned is None else known - int(np.count_nonzero(banned[:known]))


def pins_of(surface: Surface, snapshot: Snapshot, banned: Mask | None) -> dict[int, int]:
    """Returns inner items by position, the topmost of each; items that are unknown or banned are not pinned."""
    found: dict[int, int] = {}
    for position, outer in sorted(surface.pins.items()):
        item = snapshot.items.get(outer)
        if item is not None and not (banned is not None and banned[item]) and item not in found.values():
            found[position] = item
    return found


def _returned_to(model: Model | None) -> Mask | None:
    if not isinstance(model, Repeats):
        return None
    again = model.repeatable()
    return again if again.any() else None
