"""Intervals of foreseen ratings by split conformal prediction (Lei et al. 2018), by how much a user has rated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats64 = npt.NDArray[np.float64]
Learned = tuple[Floats64, Floats64]
COVERAGE = 0.8
SIZES = np.array([0, 1, 3, 6, 11, 21, 51])
"""Lower bounds of the classes of users by number of ratings."""
_HELD = 20_000
_ENOUGH = 100


@dataclass(frozen=True, eq=False)
class Spread:
    """Offsets from the foreseen rating that hold the truth in about 80 % of cases.

    Args:
        low: float64 [classes]; high: float64 [classes]; classes as in `SIZES`.
    """

    low: Floats64
    high: Floats64

    def around(self, ratings: npt.NDArray[Any]) -> tuple[Floats64, Floats64]:
        """Returns the offsets for users with that many ratings."""
        place = np.searchsorted(SIZES, ratings, side="right") - 1
        return self.low[place], self.high[place]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Returns what `restore` needs, by name."""
        return {"spread_low": self.low, "spread_high": self.high}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Returns the offsets that `arrays` hold."""
        return cls(arrays["spread_low"], arrays["spread_high"])


def calibrated(
    rated: sparse.csr_matrix,
    learn: Callable[[sparse.csr_matrix], Learned],
    fold_in: Callable[[sparse.csr_matrix, Floats64, Floats64], Floats64],
    rng: np.random.Generator,
) -> Spread:
    """Returns the spread of ratings held out of `rated`, each foreseen from a random part of its user's others.

    Foreseen ratings are clipped to the scale first, as they are when served: a miss beyond the scale's edge is none.

    Args:
        rated: ratings less their mean, float64 CSR [users, items].
        learn: item features and biases from ratings.
        fold_in: the vectors of rows, given both.
        rng: chooses the held-out ratings, a tenth but at most 20,000, and the parts.
    """
    held = np.zeros(rated.nnz, np.bool_)
    held[rng.choice(rated.nnz, min(_HELD, max(1, rated.nnz // 10)), replace=False)] = True
    user = np.repeat(np.arange(rated.shape[0]), np.diff(rated.indptr))
    rest = _where(rated, ~held)
    features, bias = learn(rest)
    known = _parts(rest[user[held]], rng)
    own = fold_in(known, features, bias)
    item = rated.indices[held]
    foreseen = bias[item] + np.einsum("bk,bk->b", own, features[item])
    error = rated.data[held] - np.clip(foreseen, rated.data.min(), rated.data.max())
    return by_class(error, np.searchsorted(SIZES, np.diff(known.indptr), side="right") - 1)


def by_class(error: Floats64, place: npt.NDArray[np.intp]) -> Spread:
    """Returns the conformal quantiles of `error` in each class; a small class borrows from those nearest to it."""
    low, high = np.array([_quantiles(_near(error, np.abs(place - number))) for number in range(len(SIZES))]).T
    return Spread(low, high)


def _near(error: Floats64, distance: npt.NDArray[np.intp]) -> Floats64:
    """Returns the errors within the least distance that gives enough of them, or all."""
    reach = int(np.sort(distance)[min(_ENOUGH, len(distance)) - 1])
    near: Floats64 = error[distance <= reach]
    return near


def _quantiles(error: Floats64) -> tuple[float, float]:
    """The (n + 1)-corrected quantiles that leave equal shares out on both sides."""
    ordered, count = np.sort(error), len(error)
    outside = int((1.0 - COVERAGE) / 2.0 * (count + 1))
    if outside == 0:
        wide = float(np.abs(ordered).max(initial=0.0))
        return -wide, wide
    return float(ordered[outside - 1]), float(ordered[count - outside])


def _parts(rows: sparse.csr_matrix, rng: np.random.Generator) -> sparse.csr_matrix:
    """Keeps of every row all entries (half of the rows) or a random part of a size drawn evenly on a log scale."""
    sizes = np.diff(rows.indptr)
    drawn = np.expm1(rng.random(len(sizes)) * np.log1p(sizes))
    wanted = np.where(rng.random(len(sizes)) < 0.5, sizes, np.floor(drawn))
    row = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((rng.random(rows.nnz), row))
    position = np.arange(rows.nnz) - np.repeat(rows.indptr[:-1], sizes)
    kept = np.zeros(rows.nnz, np.bool_)
    kept[order] = position < np.repeat(wanted, sizes)
    return _where(rows, kept)


def _where(matrix: sparse.csr_matrix, kept: npt.NDArray[np.bool_]) -> sparse.csr_matrix:
    start = np.concatenate(([0], np.cumsum(kept)))[matrix.indptr]
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], start), shape=matrix.shape)
