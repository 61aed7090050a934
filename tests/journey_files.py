"""The demo's data in miniature, as files of the package's columns."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from mutua.core.seeds import stream

HOUSEHOLDS, PRODUCTS, BASKETS = 24, 30, 40


def written_journey(folder: Path) -> Path:
    """Writes files of the package's columns: households of two tastes who come back to a few products."""
    rng = stream(0, "journey")
    rows = []
    for household in range(1, HOUSEHOLDS + 1):
        for basket in range(BASKETS):
            at = datetime(2017, 6, 1) + timedelta(days=3 * basket, minutes=household)
            taken = rng.integers(0, 6, 2) * 4 + household % 2 + rng.integers(0, 2, 2) * 2
            rows += [(household, basket * 100 + household, 1000 + int(product), 1.5, at) for product in taken]
    columns = ["household_id", "basket_id", "product_id", "sales_value", "transaction_timestamp"]
    pl.DataFrame(rows, schema=columns, orient="row").unique().write_parquet(folder / "transactions.parquet")
    numbers = range(PRODUCTS)
    pl.DataFrame(
        {
            "product_id": [1000 + number for number in numbers],
            "manufacturer_id": [1] * PRODUCTS,
            "department": ["GROCERY" if number % 2 else "DELI" for number in numbers],
            "brand": ["Private" if number % 3 else "National" for number in numbers],
            "product_category": [f"KIND {number % 5}" for number in numbers],
            "product_type": [None if number == 3 else f"PRODUCT {number}" for number in numbers],
            "package_size": [None if number % 2 else "1 LB" for number in numbers],
        }
    ).write_parquet(folder / "products.parquet")
    pl.DataFrame(
        {"household_id": list(range(1, 13)), "age": ["35-44", "65+"] * 6, "income": ["50-74K"] * 12}
    ).write_parquet(folder / "demographics.parquet")
    return folder
