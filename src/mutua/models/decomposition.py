"""Truncated singular value decomposition of sparse matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats64 = npt.NDArray[np.float64]
_DENSE = 400
"""Up to this many rows or columns the dense decomposition is as fast, and exact."""


def truncated_svd(
    matrix: sparse.csr_matrix, rank: int, rng: np.random.Generator, *, powers: int = 4, extra: int = 16
) -> tuple[Floats64, Floats64, Floats64]:
    """Returns the largest singular values with their vectors: U [m, r], s [r] descending, V [n, r]; M ≈ U diag(s) Vᵀ.

    Randomised range finder with power iterations (Halko, Martinsson & Tropp 2011, algorithm 4.4), or the dense
    decomposition of a small matrix. r is `rank`, or less where the matrix has fewer directions.

    Args:
        rng: of the random test vectors; a fixed one gives a fixed result.
        powers: iterations; more of them separate close singular values better.
        extra: test vectors beyond `rank`.
    """
    wide = matrix.astype(np.float64)
    if min(wide.shape) <= max(_DENSE, rank + extra):
        return _kept(*np.linalg.svd(wide.toarray(), full_matrices=False), rank)
    transposed = sparse.csr_matrix(wide.T)
    basis = np.linalg.qr(wide @ rng.standard_normal((wide.shape[1], rank + extra)))[0]
    for _ in range(powers):
        basis = np.linalg.qr(wide @ np.linalg.qr(transposed @ basis)[0])[0]
    small, values, right = np.linalg.svd((transposed @ basis).T, full_matrices=False)
    return _kept(basis @ small, values, right, rank)


def _kept(left: Floats64, values: Floats64, right: Floats64, rank: int) -> tuple[Floats64, Floats64, Floats64]:
    """Drops directions beyond `rank` or without length, and turns each so that its largest entry is positive."""
    count = min(rank, int(np.sum(values > 1e-10 * max(float(values.max(initial=0.0)), 1e-300))))
    rows = right[:count]
    signs = np.sign(rows[np.arange(count), np.abs(rows).argmax(axis=1)]) if count else np.ones(0)
    return left[:, :count] * signs, values[:count], (rows * signs[:, None]).T
