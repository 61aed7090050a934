"""The peer: alternating least squares of the package `implicit`, run as its documentation recommends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.data import need
from benchmarks.timing import cores, one_blas_thread
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.learning.search import FRACTION, JUDGES
from mutua.learning.split import Questions, by_share_of_user, questions
from mutua.metrics import Placements, ndcg, place

FACTORS, ITERATIONS = 256, 15
GRID: tuple[tuple[float, float], ...] = ((0.01, 1.0), (0.01, 20.0), (10.0, 20.0), (0.01, 40.0), (0.01, 5.0))
"""(regularization, alpha): the package's own first; the others lie around the best for Gowalla, which is inside."""
_AT_ONCE = 4_096


@dataclass(frozen=True)
class Tuned:
    """Settings of the peer, chosen as the default model's are.

    Args:
        trials: (regularization, alpha, ndcg, seconds) of each that was tried.
        complete: whether the budget sufficed for all of `GRID`.
    """

    regularization: float
    alpha: float
    trials: tuple[tuple[float, float, float, float], ...]
    complete: bool


def matrix(rows: Interactions) -> sparse.csr_matrix:
    """Returns users by items, float32, 1 where a user has a target event."""
    had = rows.take(rows.is_target)
    ones = np.ones(len(had), np.float32)
    found = sparse.csr_matrix((ones, (had.user, had.item)), shape=(rows.n_users, rows.n_items))
    found.data[:] = 1.0
    return found


def fitted(
    seen: sparse.csr_matrix, regularization: float, alpha: float, seed: int, factors: int = FACTORS
) -> tuple[float, Any]:
    """Returns the seconds of a fit and the fitted model; all cores for its own threads, one for those of the BLAS.

    Raises:
        NotAvailable: the package is not installed.
    """
    need("implicit")
    from implicit.als import AlternatingLeastSquares

    with one_blas_thread():
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=ITERATIONS,
            num_threads=cores(),
            random_state=seed,
        )
        began = time.perf_counter()
        model.fit(seen, show_progress=False)
        return time.perf_counter() - began, model


def answered(model: Any, seen: sparse.csr_matrix, asked: Questions, k: int) -> Placements:
    """Returns where the targets stand in the first k of the peer's lists, items seen left out of them."""
    lists = np.empty((len(asked), k), np.int32)
    with one_blas_thread():
        for first in range(0, len(asked), _AT_ONCE):
            users = asked.users[first : first + _AT_ONCE]
            lists[first : first + len(users)] = model.recommend(users, seen[users], N=k)[0]
    return place(lists, asked.targets.start, asked.targets.item)


def tuned(rows: Interactions, budget: float, seed: int, k: int, factors: int = FACTORS) -> Tuned:
    """Returns the settings of `GRID` that do best on a tenth of each user's items, held out of the training data.

    The part held out, the users asked and the rule for starting another trial are those of the default model's search.
    """
    began = time.perf_counter()
    split = by_share_of_user(rows, FRACTION, seed)
    asked = questions(split, exclude_seen=True)
    if len(asked) > JUDGES:
        drawn = stream(seed, "search", "judges").choice(len(asked), JUDGES, replace=False)
        asked = asked.take(np.sort(drawn))
    seen = matrix(split.train)
    trials: list[tuple[float, float, float, float]] = []
    for regularization, alpha in GRID:
        longest = max((trial[3] for trial in trials), default=0.0)
        if time.perf_counter() + 2.0 * longest > began + budget:
            break
        started = time.perf_counter()
        _, model = fitted(seen, regularization, alpha, seed, factors)
        value = float(np.mean(ndcg(answered(model, seen, asked, k), k)))
        trials.append((regularization, alpha, value, time.perf_counter() - started))
    best = best_of(trials)
    return Tuned(*best, tuple(trials), len(trials) == len(GRID))


def best_of(trials: Sequence[tuple[float, float, float, float]]) -> tuple[float, float]:
    """Returns the settings of the best trial; the package's own where there is none."""
    best = max(trials, key=lambda trial: trial[2], default=(*GRID[0], 0.0, 0.0))
    return best[0], best[1]
