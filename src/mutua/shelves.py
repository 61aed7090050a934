"""Counts and contents that surfaces may take candidates from, kept in step with the log; made when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from time import monotonic

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.live import Mark
from mutua.catalog.table import AttributeTable
from mutua.events.acts import Acts
from mutua.events.interactions import Interactions
from mutua.models.features import item_features
from mutua.snapshot import EMPTY_SHELVES, Items, Shelves
from mutua.store.sqlite.store import SqliteStore
from mutua.trends import Trends

Floats = npt.NDArray[np.float32]
LONGEST = 2_000
"""Items that stand in one order at most."""
FRESH, CONTENT_FRESH = 1.0, 30.0
"""Seconds for which an order by counts stands, and the features of a catalogue that has changed."""
READ_FEATURES = frozenset({"content", "similar"})
"""Sources that look for the like of items by attributes; `similar` where there is no model."""


class Shelving:
    """What a store's surfaces share besides the model. Everything here can be dropped at any time.

    Args:
        now: the scoring time, microseconds UTC.
    """

    def __init__(self, store: SqliteStore, now: Callable[[], int]) -> None:
        self._store, self._now = store, now
        self._counts: Floats | None = None
        self._trends: Trends | None = None
        self._orders: dict[str, tuple[float, Items]] = {}
        self._features: sparse.csr_matrix | None = None
        self._made, self._mark = 0.0, (0, 0)

    @property
    def trends(self) -> Trends:
        """What is in demand now."""
        if self._trends is None:
            self._trends = Trends(self._store, self._now)
        return self._trends

    def warm(self, rows: Iterable[Interactions]) -> None:
        """Counts what is wanted and in demand, so that no request waits for it.

        Args:
            rows: all interactions of the log.
        """
        self._trends = Trends(self._store, self._now)
        self._counts = np.sum([_counted(part) for part in rows], axis=0)

    def popularity(self) -> Floats:
        """Returns float32 [n_items], counts of target events; read from the whole log once, then moved by events."""
        if self._counts is None:
            self._counts = _counted(self._store.log.interactions())
        missing = len(self._store.names.vocabulary("items")) - len(self._counts)
        if missing > 0:
            self._counts = np.append(self._counts, np.zeros(missing, np.float32))
        return self._counts

    def shelves(self, sources: Collection[str], catalog: AttributeTable, mark: Mark) -> Shelves:
        """Returns what these sources draw from, and nothing that none of them needs.

        Args:
            mark: how far the catalogue has come.
        """
        popular = self._order("popular") if "popular" in sources else EMPTY_SHELVES.popular
        trending = self._order("trending") if "trending" in sources else EMPTY_SHELVES.trending
        if not READ_FEATURES.intersection(sources):
            return Shelves(popular, trending)
        features = self._content(catalog, mark)
        return Shelves(popular, trending, features if features.nnz else None)

    def moved(self, acts: Acts) -> None:
        """Counts what was recorded, where anything is counted already."""
        if self._trends is not None:
            self._trends.moved(acts)
        if self._counts is not None:
            np.add.at(self.popularity(), acts.items, np.array(acts.wanted, np.float32))

    def drop(self) -> None:
        """Drops everything that was counted."""
        self._counts = self._trends = None
        self._orders.clear()
        self._features = None

    def _content(self, catalog: AttributeTable, mark: Mark) -> sparse.csr_matrix:
        stale = mark != self._mark and monotonic() - self._made >= CONTENT_FRESH
        if self._features is None or stale:
            self._features = item_features(catalog, catalog.size)
            self._made, self._mark = monotonic(), mark
        return self._features

    def _order(self, name: str) -> Items:
        made, found = self._orders.get(name, (-FRESH, EMPTY_SHELVES.popular))
        moment = monotonic()
        if moment - made >= FRESH:
            found = self._popular() if name == "popular" else self._trending()
            self._orders[name] = moment, found
        return found

    def _popular(self) -> Items:
        counts = self.popularity()
        order = np.lexsort((np.arange(len(counts)), -counts))[:LONGEST]
        return order[counts[order] > 0].astype(np.int32)

    def _trending(self) -> Items:
        return np.array([item for item, _ in self.trends.best(LONGEST)], np.int32)


def _counted(rows: Interactions) -> Floats:
    return np.bincount(rows.item[rows.is_target], minlength=rows.n_items).astype(np.float32)
