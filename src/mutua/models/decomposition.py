"""Truncated singular value decomposition of sparse matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from mutua.models import kernels
from mutua.models.matrices import compressed

Floats = npt.NDArray[np.float32]
Floats64 = npt.NDArray[np.float64]
_DENSE = 400
"""Up to this many rows or columns the dense decomposition is as fast, and exact."""


def truncated_svd(
    matrix: sparse.csr_matrix, rank: int, rng: np.random.Generator, *, powers: int = 3, extra: int = 32
) -> tuple[Floats64, Floats64, Floats64]:
    """Returns the largest singular values with their vectors: U [m, r], s [r] descending, V [n, r]; M ≈ U diag(s) Vᵀ.

    Randomised range finder with power iterations (Halko, Martinsson & Tropp 2011, algorithm 4.4) in single precision,
    or the dense decomposition of a small matrix. r is `rank`, or less where the matrix has fewer directions.

    Args:
        rng: of the random test vectors; a fixed one gives a fixed result.
        powers: iterations; more of them separate close singular values better.
        extra: test vectors beyond `rank`.

    Cost: O(entries · r · powers + (m + n) · r²).
    """
    if min(matrix.shape) <= max(_DENSE, rank + extra):
        return _kept(*np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False), rank)
    forth, back = sparse.csr_matrix(matrix, dtype=np.float32), sparse.csr_matrix(matrix.T, dtype=np.float32)
    basis = times(back, rng.standard_normal((matrix.shape[0], rank + extra), dtype=np.float32))
    for _ in range(powers):
        basis = times(back, orthonormal(times(forth, orthonormal(basis))))
    basis = orthonormal(orthonormal(basis))
    image, core = np.linalg.qr(times(forth, basis))
    small, values, turn = np.linalg.svd(core.astype(np.float64))
    return _kept(image @ small, values, turn @ basis.T, rank)


def times(left: sparse.csr_matrix, right: Floats) -> Floats:
    """Returns the dense product `left · right`, float32, computed on all cores."""
    out = np.empty((left.shape[0], right.shape[1]), np.float32)
    kernels.sparse_dense(*compressed(left), np.ascontiguousarray(right, np.float32), out)
    return out


def orthonormal(tall: Floats) -> Floats:
    """Returns orthonormal columns with the span of `tall`, float32.

    The Cholesky factor of the Gram matrix takes two tall products, several times faster than Householder's reflections,
    which stand in where the columns are close to dependent. A second call brings rounding to its floor.
    """
    gram = (tall.T @ tall).astype(np.float64)
    gram.flat[:: len(gram) + 1] += 1e-7 * max(float(np.trace(gram)), 1e-30) / len(gram)
    try:
        lower = np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.qr(tall)[0], np.float32)
    turn = linalg.solve_triangular(lower, np.eye(len(gram)), lower=True, check_finite=False)
    return np.asarray(tall @ turn.T.astype(np.float32), np.float32)


def _kept(left: Floats64, values: Floats64, right: Floats64, rank: int) -> tuple[Floats64, Floats64, Floats64]:
    """Drops directions beyond `rank` or without length, and turns each so that its largest entry is positive."""
    floor = 1e-6 * float(values.max(initial=0.0))
    count = min(rank, int(np.sum(values > floor)))
    rows = right[:count]
    signs = np.sign(rows[np.arange(count), np.abs(rows).argmax(axis=1)]) if count else np.ones(0)
    return left[:, :count] * signs, values[:count], (rows * signs[:, None]).T
