"""The spectrum of a user-item matrix, which every influence matrix is a filter of.

With R~ = D_u^−α R D_i^−β = U Σ Vᵀ: `W = D_i^−β (V f(Σ²) Vᵀ + c·R~ᵀR~/σ₁²) D_i^γ`, diagonal 0. The filter f keeps the
first k directions (an ideal low pass, as GF-CF, Shen et al. 2021) or damps them as ridge regression does
(`λ/(λ + ρ)`, Steck 2019 in the spectral basis). V is exact where there are at most 2k users or items, else it comes
from a randomised range finder (Halko, Martinsson and Tropp 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.core.seeds import stream
from mutua.models.decomposition import orthonormal, times

Floats = npt.NDArray[np.float32]
OVERSAMPLING = 64
ROUNDING = 1e-5
"""Directions of a smaller share of the largest are rounding: an undamped filter would take them for real."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What all filters of one normalised matrix share.

    Args:
        normal: R~ as float32 CSR [users and tags, n].
        vectors: float32 [n, k], V; values: float32 [k], Σ², falling.
        degree: float64 [n], smoothed weight of every item.
        beta: exponent β of the item side.
    """

    normal: sparse.csr_matrix
    vectors: Floats
    values: Floats
    degree: npt.NDArray[np.float64]
    beta: float

    @property
    def top(self) -> float:
        """The largest squared singular value."""
        return max(float(self.values[0]), 1e-12)


def spectrum(
    matrix: sparse.csr_matrix,
    alpha: float,
    beta: float,
    factors: int,
    seed: int = 0,
    smoothing: float = 0.0,
    tags: sparse.csr_matrix | None = None,
) -> Spectrum:
    """Returns the spectrum of a user-item matrix.

    Args:
        matrix: float32 CSR [users, n], weights ≥ 0.
        alpha: exponent of the users' side; beta: of the items' side.
        factors: k, directions kept.
        smoothing: κ, added to every item's weight.
        tags: float32 CSR [tags, n] or None; each stands as one more user who had the square root of an item's weight
            of all that bear it, so items without events stay out.

    Cost: O(entries · k · passes) and O(n · k²).
    """
    weight = np.asarray(matrix.sum(axis=0)).ravel()
    degree = np.maximum(weight + smoothing, 1.0).astype(np.float64)
    if tags is not None:
        matrix = sparse.csr_matrix(sparse.vstack([matrix, tags @ sparse.diags(np.sqrt(weight))]))
    of_user = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-9)
    scaled = sparse.diags(of_user**-alpha) @ matrix @ sparse.diags(degree**-beta)
    normal = sparse.csr_matrix(scaled, dtype=np.float32)
    normal.sort_indices()
    small = min(normal.shape) <= 2 * factors
    vectors, values = _exact(normal, factors) if small else _randomised(normal, factors, seed)
    return Spectrum(normal, vectors, values, degree, beta)


def low_pass(values: Floats, ridge: float) -> Floats:
    """Returns the filter f float32 [k]: `x / (x + ridge)` of x = λ/λ₁; 1 everywhere at ridge 0."""
    share = values / max(float(values[0]), 1e-12)
    return np.asarray(share / np.maximum(share + ridge, 1e-12), np.float32)


def _exact(normal: sparse.csr_matrix, factors: int) -> tuple[Floats, Floats]:
    users_are_fewer = normal.shape[0] < normal.shape[1]
    gram = (normal @ normal.T if users_are_fewer else normal.T @ normal).toarray()
    values, basis = np.linalg.eigh(gram)
    real = max(int((values > ROUNDING * values.max()).sum()), 1)
    order = np.argsort(-values, kind="stable")[: min(factors, real)]
    values, basis = np.maximum(values[order], 0), np.ascontiguousarray(basis[:, order])
    if users_are_fewer:
        basis = (normal.T @ basis) / np.sqrt(np.maximum(values, 1e-12))
    return np.asarray(basis, np.float32), np.asarray(values, np.float32)


def _randomised(normal: sparse.csr_matrix, factors: int, seed: int, passes: int = 2) -> tuple[Floats, Floats]:
    k = min(factors, min(normal.shape))
    wide = min(k + OVERSAMPLING, min(normal.shape))
    turned = sparse.csr_matrix(normal.T)
    turned.sort_indices()
    start = stream(seed, "spectrum").standard_normal((normal.shape[0], wide), dtype=np.float32)
    basis = times(turned, start)
    for _ in range(passes):
        basis = times(turned, times(normal, orthonormal(basis)))
    basis = orthonormal(orthonormal(basis))
    image = times(normal, basis)
    values, rotation = np.linalg.eigh((image.T @ image).astype(np.float32))
    order = np.argsort(-values, kind="stable")[:k]
    vectors = basis @ np.ascontiguousarray(rotation[:, order], np.float32)
    return vectors, np.maximum(values[order], 0).astype(np.float32)
