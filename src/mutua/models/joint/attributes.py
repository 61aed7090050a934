"""Attributes of users, for those with little history: `γ_s · x_u · C`, a ridge regression from attributes to items.

`C = (XᵀX + λI)⁻¹ Xᵀ (R~ − 1·p)` with R~ the users' item weights normalised to sum 1 and p their mean, so C says what
a group chooses more or less than everyone. γ_s falls with the size of history s as `γ / (1 + s / s₀)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets

Floats = npt.NDArray[np.float32]
MOST_LEVELS = 64
HALF_SIZE = 5.0
"""s₀: events after which attributes count half."""
GONE_SIZE = 100
"""Events after which attributes are left out."""


@dataclass(frozen=True)
class Encoding:
    """How attributes become numbers, fixed when the model learns.

    Args:
        labels: levels by column name, one-hot; sets: levels by column name, several at once.
        numbers: mean and standard deviation by column name; a missing number is the mean.
    """

    labels: Mapping[str, tuple[str, ...]]
    sets: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, users: AttributeTable) -> Encoding:
        """Returns the encoding of all columns of a table that have few enough levels."""
        labels, sets, numbers = {}, {}, {}
        for name, column in sorted(users.columns.items()):
            if isinstance(column, Labels) and 1 < len(column.levels) <= MOST_LEVELS:
                labels[name] = column.levels
            elif isinstance(column, Sets) and len(column.levels) <= MOST_LEVELS:
                sets[name] = column.levels
            elif isinstance(column, Numbers) and np.isfinite(column.values).any():
                numbers[name] = (float(np.nanmean(column.values)), float(np.nanstd(column.values)) or 1.0)
        return cls(labels, sets, numbers)

    @property
    def names(self) -> tuple[str, ...]:
        """What each encoded column says, such as `age=25-34`; a numbers column is named by its attribute."""
        several = [f"{name}={level}" for part in (self.labels, self.sets) for name in part for level in part[name]]
        return (*several, *self.numbers)

    def encode(self, users: AttributeTable, rows: npt.NDArray[np.int32]) -> Floats:
        """Returns float32 [b, a] for users `rows`; what is missing, unknown or beyond the table is 0."""
        parts = [_one_hot(users, name, levels, rows) for name, levels in self.labels.items()]
        parts += [_many_hot(users, name, levels, rows) for name, levels in self.sets.items()]
        parts += [_standard(users, name, *shape, rows) for name, shape in self.numbers.items()]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(rows), 0), np.float32)

    def meta(self) -> dict[str, Any]:
        """Returns the encoding as JSON values."""
        return {
            "labels": {name: list(levels) for name, levels in self.labels.items()},
            "sets": {name: list(levels) for name, levels in self.sets.items()},
            "numbers": {name: list(shape) for name, shape in self.numbers.items()},
        }

    @classmethod
    def restore(cls, meta: Mapping[str, Any]) -> Encoding:
        """Returns the encoding that `meta` describes."""
        return cls(
            {name: tuple(levels) for name, levels in meta["labels"].items()},
            {name: tuple(levels) for name, levels in meta["sets"].items()},
            {name: (shape[0], shape[1]) for name, shape in meta["numbers"].items()},
        )


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


def fading(size: npt.NDArray[np.int32]) -> Floats:
    """Returns γ_s/γ float32 [b] by the number of events in the history."""
    return np.where(size < GONE_SIZE, 1.0 / (1.0 + size / HALF_SIZE), 0.0).astype(np.float32)


def _one_hot(users: AttributeTable, name: str, levels: tuple[str, ...], rows: npt.NDArray[np.int32]) -> Floats:
    out = np.zeros((len(rows), len(levels)), np.float32)
    column = users.labels(name)
    if column is not None:
        place = {level: at for at, level in enumerate(levels)}
        to_ours = np.array([place.get(level, -1) for level in column.levels] + [-1])
        inside = rows < users.size
        ours = np.full(len(rows), -1)
        ours[inside] = to_ours[column.codes[rows[inside]]]
        out[np.flatnonzero(ours >= 0), ours[ours >= 0]] = 1.0
    return out


def _many_hot(users: AttributeTable, name: str, levels: tuple[str, ...], rows: npt.NDArray[np.int32]) -> Floats:
    out = np.zeros((len(rows), len(levels)), np.float32)
    column = users.columns.get(name)
    if isinstance(column, Sets):
        inside = rows < users.size
        theirs = {level: at for at, level in enumerate(column.levels)}
        for at, level in enumerate(levels):
            if level in theirs:
                out[inside, at] = column.matrix[rows[inside], theirs[level]].toarray().ravel()
    return out


def _standard(users: AttributeTable, name: str, mean: float, spread: float, rows: npt.NDArray[np.int32]) -> Floats:
    out = np.zeros((len(rows), 1), np.float32)
    column = users.numbers(name)
    if column is not None:
        inside = rows < users.size
        out[inside, 0] = np.nan_to_num((column.values[rows[inside]] - mean) / spread)
    return out
