"""Sparse item-to-item rows: row j holds what having item j adds to other items' scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.models.joint import kernels

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Rows:
    """Compressed rows over n items.

    Args:
        start: int64 [n + 1]; item: int32 [entries], ascending within a row; value: float32 [entries].
    """

    start: npt.NDArray[np.int64]
    item: npt.NDArray[np.int32]
    value: Floats

    @classmethod
    def of(cls, matrix: sparse.csr_matrix) -> Rows:
        """Returns the rows of a square CSR matrix."""
        matrix.sort_indices()
        return cls(
            np.asarray(matrix.indptr, np.int64),
            np.asarray(matrix.indices, np.int32),
            np.asarray(matrix.data, np.float32),
        )

    @classmethod
    def none(cls, size: int) -> Rows:
        """Returns n empty rows."""
        return cls(np.zeros(size + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))

    @property
    def size(self) -> int:
        """n, the number of items."""
        return len(self.start) - 1

    @cached_property
    def columns(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats]:
        """The three arrays, as kernels take them."""
        return self.start, self.item, self.value

    def matrix(self) -> sparse.csr_matrix:
        """Returns the same as a CSR matrix [n, n]."""
        return sparse.csr_matrix((self.value, self.item, self.start), shape=(self.size, self.size))

    def scaled(self, factor: float) -> Rows:
        """Returns the rows times a factor."""
        return Rows(self.start, self.item, self.value * np.float32(factor))

    def times(self, factor: Floats) -> Rows:
        """Returns the rows with column i times `factor[i]`, float32 [n]."""
        return Rows(self.start, self.item, self.value * factor[self.item])

    def row(self, item: int) -> Floats:
        """Returns row `item`, below n, as float32 [n]."""
        dense = np.zeros(self.size, np.float32)
        part = slice(int(self.start[item]), int(self.start[item + 1]))
        dense[self.item[part]] = self.value[part]
        return dense

    def values_to(self, sources: npt.NDArray[np.int32], target: int) -> npt.NDArray[np.float64]:
        """Returns float64 [m], what each source item adds to `target` per unit of weight; O(m · log entries)."""
        found: npt.NDArray[np.float64] = kernels.entries_to(*self.columns, sources, target)
        return found

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Returns the arrays under names that start with `prefix`."""
        return {f"{prefix}_start": self.start, f"{prefix}_item": self.item, f"{prefix}_value": self.value}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Rows:
        """Returns the rows held under `prefix`, copied: a mapped file has small pages, each a miss at first."""
        return cls(*(np.array(arrays[f"{prefix}_{name}"]) for name in ("start", "item", "value")))
