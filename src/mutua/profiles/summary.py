"""A history in a few lines: how much, since when, and the items that weigh most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.core.ids import Vocabulary
from mutua.profiles import fold
from mutua.profiles.history import History
from mutua.profiles.interests import LONG, fading

MOST_ITEMS = 10


@dataclass(frozen=True)
class ItemSummary:
    """What one item means to a user.

    Args:
        item: outer id; weight: long-term weight; times: target events on it.
        last: time of the newest of them, microseconds UTC, −1 if none.
    """

    item: str
    weight: float
    times: int
    last: int


@dataclass(frozen=True)
class HistorySummary:
    """What a user did.

    Args:
        events: all that count; exact: of these, how many are kept exactly (the others as sums).
        since: time of the oldest event kept exactly; last: of the newest; microseconds UTC, −1 if none.
        items: different items; top: the weightiest.
    """

    events: int
    exact: int
    since: int
    last: int
    items: int
    top: tuple[ItemSummary, ...]


def summary_of(
    history: History, type_weights: npt.ArrayLike, now: int, item_ids: Vocabulary
) -> tuple[HistorySummary, set[int]]:
    """Returns the summary of `history` at `now` (microseconds UTC), and the inner items that it names."""
    view = fold.view(history, fading(type_weights, LONG), now)
    strongest = np.lexsort((view.item, -view.weight))[:MOST_ITEMS]
    chosen = [int(row) for row in strongest if view.weight[row] > 0]
    top = tuple(
        ItemSummary(
            outer_id(item_ids, int(view.item[row])), float(view.weight[row]), int(view.count[row]), int(view.last[row])
        )
        for row in chosen
    )
    exact = len(history)
    newest = max(int(history.time[-1]) if exact else -1, history.tail.time if len(history.tail) else -1)
    summary = HistorySummary(
        events=exact + int(history.tail.count.sum()),
        exact=exact,
        since=int(history.time[0]) if exact else -1,
        last=newest,
        items=len(view.item),
        top=top,
    )
    return summary, {int(view.item[row]) for row in chosen}


def outer_id(item_ids: Vocabulary, item: int) -> str:
    """Returns the outer id of an inner item, or words for one that was forgotten."""
    outer = item_ids.outer(item) if item < len(item_ids) else None
    return "(forgotten)" if outer is None else outer
