"""Price bands: what is cheap or dear among its own kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from mutua.catalog.table import CATEGORY, PRICE, AttributeTable, Labels

PRICE_BAND = "price band"
BANDS = ("budget", "mid-range", "premium")
LEAST_ITEMS = 10
"""Priced items that a category needs for bands of its own; smaller ones are banded together."""


def price_bands(items: AttributeTable, bands: Sequence[str] = BANDS) -> Labels | None:
    """Returns the band of every item by quantile of price within its category, or None where no item has a price.

    Equal prices share a band; where all prices of a category are equal, it is the middle one.

    Example:
        >>> from mutua.catalog.table import Numbers
        >>> prices = Numbers(np.array([1, 2, 3, np.nan], np.float32))
        >>> [BANDS[code] if code >= 0 else None for code in price_bands(AttributeTable(4, {"price": prices})).codes]
        ['budget', 'mid-range', 'premium', None]
    """
    prices = items.numbers(PRICE)
    if prices is None or not np.isfinite(prices.values).any():
        return None
    priced = np.flatnonzero(np.isfinite(prices.values))
    group = _groups(items, priced)
    codes = np.full(items.size, -1, np.int32)
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        quantile = (rankdata(prices.values[priced[rows]]) - 0.5) / len(rows)
        codes[priced[rows]] = np.minimum((quantile * len(bands)).astype(np.int32), len(bands) - 1)
    return Labels(codes, tuple(bands))


def with_price_bands(items: AttributeTable) -> AttributeTable:
    """Returns the table with a column `price band`, or as it is where no item has a price."""
    bands = price_bands(items)
    return items if bands is None else replace(items, columns={**items.columns, PRICE_BAND: bands})


def _groups(items: AttributeTable, priced: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
    categories = items.labels(CATEGORY)
    if categories is None:
        return np.zeros(len(priced), np.int32)
    group = categories.codes[priced]
    sizes = np.bincount(group + 1, minlength=len(categories.levels) + 1)
    return np.where(sizes[group + 1] < LEAST_ITEMS, -1, group).astype(np.int32)
