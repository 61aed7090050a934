"""One column that grows and changes row by row, and is at any time what `columns.column` makes of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.columns import Kind, as_text, built, joined, kind_of, members, shape_of, shapes
from mutua.catalog.facts import Facts
from mutua.catalog.table import Column, Labels, Numbers, Sets, Texts, Vectors

LONG_AGO = np.iinfo(np.int64).min
LEFT_OVER = 1_000
"""Labels that no row may bear any more, besides twice those that some do, before the column is made anew."""


class Growing:
    """An attribute of n rows.

    Args:
        name: of the attribute; facts: what was said of it so far.
        size: n; more may follow.
    """

    def __init__(self, name: str, facts: Facts | None, size: int) -> None:
        self.name, self.size = name, size
        self._values: list[Any] = [None] * size
        self._latest = np.full(size, LONG_AGO, np.int64)
        if facts is not None:
            newest = facts.newest()
            np.maximum.at(self._latest, facts.row, facts.time)
            for row, value in zip(newest.row.tolist(), newest.values, strict=True):
                self._values[row] = value
        self._shapes = shapes(value for value in self._values if value is not None)
        self.kind: Kind = kind_of(name, self._shapes)
        self._made: Column | None = None
        self._texts: list[str] = []
        self._place: dict[str, int] = {}
        self._resets: dict[int, list[str]] = {}

    @property
    def standing(self) -> bool:
        """Whether any row has a value."""
        return bool(self._shapes)

    def value(self, row: int) -> Any:
        """Returns the plain value of a row, None where nothing stands."""
        return self._values[row] if row < len(self._values) else None

    def latest(self, row: int) -> int:
        """Returns the newest time at which anything was said of a row, withdrawn words too."""
        return int(self._latest[row]) if row < len(self._latest) else LONG_AGO

    def write(self, row: int, value: Any, time: int | None) -> None:
        """Writes the value that stands for a row below n, None for none, and when it was last spoken of."""
        self._reach()
        self._latest[row] = LONG_AGO if time is None else time
        before = self._values[row]
        if value == before and shape_of(value) == shape_of(before) and as_text(value) == as_text(before):
            return  # true, 1 and 1.0 are equal, but other labels
        self._values[row] = value
        self._count(before, -1)
        self._count(value, 1)
        kind = kind_of(self.name, self._shapes)
        if kind != self.kind or not self._placed(row, value, before):
            self._made = None
            self._resets.clear()
        self.kind = kind

    def column(self) -> Column:
        """Returns the column over n rows; made anew only where rows could not be written in place."""
        self._reach()
        if self._made is None:
            said = [(row, value) for row, value in enumerate(self._values) if value is not None]
            rows = np.array([row for row, _ in said], np.int32)
            self._made = self._open(built(self.kind, rows, [value for _, value in said], self.size))
        elif isinstance(self._made, Sets) and (self._resets or self._made.matrix.shape[0] < self.size):
            self._made = with_sets(self._made, self._resets, self.size)
            self._resets.clear()
        return _first(self._made, self.size)

    def _open(self, made: Column) -> Column:
        """The column with texts that may change."""
        if isinstance(made, Labels):
            self._texts = list(made.levels)
            self._place = {level: code for code, level in enumerate(self._texts)}
            return Labels(made.codes, self._texts)
        if isinstance(made, Texts):
            self._texts = list(made.values)
            return Texts(self._texts)
        return made

    def _count(self, value: Any, change: int) -> None:
        if value is None:
            return
        shape = shape_of(value)
        self._shapes[shape] += change
        if not self._shapes[shape]:
            del self._shapes[shape]

    def _placed(self, row: int, value: Any, before: Any) -> bool:
        """Writes a row of the made column in place and returns whether that could be done."""
        made = self._made
        if isinstance(made, Numbers):
            made.values[row] = np.nan if value is None else value
        elif isinstance(made, Texts):
            self._texts[row] = "" if value is None else joined(value)
        elif isinstance(made, Labels):
            if len(made.levels) > 2 * self._shapes.total() + LEFT_OVER:
                return False
            made.codes[row] = -1 if value is None else self._code(as_text(value))
        elif isinstance(made, Sets):
            self._resets[row] = [] if value is None else members(value)
        elif isinstance(made, Vectors):
            width = made.values.shape[1]
            if value is None or len(value) != width or (before is not None and len(before) != width):
                return False
            made.values[row] = value
        return True

    def _code(self, label: str) -> int:
        code = self._place.setdefault(label, len(self._texts))
        if code == len(self._texts):
            self._texts.append(label)
        return code

    def _reach(self) -> None:
        """Makes room for n rows, twice as many where arrays are copied."""
        short = self.size - len(self._values)
        if short > 0:
            self._values.extend([None] * short)
            self._latest = padded(self._latest, self.size, LONG_AGO)
        made = self._made
        if isinstance(made, Numbers):
            self._made = Numbers(padded(made.values, self.size, np.nan))
        elif isinstance(made, Labels):
            self._made = Labels(padded(made.codes, self.size, -1), made.levels)
        elif isinstance(made, Vectors):
            self._made = Vectors(padded(made.values, self.size, 0))
        elif isinstance(made, Texts):
            self._texts.extend([""] * (self.size - len(self._texts)))


def padded(array: npt.NDArray[Any], size: int, fill: float) -> npt.NDArray[Any]:
    """Returns the array itself where it has `size` rows, else one of twice as many, the new ones all `fill`."""
    if len(array) >= size:
        return array
    longer = np.full((2 * size, *array.shape[1:]), fill, array.dtype)
    longer[: len(array)] = array
    return longer


def with_sets(sets: Sets, changed: Mapping[int, Sequence[str]], size: int) -> Sets:
    """Returns sets of labels over `size` rows, those of some rows replaced; O(entries), without a look at each row."""
    place = {level: code for code, level in enumerate(sets.levels)}
    for labels in changed.values():
        for label in labels:
            place.setdefault(label, len(place))
    old = sets.matrix
    rows = np.array(sorted(changed), np.intp)
    codes = [np.unique([place[label] for label in changed[row]]).astype(np.int32) for row in rows.tolist()]
    lengths = np.zeros(size, np.int64)
    lengths[: old.shape[0]] = np.diff(old.indptr)
    kept = np.ones(size, np.bool_)
    kept[rows] = False
    staying = np.repeat(kept[: old.shape[0]], np.diff(old.indptr))
    lengths[rows] = [len(found) for found in codes]
    start = np.concatenate(([0], np.cumsum(lengths)))
    indices = np.empty(start[-1], np.int32)
    indices[np.repeat(kept, lengths)] = old.indices[staying]
    for row, found in zip(rows.tolist(), codes, strict=True):
        indices[start[row] : start[row + 1]] = found
    matrix = sparse.csr_matrix((np.ones(len(indices), np.float32), indices, start), (size, len(place)))
    return Sets(matrix, tuple(place))


def _first(column: Column, size: int) -> Column:
    """The first `size` rows of a column with room to spare; no copies."""
    if isinstance(column, Numbers):
        return Numbers(column.values[:size])
    if isinstance(column, Labels):
        return Labels(column.codes[:size], column.levels)
    if isinstance(column, Vectors):
        return Vectors(column.values[:size])
    return column
