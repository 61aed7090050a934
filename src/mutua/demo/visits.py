"""The last weeks of the demo's year, kept back from its store: baskets that shoppers have yet to fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from mutua.core.clock import SECOND
from mutua.demo.journey import TIME, bought, described, sources
from mutua.recommender import Recommender

KEPT_BACK = datetime(2017, 12, 1)
"""From here on the shoppers of the demo are on their own."""
Stages = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True)
class Visit:
    """One basket.

    Args:
        user: the household; basket: its number; time: seconds since 1970.
        items: products and what was paid for each.
    """

    user: str
    basket: str
    time: float
    items: tuple[tuple[str, float], ...]

    def events(self, slate: str) -> list[dict[str, Any]]:
        """Returns the purchases as events, with ids by which they are written once, and the slate they followed."""
        said = {"user": self.user, "type": "purchase", "time": self.time, "session": self.basket, "slate": slate}
        return [
            {**said, "id": f"{self.basket}-{place}", "item": item, "value": value}
            for place, (item, value) in enumerate(self.items)
        ]


@dataclass(frozen=True)
class ToCome:
    """What happens in the shop after its store was made.

    Args:
        visits: in order of time; names: words for products.
        news: products that nobody had bought before, as lines of `POST /v1/items`.
    """

    visits: tuple[Visit, ...]
    names: Mapping[str, str]
    news: tuple[dict[str, Any], ...]


def stock(url: str, users: int | None, stages: Stages, **options: Any) -> None:
    """Makes the store of the shop: everything before `KEPT_BACK` recorded, and a model learned.

    Args:
        users: households to keep, None for all; options: as `Recommender.open`.

    Raises:
        MissingExtra: code `extra.missing`; the package of the data is not installed.
    """
    with TemporaryDirectory(prefix="mutua-demo-") as folder, Recommender.open(url, **options) as shop:
        with stages("record the year"):
            for source in sources(Path(folder), users, until=KEPT_BACK):
                shop.record_file(source.path, mapping=source.mapping, role=source.role)
        with stages("learn"):
            shop.learn()


def to_come(users: int | None, after: int) -> ToCome:
    """Returns what has yet to happen.

    Args:
        users: as for `stock`; after: microseconds UTC, the time of the newest event that is recorded already.
    """
    every, products = bought(users), described()
    late = every.filter((pl.col(TIME) >= KEPT_BACK) & (pl.col(TIME).dt.epoch("us") > after)).sort(
        TIME, "basket_id", "product_id"
    )
    sold = every.filter(pl.col(TIME) < KEPT_BACK)
    fresh = products.join(late, left_on="item", right_on="product_id", how="semi")
    fresh = fresh.join(sold, left_on="item", right_on="product_id", how="anti")
    baskets = late.group_by("household_id", "basket_id", maintain_order=True).agg(
        pl.col(TIME).first().dt.epoch("us"), "product_id", "sales_value"
    )
    visits = tuple(
        Visit(str(user), str(basket), time / SECOND, tuple(zip(map(str, items), values, strict=True)))
        for user, basket, time, items, values in baskets.iter_rows()
    )
    names = dict(zip(map(str, products["item"]), products["title"], strict=True))
    return ToCome(visits, names, tuple(_line(row) for row in fresh.iter_rows(named=True)))


def _line(row: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in row.items() if name != "item" and value is not None}
    return {"item": str(row["item"]), "attributes": said, "time": KEPT_BACK.isoformat() + "Z", "source": "file"}
