"""Whether and to what people come back, and the rows that the repeat term learns from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY
from mutua.events.interactions import Interactions
from mutua.models.base import TrainingData
from mutua.models.joint import repeat
from mutua.models.joint.model import NEAR, USUAL
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder

RETURNING = 0.05
"""Share of target events on items had before, from which a repeat term is learned."""
WINDOWS = 13
"""The repeat term learns from the last of this many windows that the data divide into."""
LONGEST = 28 * DAY
CATEGORIES = ("department", "category", "product_category", "product_type")
"""Groupings of items that the rates of coming back are shrunk towards, from coarse to fine."""


def usual_gap(rows: Interactions) -> float:
    """Returns the median time between two target events of a user, microseconds; rows are grouped by user."""
    kept = rows.take(rows.is_target)
    same = np.diff(kept.user) == 0
    return float(np.median(np.diff(kept.time)[same])) if same.any() else 0.0


def usual_return(rows: Interactions) -> float:
    """Returns the median time until a user's next target event on an item, microseconds; 0 where nobody returns."""
    kept = rows.take(rows.is_target)
    kept = kept.take(np.lexsort((kept.time, kept.item, kept.user)))
    same = (np.diff(kept.user) == 0) & (np.diff(kept.item) == 0)
    return float(np.median(np.diff(kept.time)[same])) if same.any() else 0.0


def returned_to(rows: Interactions, items: AttributeTable, n_items: int) -> npt.NDArray[np.bool_]:
    """Returns bool [n]: items of a category that at least one in ten came back to; one for all where there is none."""
    kept = rows.take(rows.is_target)
    pairs = kept.user.astype(np.int64) * n_items + kept.item
    unique, counts = np.unique(pairs, return_counts=True)
    codes = _category(items, n_items)
    groups = codes[unique % n_items]
    size = int(codes.max()) + 1
    came_back = np.bincount(groups, counts > 1, size) / np.maximum(np.bincount(groups, minlength=size), 1)
    return np.asarray(came_back[codes] >= 0.1)


def repeat_term(data: TrainingData, encoder: Encoder) -> repeat.Repeat:
    """Returns the repeat term, learned from the last windows of the data.

    A window is the thirteenth part of the time that nearly all events span, at most 28 days.
    """
    rows = data.interactions.take(data.interactions.weight > 0)
    oldest = int(np.quantile(rows.time, 0.01))
    window = min((data.now - oldest) // WINDOWS, LONGEST)
    groups = [data.items.labels(name) for name in CATEGORIES]
    codes = [_padded(column.codes, data.n_items) for column in groups if column is not None]
    before, last = (_pairs(rows, encoder, data.now - back * window, window) for back in (2, 1))
    return repeat.learn(before, last, codes, data.n_items)


def _pairs(rows: Interactions, encoder: Encoder, cut: int, window: int) -> repeat.Pairs:
    past = rows.take(rows.time < cut)
    views = fold.views(past, encoder, cut)
    after = rows.take((rows.time >= cut) & (rows.time <= cut + window) & rows.is_target)
    size = max(rows.n_items, 1)
    owner = np.repeat(np.arange(len(views), dtype=np.int64), np.diff(views.start))
    taken = np.isin(owner * size + views.item, after.user.astype(np.int64) * size + after.item)
    return repeat.pairs(views, views.extra[NEAR], views.extra[USUAL], taken)


def _category(items: AttributeTable, n_items: int) -> npt.NDArray[np.int64]:
    """Codes 0, 1 … of every item; those without a category share one of their own."""
    column = items.labels("category")
    codes = np.full(n_items, -1, np.int32) if column is None else _padded(column.codes, n_items)
    return codes.astype(np.int64) + 1


def _padded(codes: npt.NDArray[np.int32], n_items: int) -> npt.NDArray[np.int32]:
    return np.concatenate((codes, np.full(n_items - len(codes), -1, np.int32)))[:n_items]
