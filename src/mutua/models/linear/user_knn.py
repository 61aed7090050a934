"""User-based nearest neighbours: what people alike had (Resnick et al. 1994; Herlocker et al. 1999)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self, get_args

import numpy as np
from scipy import sparse

from mutua.models.base import Arrays, TrainingData
from mutua.models.linear.item_item import without_itself
from mutua.models.matrices import (
    Transform,
    implicit_encoder,
    learning_matrix,
    matrix_arrays,
    restore_matrix,
    transformed,
    views_matrix,
)
from mutua.models.neighbours import NeighbourIndex
from mutua.models.reasons import by_size
from mutua.models.settings import at_least, one_of
from mutua.models.space import Span
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Floats, Views
from mutua.slates import Reason


@dataclass(frozen=True, eq=False)
class UserKnnModel:
    """Holds the learned users as anonymous rows; an empty view has no neighbours and scores 0 everywhere.

    Args:
        rows: float32 CSR [users, n_items], the learned users' items.
        encoder: makes the views that this model was learned on.
        learner: the hyper-parameters.
    """

    name: ClassVar[str] = "user-knn"
    linear: ClassVar[bool] = False

    rows: sparse.csr_matrix
    encoder: Encoder
    learner: UserKnn

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return self.rows.shape[1]

    @cached_property
    def _index(self) -> NeighbourIndex:
        return NeighbourIndex.of(self.rows)

    def neighbours(self, views: Views) -> sparse.csr_matrix:
        """Returns the likeness of each view to its nearest learned users, float32 CSR [b, users]."""
        own = transformed(views_matrix(views, self.n_items), self.learner.transform)
        return self._index.nearest(own, self.learner.neighbours, self.learner.shrink, itself=True)

    def score(self, views: Views) -> Floats:
        """Returns float32 [b, n_items]; cost: the learned users of every item in the history."""
        return np.asarray((self.neighbours(views) @ self.rows).toarray(), np.float32)

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns one `similar-user` reason for each neighbour who had the item, with the number of items shared."""
        alike = self.neighbours(views)
        amounts = alike.data.astype(np.float64) * self.rows[alike.indices, item].toarray().ravel()
        kept = np.flatnonzero(amounts)
        own = views.item[(views.item < self.n_items) & (views.weight > 0)]
        shared = (self.rows[alike.indices[kept]][:, own] > 0).sum(axis=1)
        counts = np.asarray(shared).ravel().tolist()
        return by_size(
            [
                Reason("similar-user", float(amounts[row]), label=f"{count} in common")
                for row, count in zip(kept, counts, strict=True)
            ]
        )

    def similar(self, item: int) -> Floats:
        """Returns the cosine of the columns of users, float32 [n_items]; the item itself at −inf."""
        columns = sparse.csr_matrix(self.rows.T)
        alike = NeighbourIndex.of(columns).nearest(columns[[item]], self.n_items, itself=True)
        return without_itself(alike.toarray().ravel(), item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        return {**matrix_arrays("rows", self.rows), **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": asdict(self.learner)}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(restore_matrix("rows", arrays), Encoder.restore(arrays), UserKnn(**meta["settings"]))


@dataclass(frozen=True)
class UserKnn:
    """score(i) = Σ_{v ∈ N(u)} x_u·x_v / (|x_u||x_v| + shrink) · x_v[i], over the nearest learned users N(u) of a view.

    Args:
        neighbours: how many learned users are asked.
        shrink: ≥ 0; damps the likeness of users with few items.
        transform: how weights enter the rows x, of learned users and of views alike.
    """

    name: ClassVar[str] = "user-knn"
    model: ClassVar[type[UserKnnModel]] = UserKnnModel

    neighbours: Annotated[int, Span(10, 500, even=True)] = 100
    shrink: Annotated[float, Span(0, 200)] = 10.0
    transform: Transform = "log"

    def __post_init__(self) -> None:
        at_least(self, neighbours=1, shrink=0)
        one_of(self, "transform", get_args(Transform))

    def learn(self, data: TrainingData, seed: int = 0) -> UserKnnModel:
        """Returns the model, which is the users' rows; draws nothing from `seed`.

        Raises:
            NotEnoughData: code `data.too-few`.
        """
        encoder = implicit_encoder(data.interactions)
        rows = learning_matrix(data, encoder, self.transform)
        return UserKnnModel(rows[np.diff(rows.indptr) > 0], encoder, self)

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns neighbourhoods of three sizes and two shrinkages."""
        grid = [(size, shrink) for size in (self.neighbours, 50, 300) for shrink in (self.shrink, 0.0)]
        return tuple(dict.fromkeys(replace(self, neighbours=size, shrink=shrink) for size, shrink in grid))
