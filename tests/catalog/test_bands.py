"""Price bands within categories."""

from __future__ import annotations

import numpy as np

from mutua.catalog.bands import BANDS, PRICE_BAND, price_bands, with_price_bands
from mutua.catalog.table import AttributeTable, Labels, Numbers


def shop(prices: list[float], categories: list[int] | None = None) -> AttributeTable:
    columns: dict[str, Numbers | Labels] = {"price": Numbers(np.array(prices, np.float32))}
    if categories is not None:
        columns["category"] = Labels(np.array(categories, np.int32), ("wine", "bread"))
    return AttributeTable(len(prices), columns)


def test_bands_are_thirds_of_each_category() -> None:
    prices = [*range(30, 60), *range(1, 31)]
    bands = price_bands(shop([float(price) for price in prices], [0] * 30 + [1] * 30))
    assert bands is not None
    assert bands.levels == BANDS
    assert bands.codes.tolist() == ([0] * 10 + [1] * 10 + [2] * 10) * 2


def test_equal_prices_are_in_the_middle() -> None:
    bands = price_bands(shop([5.0] * 7))
    assert bands is not None
    assert set(bands.codes.tolist()) == {1}


def test_small_categories_are_banded_together() -> None:
    bands = price_bands(shop([1.0, 2.0, 3.0, 10.0, 20.0, 30.0], [0, 0, 0, 1, 1, 1]))
    assert bands is not None
    assert bands.codes.tolist() == [0, 0, 1, 1, 2, 2]


def test_missing_prices_have_no_band() -> None:
    table = with_price_bands(shop([1.0, np.nan, 3.0], [-1, 0, 1]))
    bands = table.labels(PRICE_BAND)
    assert bands is not None
    assert bands.codes.tolist() == [0, -1, 2]
    nothing = shop([np.nan, np.nan])
    assert price_bands(nothing) is None
    assert with_price_bands(nothing) is nothing
    assert with_price_bands(AttributeTable(3)).columns == {}
