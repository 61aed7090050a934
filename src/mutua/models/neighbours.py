"""The nearest neighbours of sparse rows under the shrunk cosine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.models import kernels
from mutua.models.matrices import compressed

_CHUNKS = 16


@dataclass(frozen=True, eq=False)
class NeighbourIndex:
    """Sparse rows, turned so that the rows alike to a given one are found without looking at all of them.

    Args:
        columns: row starts, columns and values of the transposed rows.
        lengths: float64 [rows], Euclidean.
        order: int32 [rows], which row each transposed column stands for: the fullest first, so that most sums fall on
            few lines of the cache.
    """

    columns: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[Any]]
    lengths: npt.NDArray[np.float64]
    order: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: sparse.csr_matrix) -> Self:
        """Returns the index of `rows`, whose entries are positive."""
        order = np.argsort(-np.diff(rows.indptr), kind="stable").astype(np.int32)
        sorted_rows = rows[order]
        return cls(compressed(sparse.csr_matrix(sorted_rows.T)), row_lengths(sorted_rows), order)

    def nearest(
        self, given: sparse.csr_matrix, n: int, shrink: float = 0.0, *, itself: bool = False
    ) -> sparse.csr_matrix:
        """Returns, for every row of `given`, its n most alike indexed rows, float32 CSR [given, rows]; ties by index.

        The likeness is the cosine with a shrinkage of small evidence, `a·b / (|a||b| + shrink)`; only positive counts.

        Args:
            given: positive entries, CSR [given, d].
            n: neighbours a row.
            shrink: ≥ 0, in units of the product of two lengths.
            itself: whether indexed row r may be a neighbour of given row r.
        """
        count, others = given.shape[0], len(self.lengths)
        length = max(1, min(n, others))
        scores, items = np.zeros((count, length), np.float32), np.zeros((count, length), np.int32)
        sizes = np.zeros(count, np.int64)
        kernels.top_products(
            compressed(given),
            self.columns,
            row_lengths(given),
            self.lengths,
            self.order,
            float(shrink),
            itself,
            min(_CHUNKS, max(count, 1)),
            scores,
            items,
            sizes,
        )
        kept = np.arange(length) < sizes[:, None]
        start = np.concatenate(([0], np.cumsum(sizes)))
        return sparse.csr_matrix((scores[kept], items[kept], start), shape=(count, others))


def row_lengths(matrix: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Returns the Euclidean length of every row, float64 [rows]."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.sqrt(np.bincount(rows, matrix.data.astype(np.float64) ** 2, matrix.shape[0]))
