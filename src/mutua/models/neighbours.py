"""The nearest neighbours of sparse rows under the shrunk cosine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.models import kernels
from mutua.models.matrices import compressed

_CHUNKS = 16


def row_norms(matrix: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Returns the Euclidean length of every row."""
    squares = matrix.multiply(matrix).sum(axis=1)
    return np.sqrt(np.asarray(squares, np.float64).ravel())


def nearest(
    left: sparse.csr_matrix, right: sparse.csr_matrix, n: int, shrink: float = 0.0, *, itself: bool = False
) -> sparse.csr_matrix:
    """Returns, for every row of `left`, its n most alike rows of `right`, float32 CSR [rows, rows of right].

    The likeness is the cosine with a shrinkage of small evidence, `a·b / (|a||b| + shrink)`; ties by row index.

    Args:
        left: positive entries, CSR [rows, d].
        right: positive entries, CSR [others, d].
        n: neighbours a row.
        shrink: ≥ 0, in units of the product of two lengths.
        itself: whether row r of `right` may be a neighbour of row r of `left`.
    """
    rows, others = left.shape[0], right.shape[0]
    length = max(1, min(n, others))
    scores, items = np.zeros((rows, length), np.float32), np.zeros((rows, length), np.int32)
    sizes = np.zeros(rows, np.int64)
    kernels.top_products(
        compressed(left),
        compressed(sparse.csr_matrix(right.T)),
        row_norms(left),
        row_norms(right),
        float(shrink),
        itself,
        min(_CHUNKS, max(rows, 1)),
        scores,
        items,
        sizes,
    )
    kept = np.arange(length) < sizes[:, None]
    start = np.concatenate(([0], np.cumsum(sizes)))
    return sparse.csr_matrix((scores[kept], items[kept], start), shape=(rows, others))
