"""The exact best n of dense scores, and the ranks of given targets: ties always by item index."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.models import kernels

Floats = npt.NDArray[np.float32]
Items = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Lists = tuple[npt.NDArray[np.int64], Items]
"""One list of items a row: row r owns `item[start[r]:start[r + 1]]`, as in `Views`."""

_NONE: Mask = np.empty(0, np.bool_)
_NO_LISTS: Lists = np.empty(0, np.int64), np.empty(0, np.int32)


def top_n(scores: Floats, n: int, banned: Mask | None = None) -> tuple[Items, Floats]:
    """Returns the n best items of one row of scores and their scores, best first, ties by item index.

    Args:
        scores: float32 [n_items]; −inf is never returned.
        n: how many; fewer come back where fewer are left.
        banned: bool [n_items], items that may not be returned.

    Cost: one pass with a heap behind a threshold; about 25 µs for 41k items, 0.6 ms for a million.

    Example:
        >>> items, scores = top_n(np.array([0.1, 0.7, 0.7, 0.2], np.float32), 2)
        >>> items.tolist()
        [1, 2]
    """
    length = max(0, min(n, len(scores)))
    best, items = np.empty(length, np.float32), np.empty(length, np.int32)
    size = kernels.top_row(scores, _NONE if banned is None else banned, best, items)
    return items[:size], best[:size]


def top_rows(
    scores: Floats, n: int, banned: Mask | None = None, seen: Lists | None = None
) -> tuple[npt.NDArray[np.int32], Floats]:
    """Returns the n best items of every row, int32 [b, n], and their scores; −1 and −inf where too few are left.

    Args:
        scores: float32 [b, n_items].
        n: how many a row.
        banned: bool [n_items], items that no row may return.
        seen: per row, items that it may not return; those beyond `n_items` are ignored.
    """
    length = max(0, min(n, scores.shape[1]))
    best = np.full((len(scores), length), -np.inf, np.float32)
    items = np.full((len(scores), length), -1, np.int32)
    kernels.top_rows(scores, _NONE if banned is None else banned, *(seen or _NO_LISTS), best, items)
    return items, best


def ranks(
    scores: Floats, targets: Lists, banned: Mask | None = None, seen: Lists | None = None
) -> npt.NDArray[np.int64]:
    """Returns the 1-based rank of every target among the items of its row that are not banned, int64 [m].

    Args:
        scores: float32 [b, n_items].
        targets: per row, items below `n_items`; one that is banned or seen itself has rank 0.
        banned: bool [n_items], items that no row ranks.
        seen: per row, items that it does not rank.

    Example:
        >>> start, item = np.array([0, 2]), np.array([0, 2], np.int32)
        >>> ranks(np.array([[0.1, 0.7, 0.7, 0.2]], np.float32), (start, item)).tolist()
        [4, 2]
    """
    found = np.zeros(len(targets[1]), np.int64)
    kernels.rank_rows(scores, _NONE if banned is None else banned, *(seen or _NO_LISTS), *targets, found)
    return found
