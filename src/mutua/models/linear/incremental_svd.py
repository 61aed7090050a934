"""Singular value decomposition that takes in new events without learning again (PureSVD, Cremonesi et al. 2010)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Self, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.models.base import Arrays, TrainingData
from mutua.models.decomposition import truncated_svd
from mutua.models.linear.item_item import FactoredItemItem
from mutua.models.matrices import (
    Transform,
    implicit_encoder,
    learning_views,
    matrix_arrays,
    not_enough,
    restore_matrix,
    transformed,
    views_matrix,
)
from mutua.models.settings import at_least, one_of
from mutua.models.space import Span
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder

Floats64 = npt.NDArray[np.float64]
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class IncrementalSvdModel(FactoredItemItem):
    """`factors` are the right singular vectors; the rest is what an update needs.

    Args:
        left: float64 [users, d], left singular vectors by inner user index.
        values: float64 [d], singular values, descending.
        right: float64 [n_items, d], `factors` in full precision.
        rows: float32 CSR [users, n_items], the weights taken in so far, before the transform.
    """

    name: ClassVar[str] = "incremental-svd"

    left: Floats64
    values: Floats64
    right: Floats64
    rows: sparse.csr_matrix

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        parts = {"left": self.left, "values": self.values, "right": self.right}
        return {**parts, **matrix_arrays("rows", self.rows), **self.encoder.arrays()}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        parts = arrays["left"], arrays["values"], arrays["right"], restore_matrix("rows", arrays)
        return cls._of(*parts, Encoder.restore(arrays), meta["settings"])

    @classmethod
    def _of(
        cls,
        left: Floats64,
        values: Floats64,
        right: Floats64,
        rows: sparse.csr_matrix,
        encoder: Encoder,
        settings: Mapping[str, Any],
    ) -> Self:
        factors = np.ascontiguousarray(right, np.float32)
        return cls(factors, encoder, settings, left, values, right, rows)


@dataclass(frozen=True)
class IncrementalSvd:
    """score = h V Vᵀ, V the right singular vectors of users by items.

    Args:
        factors: number d of singular vectors.
        transform: how weights enter the matrix.
    """

    name: ClassVar[str] = "incremental-svd"
    model: ClassVar[type[IncrementalSvdModel]] = IncrementalSvdModel

    factors: Annotated[int, Span(8, 400, even=True)] = 50
    transform: Transform = "log"

    def __post_init__(self) -> None:
        at_least(self, factors=1)
        one_of(self, "transform", get_args(Transform))

    def learn(self, data: TrainingData, seed: int = 0) -> IncrementalSvdModel:
        """Returns the model; cost: O(events · d + (users + items) · d²).

        Raises:
            NotEnoughData: code `data.too-few`.
        """
        encoder = implicit_encoder(data.interactions)
        rows = views_matrix(learning_views(data, encoder), data.n_items)
        matrix = transformed(rows, self.transform)
        if not matrix.nnz:
            raise not_enough("no interaction of positive weight")
        parts = truncated_svd(matrix, self.factors, stream(seed, "incremental-svd"))
        return IncrementalSvdModel._of(*parts, rows, encoder, asdict(self))

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns four numbers of singular vectors."""
        return tuple(dict.fromkeys(replace(self, factors=size) for size in (self.factors, 20, 100, 200)))


def update(model: IncrementalSvdModel, new: Interactions) -> IncrementalSvdModel:
    """Returns `model` with new interactions taken in, of known and of new users and items alike.

    The thin SVD is modified by the rows' changes, X + A Bᵀ (Brand 2006, §3): exact as long as the number of factors
    holds all directions of the matrix, else the best approximation of the truncated matrix with the change added.

    Args:
        new: interactions not yet taken in, grouped by user; their vocabularies may have grown.

    Cost: O((users + items) · (d + 64)²) for every 64 users with new events; nothing depends on the old events
    but one copy of their rows.
    """
    users, items = max(new.n_users, len(model.left)), max(new.n_items, model.n_items)
    settings = IncrementalSvd(**model.settings)
    before = _grown(model.rows, users, items)
    added = views_matrix(fold.views(new, model.encoder, int(new.time.max(initial=0))), items)
    after = sparse.csr_matrix(before + _grown(added, users, items))
    change = sparse.csr_matrix(transformed(after, settings.transform) - transformed(before, settings.transform))
    touched = np.flatnonzero(np.diff(change.indptr))
    left, values, right = _taller(model.left, users), model.values, _taller(model.right, items)
    for low in range(0, len(touched), _CHUNK):
        chosen = touched[low : low + _CHUNK]
        left, values, right = modified(left, values, right, chosen, change[chosen].toarray(), settings.factors)
    return IncrementalSvdModel._of(left, values, right, after, model.encoder, model.settings)


def modified(
    left: Floats64, values: Floats64, right: Floats64, chosen: npt.NDArray[np.intp], change: Floats64, rank: int
) -> tuple[Floats64, Floats64, Floats64]:
    """Returns the SVD of `left · diag(values) · rightᵀ` with `change` added to the rows `chosen`, cut to `rank`."""
    indicator = np.zeros((len(left), len(chosen)))
    indicator[chosen, np.arange(len(chosen))] = 1.0
    left_base, left_parts = _extended(left, indicator)
    right_base, right_parts = _extended(right, change.T)
    core = left_parts @ right_parts.T
    core[: len(values), : len(values)] += np.diag(values)
    turn_left, new_values, turn_right = np.linalg.svd(core, full_matrices=False)
    count = min(rank, int(np.sum(new_values > 1e-10 * max(float(new_values[0]), 1e-300))))
    return left_base @ turn_left[:, :count], new_values[:count], right_base @ turn_right[:count].T


def _extended(basis: Floats64, columns: Floats64) -> tuple[Floats64, Floats64]:
    """Returns an orthonormal basis of both, the old one first, and the coordinates of `columns` in it."""
    inside = basis.T @ columns
    rest = columns - basis @ inside
    again = basis.T @ rest
    extra, outside = np.linalg.qr(rest - basis @ again)
    return np.hstack((basis, extra)), np.vstack((inside + again, outside))


def _grown(matrix: sparse.csr_matrix, rows: int, columns: int) -> sparse.csr_matrix:
    start = np.append(matrix.indptr, np.full(rows - matrix.shape[0], matrix.indptr[-1]))
    return sparse.csr_matrix((matrix.data, matrix.indices, start), shape=(rows, columns))


def _taller(matrix: Floats64, rows: int) -> Floats64:
    return np.concatenate((matrix, np.zeros((rows - len(matrix), matrix.shape[1]))))
