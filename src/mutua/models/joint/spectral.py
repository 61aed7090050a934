"""The influence matrix: a spectral filter of the user-item matrix plus the item-item product, cut to its top rows.

With R~ = D_u^−α R D_i^−β = U Σ Vᵀ: `W = D_i^−β (V f(Σ²) Vᵀ + c·R~ᵀR~/σ₁²) D_i^γ`, diagonal 0, on pairs of items that
some user has both of, the K largest entries a row. The filter f keeps the first k directions (an ideal low pass, as
GF-CF, Shen et al. 2021) or damps them as ridge regression does (`λ/(λ + ρ)`, Steck 2019 in the spectral basis);
V comes from a randomised range finder (Halko, Martinsson and Tropp 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from mutua.core.seeds import stream
from mutua.models.joint import kernels
from mutua.models.joint.rows import Rows

Floats = npt.NDArray[np.float32]
OVERSAMPLING = 64


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What all filters of one normalised matrix share, so that a search over filters factorises once.

    Args:
        vectors: float32 [n, k], V; values: float32 [k], Σ², falling.
        product: R~ᵀR~ / σ₁² as CSR float32 with sorted columns, its diagonal kept.
        degree: float64 [n], smoothed weight of every item.
        beta: exponent β of the item side.
    """

    vectors: Floats
    values: Floats
    product: sparse.csr_matrix
    degree: npt.NDArray[np.float64]
    beta: float


def spectrum(
    matrix: sparse.csr_matrix, alpha: float, beta: float, factors: int, seed: int = 0, smoothing: float = 0.0
) -> Spectrum:
    """Returns the spectrum of a user-item matrix.

    Args:
        matrix: float32 CSR [users, n], weights ≥ 0.
        alpha: exponent of the users' side; beta: of the items' side.
        factors: k, directions kept.
        smoothing: κ, added to every item's weight.

    Cost: O(entries · k · passes) and O(n · k²).
    """
    of_user = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-9)
    degree = np.maximum(np.asarray(matrix.sum(axis=0)).ravel() + smoothing, 1.0).astype(np.float64)
    scaled = sparse.diags(of_user**-alpha) @ matrix @ sparse.diags(degree**-beta)
    normal = sparse.csr_matrix(scaled, dtype=np.float32)
    normal.sort_indices()
    vectors, values = _right_vectors(normal, factors, seed)
    product = sparse.csr_matrix(normal.T @ normal)
    product.sort_indices()
    product.data /= max(float(values[0]), 1e-12)
    return Spectrum(vectors, values, product, degree, beta)


def low_pass(values: Floats, ridge: float) -> Floats:
    """Returns the filter f float32 [k]: `x / (x + ridge)` of x = λ/λ₁; 1 everywhere at ridge 0."""
    share = values / max(float(values[0]), 1e-12)
    return np.asarray(share / np.maximum(share + ridge, 1e-12), np.float32)


def support(found: Spectrum, ridge: float) -> Floats:
    """Returns float32 [entries], V f Vᵀ on the pattern of the product."""
    left = np.ascontiguousarray(found.vectors * np.sqrt(low_pass(found.values, ridge)), np.float32)
    values = np.zeros(found.product.nnz, np.float32)
    kernels.inner_products(found.product.indptr, found.product.indices, left, values)
    kernels.mirror(found.product.indptr, found.product.indices, values)
    return values


def top_rows(found: Spectrum, smooth: Floats, product: float, gamma: float, most: int) -> Rows:
    """Returns W cut to its `most` largest positive entries a row.

    Args:
        smooth: what `support` returned.
        product: c, weight of the item-item product.
        gamma: exponent γ by which popular items are favoured.
    """
    pattern = found.product
    mixed = smooth + np.float32(product) * pattern.data
    gain = (found.degree**gamma).astype(np.float32)
    values, keys = kernels.largest_in_rows(pattern.indptr, pattern.indices, mixed, gain, most)
    values *= (found.degree**-found.beta).astype(np.float32)[:, None]
    kept = keys >= 0
    start = np.concatenate(([0], np.cumsum(kept.sum(axis=1))))
    return Rows.of(sparse.csr_matrix((values[kept], keys[kept], start), shape=pattern.shape))


def _right_vectors(normal: sparse.csr_matrix, factors: int, seed: int, passes: int = 2) -> tuple[Floats, Floats]:
    k = min(factors, min(normal.shape))
    wide = min(k + OVERSAMPLING, min(normal.shape))
    turned = sparse.csr_matrix(normal.T)
    turned.sort_indices()
    start = stream(seed, "spectrum").standard_normal((normal.shape[0], wide), dtype=np.float32)
    basis = _times(turned, start)
    for _ in range(passes):
        basis = _times(turned, _times(normal, _orthonormal(basis)))
    basis = _orthonormal(_orthonormal(basis), 1e-9)
    image = _times(normal, basis)
    values, rotation = np.linalg.eigh((image.T @ image).astype(np.float32))
    order = np.argsort(-values, kind="stable")[:k]
    vectors = basis @ np.ascontiguousarray(rotation[:, order], np.float32)
    return vectors, np.maximum(values[order], 0).astype(np.float32)


def _orthonormal(tall: Floats, jitter: float = 1e-6) -> Floats:
    """Orthonormal columns by the Cholesky factor of the Gram matrix: two tall products instead of a QR."""
    gram = (tall.T @ tall).astype(np.float64)
    gram.flat[:: len(gram) + 1] += jitter * max(np.trace(gram), 1e-30) / len(gram)
    inverse = linalg.solve_triangular(np.linalg.cholesky(gram), np.eye(len(gram)), lower=True, check_finite=False)
    return np.asarray(tall @ inverse.T.astype(np.float32), np.float32)


def _times(left: sparse.csr_matrix, right: Floats) -> Floats:
    out = np.zeros((left.shape[0], right.shape[1]), np.float32)
    kernels.sparse_dense(left.indptr, left.indices, left.data, np.ascontiguousarray(right, np.float32), out)
    return out
