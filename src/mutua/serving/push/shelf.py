"""What stands of every item in the few attributes that triggers look at, in 22 bytes an item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from mutua.catalog.facts import Facts
from mutua.catalog.table import CATEGORY, PRICE
from mutua.profiles.facts import is_number

NOT_THERE = frozenset(
    {"", "0", "false", "no", "none", "out", "out of stock", "sold out", "unavailable", "discontinued"}
)
"""Texts that say that an item is not in stock, in lower case, `-` and `_` read as spaces."""
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Shown:
    """What a shop says of an item: a price above 0 and whether it is in stock, None where unknown; its categories."""

    price: float | None = None
    in_stock: bool | None = None
    categories: tuple[str, ...] = ()


def in_stock(attributes: Mapping[str, Any], names: Iterable[str]) -> bool | None:
    """Returns whether an item is there, by the first attribute of `names` that is known; None where none is.

    Example:
        >>> in_stock({"stock": 3}, ("available", "stock")), in_stock({"available": "sold-out"}, ("available",))
        (True, False)
    """
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str):
            return value.strip().lower().replace("-", " ").replace("_", " ") not in NOT_THERE
        if value is not None:
            return value > 0 if is_number(value) else bool(value)
    return None


def categories(value: object) -> tuple[str, ...]:
    """Returns the categories that an attribute names: one text, or several."""
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(str(one) for one in value))
    return () if value is None else (str(value),)


def price(value: Any) -> float | None:
    """Returns a price above 0, None for anything else."""
    return float(value) if is_number(value) and isfinite(value) and value > 0 else None


class Shelf:
    """What stands, by inner index of the item. The last to speak counts, whatever the source; null withdraws.

    Args:
        stock: attributes that say whether an item is there; the first one that a statement names decides.
    """

    def __init__(self, stock: Sequence[str]) -> None:
        self._stock_names = tuple(stock)
        self._levels: list[tuple[str, ...]] = [()]
        self._codes: dict[tuple[str, ...], int] = {(): 0}
        self._price: npt.NDArray[np.float64] = np.empty(0)
        self._stock = np.empty(0, np.int8)
        self._category = np.empty(0, np.int32)
        self._time = np.empty(0, np.int64)

    def shown(self, item: int) -> Shown | None:
        """Returns what stands of an item, None where nothing was said of it."""
        if not 0 <= item < len(self._time) or self._time[item] == UNKNOWN:
            return None
        amount, stock = float(self._price[item]), int(self._stock[item])
        known_stock = None if stock == UNKNOWN else stock > 0
        return Shown(amount if isfinite(amount) else None, known_stock, self.categories(item))

    def categories(self, item: int) -> tuple[str, ...]:
        """Returns the categories of an item."""
        return self._levels[self._category[item]] if 0 <= item < len(self._time) else ()

    def say(self, item: int, attributes: Mapping[str, Any], time: int) -> tuple[Shown | None, Shown]:
        """Takes a statement and returns what stood before and what stands now; one older than the last changes nothing.

        Args:
            time: microseconds UTC, not negative.
        """
        before = self.shown(item)
        after = before or Shown()
        if before is not None and time < self._time[item]:
            return before, before
        if PRICE in attributes:
            after = replace(after, price=price(attributes[PRICE]))
        if CATEGORY in attributes:
            after = replace(after, categories=categories(attributes[CATEGORY]))
        if any(name in attributes for name in self._stock_names):
            after = replace(after, in_stock=in_stock(attributes, self._stock_names))
        self._put(item, after, time)
        return before, after

    def load(self, said: Mapping[str, Facts], until: int) -> None:
        """Takes all that was said of items up to a sequence number; about 2 µs a word.

        Args:
            said: by attribute, as `Catalog.item_facts` gives it.
        """
        spoken: dict[int, tuple[dict[str, Any], int]] = {}
        for name, facts in said.items():
            newest = facts.take(np.flatnonzero(facts.sequence <= until)).newest()
            watched = name in (PRICE, CATEGORY) or name in self._stock_names
            for item, value, time in zip(newest.row.tolist(), newest.values, newest.time.tolist(), strict=True):
                attributes, latest = spoken.get(item, ({}, time))
                if watched:
                    attributes[name] = value
                spoken[item] = attributes, max(latest, time)
        for item, (attributes, time) in spoken.items():
            self.say(item, attributes, time)

    def _put(self, item: int, shown: Shown, time: int) -> None:
        if item >= len(self._time):
            self._grow(item + 1)
        self._price[item] = np.nan if shown.price is None else shown.price
        self._stock[item] = UNKNOWN if shown.in_stock is None else shown.in_stock
        code = self._codes.setdefault(shown.categories, len(self._levels))
        if code == len(self._levels):
            self._levels.append(shown.categories)
        self._category[item], self._time[item] = code, time

    def _grow(self, least: int) -> None:
        more = max(least, 2 * len(self._time), 1_024) - len(self._time)
        self._price = np.append(self._price, np.full(more, np.nan))
        self._stock = np.append(self._stock, np.full(more, UNKNOWN, np.int8))
        self._category = np.append(self._category, np.zeros(more, np.int32))
        self._time = np.append(self._time, np.full(more, UNKNOWN, np.int64))
