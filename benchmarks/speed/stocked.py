"""Synthetic stores of any size, written in bulk: skewed users and items, a second between events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from mutua.core.clock import SECOND
from mutua.core.seeds import stream
from mutua.store.base import BATCH_SCHEMA
from mutua.store.sqlite.store import SqliteStore

START = 1_700_000_000 * SECOND
BATCH = 200_000


def stocked(path: Path, users: int, items: int, events: int, cards: bool = False) -> None:
    """Records a new store.

    Args:
        cards: whether each item has a category, a price and a title.
    """
    with SqliteStore.open(f"sqlite:///{path}", write=True) as store:
        for frame in _views(users, items, events):
            store.log.append_batch(frame, recorded=START)
        if cards:
            store.log.append_batch(_cards(items), recorded=START)


def _views(users: int, items: int, events: int) -> Iterator[pl.DataFrame]:
    source = stream(0, "benchmark", "stocked")
    for first in range(0, events, BATCH):
        number = np.arange(first, min(first + BATCH, events))
        user = np.where(number < users, number, users * source.random(len(number)) ** 1.5).astype(np.int64)
        item = np.where(number < items, number, items * source.random(len(number)) ** 2).astype(np.int64)
        yield _frame(
            len(number),
            id=pl.Series(number).cast(pl.String),
            kind=pl.lit(0),
            user="user-" + pl.Series(user).cast(pl.String),
            item="item-" + pl.Series(item).cast(pl.String),
            type=pl.lit("view"),
            time=pl.Series(START + number * SECOND),
        )


def _cards(items: int) -> pl.DataFrame:
    said = [
        b'{"attributes":{"category":"shelf %d","price":%d,"title":"item number %d"}}' % (n % 200, n % 90, n)
        for n in range(items)
    ]
    return _frame(
        items,
        id=pl.Series([f"card-{number}" for number in range(items)]),
        kind=pl.lit(3),
        item=pl.Series([f"item-{number}" for number in range(items)]),
        time=pl.lit(START),
        payload=pl.Series(said),
    )


def _frame(rows: int, **given: pl.Series | pl.Expr) -> pl.DataFrame:
    plain = {name: pl.lit(None) for name in BATCH_SCHEMA} | {"source": pl.lit("made"), "mark": pl.lit(0)} | given
    empty = pl.DataFrame({"row": np.arange(rows)})
    return empty.select(**{name: plain[name] for name in BATCH_SCHEMA}).cast(dict(BATCH_SCHEMA))
