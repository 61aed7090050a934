"""Constraints on the order: caps per label and pins. Orders are positions within the pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable, Labels
from mutua.errors import UsageError

Order = npt.NDArray[np.intp]
Pool = npt.NDArray[np.int32]


def labels_of(caps: Mapping[str, int], catalog: AttributeTable) -> dict[str, npt.NDArray[np.int32]]:
    """Returns the label of every item, int32 [n], −1 where missing, by capped column.

    Raises:
        UsageError: code `usage`; a cap on a column that holds no labels.
    """
    return {name: _codes(name, catalog) for name in caps}


def capped(order: Order, pool: Pool, n: int, caps: Mapping[str, int], catalog: AttributeTable) -> Order:
    """Returns the first n of `order` that keep every cap; items without a label are never capped.

    Raises:
        UsageError: code `usage`; a cap on a column that holds no labels.
    """
    columns = labels_of(caps, catalog)
    used: Counter[tuple[str, int]] = Counter()
    kept: list[int] = []
    for place in order:
        labels = [(name, code) for name, codes in columns.items() if (code := int(codes[pool[place]])) >= 0]
        if len(kept) < n and all(used[label] < caps[label[0]] for label in labels):
            kept.append(int(place))
            used.update(labels)
    return np.array(kept, np.intp)


def pinned(items: Pool, pins: Mapping[int, int], n: int) -> Pool:
    """Returns int32 [≤ n], the items with each pin at its 1-based position, the others in order around them."""
    standing = set(pins.values())
    others = iter([item for item in items.tolist() if item not in standing])
    placed: list[int] = []
    for position in range(1, n + 1):
        item = pins.get(position, next(others, None) if position not in pins else None)
        if item is not None:
            placed.append(item)
    return np.array(placed, np.int32)


def _codes(name: str, catalog: AttributeTable) -> npt.NDArray[np.int32]:
    column = catalog.columns.get(name)
    if isinstance(column, Labels):
        return column.codes
    labels = sorted(key for key, value in catalog.columns.items() if isinstance(value, Labels))
    raise UsageError(
        f"a cap on {name!r}", f"a column with one label an item: {', '.join(labels) or '(none)'}", "cap one of these"
    )
