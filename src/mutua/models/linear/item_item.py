"""What models with one weight from item to item share: scores are sums over the history, so they come apart exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.models import kernels
from mutua.models.base import Arrays
from mutua.models.matrices import compressed, matrix_arrays, restore_matrix, views_matrix
from mutua.models.reasons import reasons_by_event
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Floats, Views
from mutua.slates import Reason


@dataclass(frozen=True, eq=False)
class SparseItemItem:
    """score(i) = Σ_j h[j] · W[j, i] with W kept sparse. An empty view scores 0 everywhere.

    Args:
        weights: float32 CSR [n_items, n_items], from history item (row) to scored item (column), diagonal 0.
        encoder: makes the views that this model was learned on.
        settings: the learner's hyper-parameters.
    """

    name: ClassVar[str]
    linear: ClassVar[bool] = True

    weights: sparse.csr_matrix
    encoder: Encoder
    settings: Mapping[str, Any]

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return self.weights.shape[0]

    @cached_property
    def _rows(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[Any]]:
        return compressed(self.weights)

    def score(self, views: Views) -> Floats:
        """Returns float32 [b, n_items]; cost: one pass over the rows of W of the items in each history."""
        scores = np.zeros((len(views), self.n_items), np.float32)
        if len(views) == 1:
            kernels.add_rows(views.item, views.weight, *self._rows, scores[0])
        else:
            kernels.add_all_rows(views.start, views.item, views.weight, *self._rows, scores)
        return scores

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns one `influence` reason for each event; they sum to the score."""
        known = views.item < self.n_items
        rates = np.zeros(len(views.item))
        rates[known] = self.weights[views.item[known], item].toarray().ravel()
        return reasons_by_event(views, evidence, rates)

    def similar(self, item: int) -> Floats:
        """Returns the weights from `item` to every other, float32 [n_items]; itself at −inf."""
        return without_itself(self.weights[[item]].toarray().ravel(), item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        return {**matrix_arrays("weights", self.weights), **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": dict(self.settings)}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(restore_matrix("weights", arrays), Encoder.restore(arrays), meta["settings"])


@dataclass(frozen=True, eq=False)
class FactoredItemItem:
    """score(i) = (Σ_j h[j] · F[j]) · F[i]: the weight between two items is the product of their vectors.

    An empty view scores 0 everywhere.

    Args:
        factors: float32 [n_items, d]; zeros for an item of which nothing is known.
        encoder: makes the views that this model was learned on.
        settings: the learner's hyper-parameters.
    """

    name: ClassVar[str]
    linear: ClassVar[bool] = True

    factors: Floats
    encoder: Encoder
    settings: Mapping[str, Any]

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return len(self.factors)

    def score(self, views: Views) -> Floats:
        """Returns float32 [b, n_items]; cost: O(n_items · d) a view."""
        profiles: Floats = views_matrix(views, self.n_items) @ self.factors
        scores: Floats = profiles @ self.factors.T
        return scores

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns one `influence` reason for each event; they sum to the score."""
        known = views.item < self.n_items
        rates = np.zeros(len(views.item))
        rates[known] = self.factors[views.item[known]].astype(np.float64) @ self.factors[item]
        return reasons_by_event(views, evidence, rates)

    def similar(self, item: int) -> Floats:
        """Returns the cosine of `item` with every other, float32 [n_items]; itself at −inf."""
        return without_itself(cosines(self.factors, item), item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        return {"factors": self.factors, **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": dict(self.settings)}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(arrays["factors"], Encoder.restore(arrays), meta["settings"])


def without_itself(likeness: Floats, item: int) -> Floats:
    """Returns a copy with −inf at `item`."""
    result = np.array(likeness, np.float32)
    result[item] = -np.inf
    return result


def cosines(factors: Floats, item: int) -> Floats:
    """Returns the cosine of row `item` with every row, float32 [n]; 0 where a row is all zeros."""
    lengths = np.linalg.norm(factors, axis=1)
    products: Floats = factors @ factors[item]
    below = lengths * lengths[item]
    result: Floats = np.divide(products, below, out=np.zeros_like(products), where=below > 0)
    return result
