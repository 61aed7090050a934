"""What lists are like beyond hits: how much of the catalogue they show, how unknown, how varied, how true to taste."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

Values = npt.NDArray[np.float64]
Lists = npt.NDArray[np.int32]
_BLOCK = 1 << 22


def exposure(lists: Lists, n_items: int) -> Values:
    """Returns how often each item is shown, float64 [n_items].

    Args:
        lists: int32 [u, k], items, −1 fills up short lists.
    """
    return np.bincount(lists[lists >= 0], minlength=n_items).astype(np.float64)


def coverage(shown: Values) -> float:
    """Returns the share of items that are shown at least once; `shown` as from `exposure`."""
    return float(np.mean(shown > 0)) if len(shown) else 0.0


def gini(shown: Values) -> float:
    """Returns the Gini coefficient of exposure: 0 when all items are shown alike, near 1 when one takes all.

    Example:
        >>> gini(np.ones(4)), gini(np.array([0.0, 0.0, 0.0, 8.0]))
        (0.0, 0.75)
    """
    ascending = np.sort(shown)
    total, size = ascending.sum(), len(ascending)
    if total <= 0:
        return 0.0
    return float((2.0 * np.arange(1, size + 1) - size - 1.0) @ ascending / (size * total))


def novelty(lists: Lists, known: npt.NDArray[np.int64], n_users: int) -> Values:
    """Returns the mean surprise of each list in bits: −log2 of the share of users who know the item.

    The share is (known + 1) ÷ (users + 1), so that an item nobody knows has a finite surprise
    (Zhou et al. 2010, smoothed).

    Args:
        known: int64 [n_items], users with the item in training.
    """
    surprise = -np.log2((known + 1.0) / (n_users + 1.0))
    return _mean_over(lists, surprise)


def diversity(lists: Lists, features: sparse.csr_matrix) -> Values:
    """Returns 1 − the mean cosine between two items of a list (Ziegler et al. 2005); NaN for fewer than two.

    Args:
        features: CSR [n_items, d], such as one column a category; an empty row is like nothing.
    """
    unit = _unit_rows(features)
    held = _incidence(lists, unit.shape[0])
    sums = held @ unit
    squares = np.asarray(sums.multiply(sums).sum(axis=1), np.float64).ravel()
    own = held @ np.asarray(unit.multiply(unit).sum(axis=1), np.float64).ravel()
    size = (lists >= 0).sum(axis=1)
    pairs = size * (size - 1.0)
    return np.where(pairs > 0, 1.0 - (squares - own) / np.maximum(pairs, 1.0), np.nan)


def calibration(lists: Lists, history: sparse.csr_matrix, features: sparse.csr_matrix, mix: float = 0.01) -> Values:
    """Returns the Kullback-Leibler divergence, in bits, from the categories of a history to those of the list.

    0 is a list that shares out its places as the user's past does. The list's distribution q is mixed with the
    history's p, (1 − mix) q + mix p, so that a category left out costs much but not infinity (Steck 2018).
    NaN where the history or the list has no category.

    Args:
        lists: int32 [u, k]; history: CSR [u, n_items], what each user had, as non-negative weights.
        features: CSR [n_items, c], shares of categories.
    """
    step = max(1, _BLOCK // max(features.shape[1], 1))
    held, shares = _incidence(lists, features.shape[0]), sparse.csr_matrix(features)
    parts = [
        _divergence(history[first : first + step] @ shares, held[first : first + step] @ shares, mix)
        for first in range(0, len(lists), step)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _divergence(had: sparse.csr_matrix, shown: sparse.csr_matrix, mix: float) -> Values:
    p, q = had.toarray().astype(np.float64), shown.toarray().astype(np.float64)
    sums = p.sum(axis=1, keepdims=True), q.sum(axis=1, keepdims=True)
    p, q = p / np.where(sums[0] > 0, sums[0], 1.0), q / np.where(sums[1] > 0, sums[1], 1.0)
    blend = (1.0 - mix) * q + mix * p
    ratio = np.divide(p, blend, out=np.ones_like(p), where=p > 0)
    bits = np.sum(p * np.log2(ratio), axis=1)
    return np.where((sums[0] > 0).ravel() & (sums[1] > 0).ravel(), bits, np.nan)


def _mean_over(lists: Lists, worth: Values) -> Values:
    given = lists >= 0
    size = given.sum(axis=1)
    total = np.where(given, worth[np.where(given, lists, 0)], 0.0).sum(axis=1)
    return np.where(size > 0, total / np.maximum(size, 1), np.nan)


def _incidence(lists: Lists, n_items: int) -> sparse.csr_matrix:
    given = lists >= 0
    start = np.concatenate(([0], np.cumsum(given.sum(axis=1))))
    return sparse.csr_matrix((np.ones(int(start[-1])), lists[given], start), shape=(len(lists), n_items))


def _unit_rows(features: sparse.csr_matrix) -> sparse.csr_matrix:
    squares = np.asarray(features.multiply(features).sum(axis=1), np.float64).ravel()
    scale = np.divide(1.0, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return sparse.csr_matrix(sparse.diags(scale) @ features)
