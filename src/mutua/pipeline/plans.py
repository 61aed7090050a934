"""Plans in use: made once for a model and its settings, and kept in step with the catalogue item by item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mutua.catalog.columns import Rows
from mutua.catalog.growing import padded
from mutua.catalog.live import LiveTable, Mark
from mutua.pipeline.guards import Mask, banned_items, read_by
from mutua.pipeline.plan import Plan, open_items, pins_of
from mutua.snapshot import Snapshot

MOST = 256
"""Surfaces kept ready; callers may send ever new ones."""


@dataclass(frozen=True)
class Kept:
    """A plan, and the mark of the catalogue that it has come to."""

    plan: Plan
    mark: Mark


class Plans:
    """Plans by the name or the description of their surface."""

    def __init__(self) -> None:
        self._kept: dict[str | bytes, Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def ready(self, key: str | bytes, live: LiveTable) -> Plan | None:
        """Returns the plan of a surface where the catalogue stands as it did, else None."""
        kept = self._kept.get(key)
        return kept.plan if kept is not None and kept.mark == live.mark else None

    def get(self, key: str | bytes, live: LiveTable, snapshot: Snapshot, made: Callable[[], Plan]) -> Plan:
        """Returns the plan of a surface as of now.

        Args:
            made: makes it where there is none, or where the catalogue changed too much to follow.

        Cost: O(items that changed).
        """
        kept, mark = self._kept.get(key), live.mark
        changed = None if kept is None else live.since(kept.mark)
        if kept is None or changed is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            plan = made()
        else:
            plan = followed(kept.plan, live, changed, snapshot)
        self._kept[key] = Kept(plan, mark)
        return plan

    def clear(self) -> None:
        """Drops all plans, as for another model or other settings."""
        self._kept.clear()


def followed(plan: Plan, live: LiveTable, changed: Rows, snapshot: Snapshot) -> Plan:
    """Returns the plan after some items changed: what is kept back among them, and pins on items new to the shop."""
    rules = plan.surface.where
    found = banned_items(rules, live.rows(changed, read_by(rules)), len(changed))
    banned = _with(plan.banned, changed, found, len(snapshot.items))
    pins, ranked = pins_of(plan.surface, snapshot, banned), open_items(plan.model, snapshot, banned)
    return replace(plan, banned=banned, open_items=ranked, pins=pins)


def _with(banned: Mask | None, rows: Rows, found: Mask, size: int) -> Mask | None:
    if banned is None:
        if not found.any():
            return None
        banned = np.zeros(size, np.bool_)
    banned = padded(banned, size, False)
    banned[rows] = found
    return banned
