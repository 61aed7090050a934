"""Attributes of users, for those with little history: `γ_s · x_u · C`, a ridge regression from attributes to items.

`C = (XᵀX + λI)⁻¹ Xᵀ (R~ − 1·p)` with R~ the users' item weights normalised to sum 1 and p their mean, so C says what
a group chooses more or less than everyone. γ_s falls with the size of history s as `γ / (1 + s / s₀)`, but not below
a share of γ that lasts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

Floats = npt.NDArray[np.float32]
HALF_SIZE = 5.0
"""s₀: events after which attributes count half."""
GONE_SIZE = 100
"""Events after which attributes are left out."""


def regress(encoded: Floats, weights: sparse.csr_matrix, ridge: float) -> Floats:
    """Returns C, float32 [a, n].

    Args:
        encoded: float32 [users, a]; rows of 0 (nothing known) are left out.
        weights: float32 CSR [users, n], item weights ≥ 0.
        ridge: λ, in users.
    """
    total = np.asarray(weights.sum(axis=1)).ravel()
    known = np.flatnonzero((np.abs(encoded).sum(axis=1) > 0) & (total > 0))
    x = encoded[known].astype(np.float64)
    shares = sparse.diags(1.0 / total[known]) @ weights[known]
    mean = np.asarray(shares.mean(axis=0)).ravel() if len(known) else np.zeros(weights.shape[1])
    gram = x.T @ x + ridge * np.eye(x.shape[1])
    return linalg.solve(gram, x.T @ shares - np.outer(x.sum(axis=0), mean), assume_a="pos").astype(np.float32)


def fading(size: npt.NDArray[np.int32], lasting: float = 0.0) -> Floats:
    """Returns γ_s/γ float32 [b] by the number of events in the history, at least `lasting`."""
    return np.maximum(np.where(size < GONE_SIZE, 1.0 / (1.0 + size / HALF_SIZE), 0.0), lasting).astype(np.float32)
