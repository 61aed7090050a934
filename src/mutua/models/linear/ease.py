"""EASE: the item-to-item weights of a ridge regression with a zero diagonal (Steck 2019)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Self, get_args

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from mutua.errors import ConfigError, TooLarge
from mutua.models.base import TrainingData
from mutua.models.linear.item_item import SparseItemItem
from mutua.models.matrices import Transform, implicit_encoder, learning_matrix
from mutua.models.settings import at_least, one_of
from mutua.models.space import Span

Gram = npt.NDArray[Any]
LIMIT = 20_000
"""Items with events beyond which the dense inverse (4 · n² bytes, twice) is refused."""


class EaseModel(SparseItemItem):
    """Weights are the regression's coefficients, all of them or the largest of each scored item."""

    name: ClassVar[str] = "ease"


@dataclass(frozen=True)
class Ease:
    """W = I − P / diag(P) with P = (XᵀX + ridge·I)⁻¹: the best X ≈ X·W under diag(W) = 0 and an L2 penalty.

    Args:
        ridge: > 0, the penalty.
        neighbours: coefficients that each scored item keeps, the largest in size; 0 keeps all.
        transform: how weights enter X.
    """

    name: ClassVar[str] = "ease"
    model: ClassVar[type[EaseModel]] = EaseModel

    ridge: Annotated[float, Span(1, 10_000, even=True)] = 200.0
    neighbours: int = 0
    transform: Transform = "log"

    def __post_init__(self) -> None:
        at_least(self, ridge=1e-6, neighbours=0)
        one_of(self, "transform", get_args(Transform))

    def learn(self, data: TrainingData, seed: int = 0) -> EaseModel:
        """Returns the model; cost: cubic in the number of items with events. Draws nothing from `seed`.

        Raises:
            NotEnoughData: code `data.too-few`.
            TooLarge: code `input.too-large`; more than 20,000 items have events.
        """
        encoder = implicit_encoder(data.interactions)
        matrix = learning_matrix(data, encoder, self.transform)
        active = np.unique(matrix.indices)
        if len(active) > LIMIT:
            raise TooLarge(
                f"ease on {len(active):,} items",
                f"at most {LIMIT:,} items with events",
                "use item-knn, ials or default, whose cost does not grow with the cube of the items",
            )
        weights = cut(regression(matrix[:, active], self.ridge), self.neighbours).tocoo()
        places = active[weights.row], active[weights.col]
        return EaseModel(
            sparse.csr_matrix((weights.data, places), shape=(data.n_items, data.n_items)), encoder, asdict(self)
        )

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns penalties around the given one, which matters most."""
        return tuple(replace(self, ridge=self.ridge * factor) for factor in (1.0, 0.25, 4.0, 0.0625, 16.0))


def regression(matrix: sparse.csr_matrix, ridge: float) -> npt.NDArray[np.float32]:
    """Returns the coefficients W, float32 [n, n], of regressing every column of `matrix` on the others."""
    gram: Gram = (matrix.T @ matrix).toarray().astype(np.float64 if matrix.shape[1] <= LIMIT // 4 else np.float32)
    np.fill_diagonal(gram, gram.diagonal() + ridge)
    weights = inverse(gram)
    weights = np.asarray(weights / -np.diag(weights), np.float32)
    np.fill_diagonal(weights, 0.0)
    return weights


def inverse(gram: Gram) -> Gram:
    """Returns the inverse of a positive definite matrix, which is overwritten: Cholesky, then LAPACK's potri."""
    factorise: Any
    invert: Any
    factorise, invert = linalg.get_lapack_funcs(("potrf", "potri"), (gram,))  # type: ignore[misc]
    upper, failed = factorise(gram.T, lower=False, overwrite_a=True, clean=True)
    if failed:
        raise ConfigError("ease: XᵀX + ridge is singular", "a positive definite matrix", "choose a larger ridge")
    result = invert(upper, lower=False, overwrite_c=True)[0]
    full: Gram = np.triu(result) + np.triu(result, 1).T
    return full


def cut(weights: npt.NDArray[np.float32], n: int) -> sparse.csr_matrix:
    """Returns `weights` with only the n largest in size of every column; all of them for n = 0."""
    if 0 < n < len(weights):
        size = np.abs(weights)
        weights = np.where(size >= np.partition(size, -n, axis=0)[-n], weights, np.float32(0.0))
    return sparse.csr_matrix(weights)
