"""Attributes as numbers: fused values as columns, and columns as what a model can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import AttributeTable, Column, Labels, Numbers, Sets
from mutua.profiles.facts import Value, is_number
from mutua.profiles.fusion import Fused

Floats = npt.NDArray[np.float32]
MOST_LEVELS = 64
"""Levels of one column that become columns of their own, the most frequent ones."""
MISSING = "missing"


def fused_table(users: Sequence[Mapping[str, Fused]]) -> AttributeTable:
    """Returns the fused attributes of users, by inner index, as columns.

    An attribute whose values are all numbers (or truth values) becomes numbers; one with any list, sets of labels;
    every other one, labels.
    """
    names = sorted({name for fused in users for name in fused})
    values = {name: [fused[name].value if name in fused else None for fused in users] for name in names}
    return AttributeTable(len(users), {name: _column(said) for name, said in values.items()})


def _column(values: Sequence[Value | None]) -> Column:
    known = [value for value in values if value is not None]
    if all(is_number(value) or isinstance(value, bool) for value in known):
        numbers = [np.nan if value is None else float(value) for value in values if not isinstance(value, str | tuple)]
        return Numbers(np.array(numbers, np.float32))
    if any(isinstance(value, tuple) for value in known):
        rows = [() if value is None else value if isinstance(value, tuple) else (value,) for value in values]
        return _sets([sorted({str(label) for label in row}) for row in rows])
    levels = {level: code for code, level in enumerate(sorted({str(value) for value in known}))}
    codes = [-1 if value is None else levels[str(value)] for value in values]
    return Labels(np.array(codes, np.int32), tuple(levels))


def _sets(rows: Sequence[Sequence[str]]) -> Sets:
    levels = {level: code for code, level in enumerate(sorted({level for row in rows for level in row}))}
    indices = np.array([levels[level] for row in rows for level in row], np.int32)
    start = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64)))
    ones = np.ones(len(indices), np.float32)
    return Sets(sparse.csr_matrix((ones, indices, start), shape=(len(rows), len(levels))), tuple(levels))


@dataclass(frozen=True)
class AttributeEncoding:
    """How columns become numbers: one-hot labels, standardised numbers, and a mask of what is missing.

    Args:
        levels: by column of labels or sets, the levels that have a column of their own.
        shapes: by column of numbers, mean and standard deviation.
    """

    levels: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, table: AttributeTable, most_levels: int = MOST_LEVELS) -> AttributeEncoding:
        """Returns the encoding of every column of labels, sets or numbers that says anything."""
        levels: dict[str, tuple[str, ...]] = {}
        shapes: dict[str, tuple[float, float]] = {}
        for name, column in sorted(table.columns.items()):
            if isinstance(column, Numbers) and np.isfinite(column.values).any():
                finite = column.values[np.isfinite(column.values)].astype(np.float64)
                shapes[name] = float(finite.mean()), float(finite.std()) or 1.0
            elif isinstance(column, Labels | Sets) and column.levels:
                frequent = np.argsort(-_hot(column, np.arange(table.size)).sum(axis=0), kind="stable")[:most_levels]
                levels[name] = tuple(column.levels[code] for code in sorted(frequent))
        return cls(levels, shapes)

    @property
    def names(self) -> tuple[str, ...]:
        """What every encoded column says: `plan=gold`, `age`, and `age=missing` for the masks."""
        hot = [f"{name}={level}" for name, levels in self.levels.items() for level in levels]
        return (*hot, *self.shapes, *(f"{name}={MISSING}" for name in (*self.levels, *self.shapes)))

    def encode(self, table: AttributeTable, rows: npt.NDArray[np.int32]) -> Floats:
        """Returns the attributes of `rows`, float32 [b, a], columns as in `names`.

        What is missing, of an unknown level or beyond the table is 0 and marked in its mask.
        """
        parts, missing = [], []
        for name, wanted in self.levels.items():
            column = table.columns.get(name)
            hot = np.zeros((len(rows), len(wanted)), np.float32)
            if isinstance(column, Labels | Sets):
                whole = _hot(column, rows)
                place = {level: code for code, level in enumerate(column.levels)}
                for position, level in enumerate(wanted):
                    if level in place:
                        hot[:, position] = whole[:, place[level]]
            parts.append(hot)
            missing.append(~hot.any(axis=1))
        for name, (mean, deviation) in self.shapes.items():
            values = _numbers(table.columns.get(name), rows)
            known = np.isfinite(values)
            parts.append(np.where(known, (values - mean) / deviation, 0.0).astype(np.float32)[:, None])
            missing.append(~known)
        masks = np.array(missing, np.float32).reshape(len(missing), len(rows)).T
        return np.ascontiguousarray(np.concatenate((*parts, masks), axis=1))

    def meta(self) -> dict[str, Any]:
        """Returns the encoding as JSON values."""
        return {
            "levels": {k: list(v) for k, v in self.levels.items()},
            "shapes": {k: list(v) for k, v in self.shapes.items()},
        }

    @classmethod
    def restore(cls, meta: Mapping[str, Any]) -> AttributeEncoding:
        """Returns the encoding that `meta` describes."""
        return cls(
            {name: tuple(levels) for name, levels in meta["levels"].items()},
            {name: (float(mean), float(deviation)) for name, (mean, deviation) in meta["shapes"].items()},
        )


def encode_attributes(table: AttributeTable) -> tuple[Floats, tuple[str, ...]]:
    """Returns all rows of `table` as float32 [n, a] and the names of its columns; see `AttributeEncoding`."""
    encoding = AttributeEncoding.of(table)
    return encoding.encode(table, np.arange(table.size, dtype=np.int32)), encoding.names


def _hot(column: Labels | Sets, rows: npt.NDArray[Any]) -> Floats:
    hot = np.zeros((len(rows), len(column.levels)), np.float32)
    if isinstance(column, Sets):
        inside = np.flatnonzero(rows < column.matrix.shape[0])
        hot[inside] = column.matrix[rows[inside]].toarray() > 0
        return hot
    inside = np.flatnonzero(rows < len(column.codes))
    codes = column.codes[rows[inside]]
    hot[inside[codes >= 0], codes[codes >= 0]] = 1.0
    return hot


def _numbers(column: Column | None, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    values = np.full(len(rows), np.nan)
    if isinstance(column, Numbers):
        inside = np.flatnonzero(rows < len(column.values))
        values[inside] = column.values[rows[inside]]
    return values
