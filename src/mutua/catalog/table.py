"""What is known of users or items, as columns by inner index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]

CATEGORY = "category"
BRAND = "brand"
PRICE = "price"
AVAILABLE = "available"
TAGS = "tags"
TEXT = "text"
VECTOR = "vector"


@dataclass(frozen=True)
class Labels:
    """One label a row (a category, a brand, a gender).

    Args:
        codes: int32 [n], index into `levels`, −1 where missing.
        levels: the distinct labels.
    """

    codes: npt.NDArray[np.int32]
    levels: Sequence[str]


@dataclass(frozen=True)
class Numbers:
    """One number a row (a price, an age), float32 [n], NaN where missing; truth values are 0 and 1."""

    values: Floats


@dataclass(frozen=True)
class Sets:
    """Any number of labels a row (tags, genres): boolean CSR [n, levels] as float32."""

    matrix: sparse.csr_matrix
    levels: Sequence[str]


@dataclass(frozen=True)
class Texts:
    """Free text a row, empty where missing; by default `text`, `title`, `name` and `description` are text."""

    values: Sequence[str]


@dataclass(frozen=True)
class Vectors:
    """A given embedding a row, float32 [n, d]; a row of zeros is missing."""

    values: Floats


Column = Labels | Numbers | Sets | Texts | Vectors


@dataclass(frozen=True)
class AttributeTable:
    """Named columns over n rows; a row index is an inner user or item index.

    Args:
        size: n, the number of rows (0-based inner indices below it).
        columns: column by attribute name.
    """

    size: int
    columns: Mapping[str, Column] = field(default_factory=dict)

    def labels(self, name: str) -> Labels | None:
        """Returns the column `name` if it holds one label a row."""
        column = self.columns.get(name)
        return column if isinstance(column, Labels) else None

    def numbers(self, name: str) -> Numbers | None:
        """Returns the column `name` if it holds numbers."""
        column = self.columns.get(name)
        return column if isinstance(column, Numbers) else None
