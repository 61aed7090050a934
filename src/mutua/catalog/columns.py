"""Columns from values: what a column is follows from its name and from what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import BRAND, CATEGORY, TAGS, TEXT, Column, Labels, Numbers, Sets, Texts, Vectors

TEXT_NAMES = frozenset({TEXT, "title", "name", "description"})
LABEL_NAMES = frozenset({CATEGORY, BRAND})
SET_NAMES = frozenset({TAGS})

Rows = npt.NDArray[np.int32]
Shape = Literal["number", "vector", "empty", "list", "other"]
"""What one value looks like: `vector` is a list of numbers, `empty` one of nothing."""
Kind = Literal["texts", "vectors", "sets", "numbers", "labels"]


_SHAPES: dict[type, Shape] = {str: "other", int: "number", float: "number", bool: "number"}


def column(name: str, rows: Rows, values: Sequence[Any], size: int) -> Column:
    """Returns the column of an attribute over `size` rows.

    Names of free text make `Texts`. Else only numbers or truth values make `Numbers` (but never for a category or a
    brand), only lists of numbers `Vectors`, any list of texts `Sets`, anything else `Labels`.

    Args:
        rows: int32 [n], distinct inner indices.
        values: n plain JSON values, none of them None.

    Example:
        >>> column("colour", np.array([0, 2], np.int32), ["red", "blue"], 3).codes.tolist()
        [1, -1, 0]
    """
    return built(kind_of(name, shapes(values)), rows, values, size)


def built(kind: Kind, rows: Rows, values: Sequence[Any], size: int) -> Column:
    """Returns values as a column of a given kind; arguments as for `column`."""
    return _BUILDERS[kind](rows, values, size)


def shapes(values: Iterable[Any]) -> Counter[Shape]:
    """Returns how many values there are of each shape."""
    return Counter(map(shape_of, values))


def shape_of(value: Any) -> Shape:
    """Returns what a value looks like."""
    found = _SHAPES.get(type(value))
    if found is not None:
        return found
    if not isinstance(value, list | tuple):
        return "other"
    if not value:
        return "empty"
    return "vector" if all(isinstance(part, int | float) and not isinstance(part, bool) for part in value) else "list"


def kind_of(name: str, found: Collection[Shape]) -> Kind:
    """Returns the kind of a column by its name and the shapes of its values."""
    if name in TEXT_NAMES:
        return "texts"
    if name in SET_NAMES or not {"vector", "empty", "list"}.isdisjoint(found):
        return "vectors" if "vector" in found and {"vector", "empty"}.issuperset(found) else "sets"
    return "numbers" if {"number"}.issuperset(found) and name not in LABEL_NAMES else "labels"


def as_text(value: Any) -> str:
    """Returns a value as one text, what is no text as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def joined(value: Any) -> str:
    """Returns a value as free text, a list as its parts with spaces between them."""
    return " ".join(map(as_text, value)) if isinstance(value, list | tuple) else as_text(value)


def members(value: Any) -> list[str]:
    """Returns the labels of a set, one that is no list as a set of one."""
    parts = value if isinstance(value, list | tuple) else (value,)
    return [as_text(part) for part in parts if part is not None]


def _texts(rows: Rows, values: Sequence[Any], size: int) -> Texts:
    texts = [""] * size
    for row, value in zip(rows.tolist(), values, strict=True):
        texts[row] = joined(value)
    return Texts(tuple(texts))


def _numbers(rows: Rows, values: Sequence[Any], size: int) -> Numbers:
    numbers = np.full(size, np.nan, np.float32)
    numbers[rows] = np.asarray(values, np.float32)
    return Numbers(numbers)


def _labels(rows: Rows, values: Sequence[Any], size: int) -> Labels:
    texts = [value if type(value) is str else as_text(value) for value in values]
    levels = sorted(set(texts))
    place = {level: index for index, level in enumerate(levels)}
    codes = np.full(size, -1, np.int32)
    codes[rows] = np.fromiter(map(place.__getitem__, texts), np.int32, len(texts))
    return Labels(codes, tuple(levels))


def _sets(rows: Rows, values: Sequence[Any], size: int) -> Sets:
    sets = list(map(members, values))
    labels = [label for labels in sets for label in labels]
    levels = sorted(set(labels))
    place = {level: index for index, level in enumerate(levels)}
    codes = np.fromiter(map(place.__getitem__, labels), np.int32, len(labels))
    row = np.repeat(rows, np.fromiter(map(len, sets), np.intp, len(sets)))
    matrix = sparse.csr_matrix((np.ones(len(codes), np.float32), (row, codes)), (size, len(levels)), np.float32)
    matrix.data[:] = 1
    return Sets(matrix, tuple(levels))


def _vectors(rows: Rows, values: Sequence[Any], size: int) -> Vectors:
    """The most frequent length is the width; a vector of another length counts as missing."""
    width = max(Counter(len(value) for value in values if value).items(), key=lambda found: found[1], default=(0, 0))[0]
    vectors = np.zeros((size, width), np.float32)
    fitting = [position for position, value in enumerate(values) if width and len(value) == width]
    if not fitting:
        return Vectors(vectors)
    vectors[rows[fitting]] = np.array([values[position] for position in fitting], np.float32)
    return Vectors(vectors)


_BUILDERS: dict[Kind, Callable[[Rows, Sequence[Any], int], Column]] = {
    "texts": _texts,
    "vectors": _vectors,
    "sets": _sets,
    "numbers": _numbers,
    "labels": _labels,
}
