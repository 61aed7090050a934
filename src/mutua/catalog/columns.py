"""Columns from values: what a column is follows from its name and from what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import BRAND, CATEGORY, TAGS, TEXT, Column, Labels, Numbers, Sets, Texts, Vectors

TEXT_NAMES = frozenset({TEXT, "title", "name", "description"})
LABEL_NAMES = frozenset({CATEGORY, BRAND})
SET_NAMES = frozenset({TAGS})

Rows = npt.NDArray[np.int32]


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
    if name in TEXT_NAMES:
        return _texts(rows, values, size)
    kinds = {type(value) for value in values}
    if list in kinds or tuple in kinds or name in SET_NAMES:
        filled = [value for value in values if isinstance(value, list | tuple) and value]
        if kinds <= {list, tuple} and filled and all(_is_vector(value) for value in filled):
            return _vectors(rows, values, size)
        return _sets(rows, values, size)
    if kinds <= {int, float, bool} and name not in LABEL_NAMES:
        return _numbers(rows, values, size)
    return _labels(rows, values, size)


def _is_vector(value: Sequence[Any]) -> bool:
    return all(isinstance(part, int | float) and not isinstance(part, bool) for part in value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _texts(rows: Rows, values: Sequence[Any], size: int) -> Texts:
    texts = [""] * size
    for row, value in zip(rows.tolist(), values, strict=True):
        texts[row] = " ".join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)
    return Texts(tuple(texts))


def _numbers(rows: Rows, values: Sequence[Any], size: int) -> Numbers:
    numbers = np.full(size, np.nan, np.float32)
    numbers[rows] = np.asarray(values, np.float32)
    return Numbers(numbers)


def _labels(rows: Rows, values: Sequence[Any], size: int) -> Labels:
    texts = [value if type(value) is str else _text(value) for value in values]
    levels = sorted(set(texts))
    place = {level: index for index, level in enumerate(levels)}
    codes = np.full(size, -1, np.int32)
    codes[rows] = np.fromiter(map(place.__getitem__, texts), np.int32, len(texts))
    return Labels(codes, tuple(levels))


def _sets(rows: Rows, values: Sequence[Any], size: int) -> Sets:
    sets = [value if isinstance(value, list | tuple) else (value,) for value in values]
    labels = [part if type(part) is str else _text(part) for parts in sets for part in parts if part is not None]
    levels = sorted(set(labels))
    place = {level: index for index, level in enumerate(levels)}
    codes = np.fromiter(map(place.__getitem__, labels), np.int32, len(labels))
    row = np.repeat(rows, [len(parts) - parts.count(None) for parts in sets])
    matrix = sparse.csr_matrix((np.ones(len(codes), np.float32), (row, codes)), (size, len(levels)), np.float32)
    matrix.data[:] = 1
    return Sets(matrix, tuple(levels))


def _vectors(rows: Rows, values: Sequence[Any], size: int) -> Vectors:
    """The most frequent length is the width; a vector of another length counts as missing."""
    width = Counter(len(value) for value in values if value).most_common(1)[0][0]
    vectors = np.zeros((size, width), np.float32)
    fitting = [position for position, value in enumerate(values) if len(value) == width]
    vectors[rows[fitting]] = np.array([values[position] for position in fitting], np.float32)
    return Vectors(vectors)
