"""Metrics of the lists themselves: what they cover, how known, how varied, how true to a user's past."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua import metrics
from mutua.catalog.table import CATEGORY, TAGS, AttributeTable, Labels, Sets
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.learning.itemsets import distinct
from mutua.learning.split import Questions
from mutua.metrics.bootstrap import Interval

Values = npt.NDArray[np.float64]
Lists = npt.NDArray[np.int32]
RESAMPLES = 50
NORMAL = 1.96


def per_user(
    lists: Lists, train: Interactions, asked: Questions, items: AttributeTable, cutoffs: Sequence[int]
) -> dict[str, Values]:
    """Returns novelty@k, and where items have categories diversity@k and calibration@k, float64 [u] each.

    Args:
        lists: int32 [u, largest k], for the users of `asked`.
    """
    had = train.take(train.is_target)
    pairs = distinct(had.user.astype(np.int64) * train.n_items + had.item)
    known = np.bincount(pairs % max(train.n_items, 1), minlength=train.n_items)
    users = len(np.unique(had.user))
    found = {f"novelty@{k}": metrics.novelty(lists[:, :k], known, users) for k in cutoffs}
    features = categories(items, train.n_items)
    if features is not None:
        shape = (train.n_users, train.n_items)
        history = sparse.csr_matrix((np.ones(len(had)), (had.user, had.item)), shape=shape)[asked.users]
        for k in cutoffs:
            found[f"diversity@{k}"] = metrics.diversity(lists[:, :k], features)
            found[f"calibration@{k}"] = metrics.calibration(lists[:, :k], history, features)
    return found


def over_all(lists: Lists, n_items: int, cutoffs: Sequence[int], seed: int) -> dict[str, Interval]:
    """Returns coverage@k and gini@k of all lists together.

    Their intervals are the value ± 1.96 standard deviations under resampling of users: a resample holds fewer
    distinct users, hence covers less, so its quantiles would not hold the value itself.
    """
    source = stream(seed, "lists", len(lists))
    weights = [np.bincount(source.integers(0, len(lists), len(lists)), minlength=len(lists)) for _ in range(RESAMPLES)]
    found: dict[str, Interval] = {}
    for k in cutoffs:
        shown = metrics.exposure(lists[:, :k], n_items)
        resampled = [_exposure(lists[:, :k], n_items, times) for times in weights]
        for name, metric in (("coverage", metrics.coverage), ("gini", metrics.gini)):
            value, spread = metric(shown), NORMAL * float(np.std([metric(drawn) for drawn in resampled]))
            found[f"{name}@{k}"] = Interval(value, max(0.0, value - spread), min(1.0, value + spread))
    return found


def categories(items: AttributeTable, n_items: int) -> sparse.csr_matrix | None:
    """Returns items by categories, CSR [n_items, c], from the category or the tags; None where there are neither."""
    for name in (CATEGORY, TAGS):
        column = items.columns.get(name)
        if isinstance(column, Sets):
            return column.matrix
        if isinstance(column, Labels):
            known = np.flatnonzero(column.codes >= 0)
            places = (known, column.codes[known])
            return sparse.csr_matrix((np.ones(len(known)), places), shape=(n_items, len(column.levels)))
    return None


def _exposure(lists: Lists, n_items: int, times: npt.NDArray[np.int64]) -> Values:
    given = lists >= 0
    weights = np.broadcast_to(times[:, None], lists.shape)[given]
    return np.bincount(lists[given], weights, n_items).astype(np.float64)
