"""Ranking metrics at k, from the places that a user's relevant items take in the user's ranking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
MISSED = int(np.iinfo(np.int32).max)
"""The rank of a relevant item that is not in the ranking at all."""


@dataclass(frozen=True, eq=False)
class Placements:
    """Ranks of the relevant items of u users, compressed: user v owns `start[v]:start[v + 1]`.

    Args:
        start: int64 [u + 1].
        rank: int32 [m], from 0 for the best; distinct within a user; `MISSED` where not ranked. Any order.
    """

    start: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def relevant(self) -> npt.NDArray[np.int64]:
        """int64 [u]: how many relevant items each user has."""
        return np.diff(self.start)

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """int64 [m]: the user of each relevant item."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.relevant)

    def total(self, gains: npt.ArrayLike) -> Values:
        """Returns the sum of `gains` [m] by user, float64 [u]; NaN for users without a relevant item."""
        sums = np.bincount(self.owner, weights=np.asarray(gains, np.float64), minlength=len(self))
        return np.where(self.relevant > 0, sums, np.nan)

    def hits(self, k: int) -> Values:
        """Returns how many relevant items stand among the first k, float64 [u]."""
        return self.total(self.rank < k)


def place(lists: npt.NDArray[np.int32], start: npt.NDArray[np.int64], relevant: npt.NDArray[np.int32]) -> Placements:
    """Returns the placements of relevant items in ranked lists.

    Args:
        lists: int32 [u, k], items, best first, distinct within a row; −1 fills up short lists.
        start: int64 [u + 1]: user v's relevant items are `relevant[start[v]:start[v + 1]]`, distinct.

    Example:
        >>> place(np.array([[7, 3, 5]], np.int32), np.array([0, 2]), np.array([5, 9], np.int32)).rank.tolist()
        [2, 2147483647]
    """
    ranks = np.full(len(relevant), MISSED, np.int32)
    size = int(max(lists.max(initial=0), relevant.max(initial=0))) + 1
    wanted = np.repeat(np.arange(len(start) - 1), np.diff(start)) * size + relevant
    row, position = np.nonzero(lists >= 0)
    given = row * size + lists[row, position]
    order = np.argsort(given)
    found = np.searchsorted(given, wanted, sorter=order)
    inside = found < len(given)
    match = order[found[inside]]
    hit = given[match] == wanted[inside]
    ranks[np.flatnonzero(inside)[hit]] = position[match[hit]]
    return Placements(np.asarray(start, np.int64), ranks)


def recall(placements: Placements, k: int) -> Values:
    """Returns hits among the first k ÷ relevant items."""
    return placements.hits(k) / np.maximum(placements.relevant, 1)


def precision(placements: Placements, k: int) -> Values:
    """Returns hits among the first k ÷ k."""
    return placements.hits(k) / k


def f1(placements: Placements, k: int) -> Values:
    """Returns the harmonic mean of precision and recall: 2 hits ÷ (k + relevant)."""
    return 2.0 * placements.hits(k) / (k + placements.relevant)


def hr(placements: Placements, k: int) -> Values:
    """Returns the hit rate: 1 where any relevant item stands among the first k, else 0."""
    return np.minimum(placements.hits(k), 1.0)


def dcg(placements: Placements, k: int) -> Values:
    """Returns Σ 1 ÷ log2(rank + 2) over the hits among the first k."""
    discount = 1.0 / np.log2(placements.rank + 2.0)
    return placements.total(np.where(placements.rank < k, discount, 0.0))


def ndcg(placements: Placements, k: int) -> Values:
    """Returns DCG ÷ the DCG of an ideal list, which holds min(k, relevant) hits (Järvelin & Kekäläinen 2002)."""
    ideal = np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))
    best: Values = ideal[np.clip(placements.relevant, 1, k) - 1]
    return dcg(placements, k) / best


def mrr(placements: Placements, k: int) -> Values:
    """Returns 1 ÷ (place of the first hit, from 1), 0 without one among the first k."""
    first = np.full(len(placements), MISSED, np.int64)
    np.minimum.at(first, placements.owner, placements.rank)
    return np.where(placements.relevant > 0, np.where(first < k, 1.0 / (first + 1.0), 0.0), np.nan)


def map(placements: Placements, k: int) -> Values:
    """Returns average precision: Σ over hits of the precision at that hit, ÷ all relevant items (as trec_eval)."""
    order = np.lexsort((placements.rank, placements.owner))
    nth = np.arange(len(order)) - placements.start[placements.owner] + 1.0
    rank = placements.rank[order].astype(np.float64)
    gains = np.where(rank < k, nth / (rank + 1.0), 0.0)
    return placements.total(gains) / np.maximum(placements.relevant, 1)


def accuracy(placements: Placements, k: int, candidates: npt.ArrayLike) -> Values:
    """Returns the share of candidate items put on the right side of the cut: relevant within k, the others beyond.

    Args:
        candidates: int or int [u], how many items were ranked.
    """
    wrong = k + placements.relevant - 2.0 * placements.hits(k)
    return 1.0 - wrong / np.asarray(candidates, np.float64)


def auc(placements: Placements, candidates: npt.ArrayLike) -> Values:
    """Returns the share of (relevant, other) pairs in the right order; ties were broken when ranking.

    A missed item counts as last.

    Args:
        candidates: int or int [u], how many items were ranked, relevant ones included.
    """
    counts = np.broadcast_to(np.asarray(candidates, np.int64), len(placements))
    owner, relevant = placements.owner, placements.relevant
    order = np.lexsort((placements.rank, owner))
    nth = np.arange(len(order)) - placements.start[owner]
    others = np.maximum(counts - relevant, 0)
    above = np.minimum(placements.rank[order] - nth, others[owner])
    pairs = relevant * others
    wrong = placements.total(above)
    return np.where(pairs > 0, 1.0 - wrong / np.maximum(pairs, 1), np.nan)


RANKING: Mapping[str, Callable[[Placements, int], Values]] = {
    "recall": recall,
    "precision": precision,
    "f1": f1,
    "hr": hr,
    "ndcg": ndcg,
    "dcg": dcg,
    "mrr": mrr,
    "map": map,
}
"""The metrics that need placements and k alone, by name."""
