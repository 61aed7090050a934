"""Implicit alternating least squares (Hu, Koren & Volinsky 2008), regularised by frequency (Rendle et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Self, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.core.seeds import stream
from mutua.models.base import Arrays, TrainingData
from mutua.models.decomposition import truncated_svd
from mutua.models.linear import kernels
from mutua.models.linear.item_item import cosines, without_itself
from mutua.models.matrices import (
    Transform,
    compressed,
    implicit_encoder,
    learning_matrix,
    transformed,
    views_matrix,
)
from mutua.models.reasons import reasons_by_item
from mutua.models.settings import at_least, one_of
from mutua.models.space import Span
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Floats, Views
from mutua.slates import Reason

_STEPS = 3
"""Conjugate-gradient steps a half iteration, from the solution before it (Takács, Pilászy & Tikk 2011)."""


@dataclass(frozen=True, eq=False)
class IalsModel:
    """Item vectors only: the vector of a view is its exact least-squares solution. An empty view scores 0 everywhere.

    Args:
        factors: float32 [n_items, d].
        gram: float64 [d, d], α · Σ f fᵀ.
        alpha: α, the weight of every pair as a zero.
        encoder: makes the views that this model was learned on.
        learner: the hyper-parameters.
    """

    name: ClassVar[str] = "ials"
    linear: ClassVar[bool] = False

    factors: Floats
    gram: npt.NDArray[np.float64]
    alpha: float
    encoder: Encoder
    learner: Ials

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return len(self.factors)

    def confidence(self, views: Views) -> sparse.csr_matrix:
        """Returns the confidence of every positive entry, float32 CSR [b, n_items]."""
        return transformed(views_matrix(views, self.n_items), self.learner.transform)

    def fold_in(self, views: Views) -> Floats:
        """Returns the vectors of `views`, float32 [b, d]; cost: O(items · d² + d³) a view."""
        matrix = self.confidence(views)
        right = np.asarray(matrix @ self.factors, np.float64)
        return self._solved(matrix, right).astype(np.float32)

    def score(self, views: Views) -> Floats:
        """Returns float32 [b, n_items]."""
        return self.fold_in(views) @ self.factors.T

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns one `influence` reason for each history item: c_j f_iᵀ A⁻¹ f_j (Hu et al., §5).

        They sum to the score. A holds the confidences of the whole history, so taking an item out also changes the
        terms of the others.
        """
        matrix = self.confidence(views)
        toward = self._solved(matrix, self.factors[[item]].astype(np.float64))[0]
        by_item = np.zeros(self.n_items)
        by_item[matrix.indices] = matrix.data * (self.factors[matrix.indices] @ toward)
        known = views.item < self.n_items
        amounts = np.where(known, by_item[np.where(known, views.item, 0)], 0.0)
        return reasons_by_item(views, evidence, amounts)

    def similar(self, item: int) -> Floats:
        """Returns the cosine of item vectors, float32 [n_items]; the item itself at −inf."""
        return without_itself(cosines(self.factors, item), item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        return {"factors": self.factors, "gram": self.gram, **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": asdict(self.learner), "alpha": self.alpha}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        learner = Ials(**meta["settings"])
        return cls(arrays["factors"], arrays["gram"], meta["alpha"], Encoder.restore(arrays), learner)

    def _solved(self, matrix: sparse.csr_matrix, right: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        scale = self.learner.penalties(matrix, self.alpha)
        kernels.ridge(*compressed(matrix), self.factors, self.gram, scale, np.ones(len(self.gram)), right)
        return right


@dataclass(frozen=True)
class Ials:
    """Minimises Σ_{ui} c_ui (1 − x_u·f_i)² + α Σ_{all ui} (x_u·f_i)² + λ Σ_u (Σ_i c_ui + α|I|)^ν |x_u|² + λ Σ_i ….

    Args:
        factors: length d of the vectors.
        iterations: passes over users and items.
        unobserved: > 0, weight of all pairs as zeros together, in units of the confidences together: α = unobserved ·
            Σ c / (users · items), so that one value suits small and large catalogues.
        ridge: λ > 0.
        exponent: ν in [0, 1]: 1 regularises frequent rows in proportion to their data, 0 all rows alike.
        transform: how weights become confidences c.
    """

    name: ClassVar[str] = "ials"
    model: ClassVar[type[IalsModel]] = IalsModel

    factors: Annotated[int, Span(16, 256, even=True)] = 64
    iterations: Annotated[int, Span(4, 20)] = 12
    unobserved: Annotated[float, Span(1, 100, even=True)] = 10.0
    ridge: Annotated[float, Span(1e-3, 0.3, even=True)] = 0.01
    exponent: Annotated[float, Span(0, 1)] = 1.0
    transform: Transform = "log"

    def __post_init__(self) -> None:
        at_least(self, factors=1, iterations=1, unobserved=1e-9, ridge=1e-9, exponent=0)
        one_of(self, "transform", get_args(Transform))

    def learn(self, data: TrainingData, seed: int = 0) -> IalsModel:
        """Returns the model; cost a pass: O(events · d + (users + items) · d²). `seed` moves the start alone.

        Raises:
            NotEnoughData: code `data.too-few`.
        """
        encoder = implicit_encoder(data.interactions)
        matrix = learning_matrix(data, encoder, self.transform)
        matrix = matrix[np.diff(matrix.indptr) > 0]
        alpha = self.unobserved * float(matrix.sum()) / (matrix.shape[0] * matrix.shape[1])
        items = self._trained(matrix, alpha, stream(seed, "ials"))
        wide = items.astype(np.float64)
        return IalsModel(items, alpha * wide.T @ wide, alpha, encoder, self)

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns weights of the unobserved and penalties around the given ones."""
        grid = [(weight, ridge) for weight in (1.0, 3.0, 0.3) for ridge in (1.0, 2.0, 0.3)]
        return tuple(replace(self, unobserved=self.unobserved * a, ridge=self.ridge * r) for a, r in grid)

    def penalties(self, matrix: sparse.csr_matrix, alpha: float) -> npt.NDArray[np.float64]:
        """Returns λ (Σ_i c_ui + α|I|)^ν for every row, float64 [rows]."""
        observed = np.asarray(matrix.sum(axis=1), np.float64).ravel()
        return self.ridge * (observed + alpha * matrix.shape[1]) ** self.exponent

    def _trained(self, matrix: sparse.csr_matrix, alpha: float, rng: np.random.Generator) -> Floats:
        """Returns item vectors, started from singular vectors, so that the order of users and items does not matter."""
        left, values, right = truncated_svd(matrix, self.factors, rng, powers=2)
        users = (left * np.sqrt(values)).astype(np.float32)
        items = (right * np.sqrt(values)).astype(np.float32)
        transposed = sparse.csr_matrix(matrix.T)
        for _ in range(self.iterations):
            self._improve(matrix, alpha, users, items)
            self._improve(transposed, alpha, items, users)
        return items

    def _improve(self, matrix: sparse.csr_matrix, alpha: float, rows: Floats, others: Floats) -> None:
        gram = np.float32(alpha) * (others.T @ others)
        scale = self.penalties(matrix, alpha).astype(np.float32)
        kernels.descend(*compressed(matrix), others, gram, scale, _STEPS, rows)
