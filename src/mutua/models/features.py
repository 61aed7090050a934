"""What is known of items, as one sparse matrix: TF-IDF over words, categories, tags and given vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import AttributeTable, Column, Labels, Sets, Texts, Vectors
from mutua.models.text import tokens

MAX_TOKENS = 50_000
"""Words kept of one attribute, those of most items."""


@dataclass(frozen=True, eq=False)
class Block:
    """One attribute as features.

    Args:
        name: of the attribute.
        words: what each feature stands for, a word or a label; of an embedding the numbers of its places.
        rarity: float64 [words], by which each counts; ones for an embedding.
        given: whether it is an embedding.
    """

    name: str
    words: tuple[str, ...]
    rarity: npt.NDArray[np.float64]
    given: bool = False

    @classmethod
    def of(cls, name: str, column: Column) -> Block | None:
        """Returns the block of a column, None for numbers."""
        if isinstance(column, Vectors):
            width = column.values.shape[1]
            return cls(name, tuple(map(str, range(width))), np.ones(width), given=True)
        found = _counts(column)
        return None if found is None else cls(name, found[1], rarity(found[0]))

    def rows(self, column: Column, size: int) -> sparse.csr_matrix:
        """Returns a column as unit rows of these features, CSR [size, words]; words that are none of them are left out.

        A column that has become another kind says nothing.
        """
        if isinstance(column, Vectors) and self.given and column.values.shape[1] == len(self.words):
            return unit_rows(sparse.csr_matrix(column.values, dtype=np.float64))
        found = None if self.given else _counts(column, self.words)
        if found is None:
            return sparse.csr_matrix((size, len(self.words)))
        return unit_rows(weighted(found[0], self.rarity))


def blocks_of(items: AttributeTable) -> tuple[Block, ...]:
    """Returns the features of a catalogue: a block for each attribute with labels, sets, texts or vectors."""
    found = (Block.of(name, items.columns[name]) for name in sorted(items.columns))
    return tuple(block for block in found if block is not None)


def encoded(blocks: Sequence[Block], items: AttributeTable) -> sparse.csr_matrix:
    """Returns one row of length 1 for each item, CSR [items, features]; zeros where nothing is known.

    Every block's rows have length 1 before, so that a long text weighs as much as a category.
    """
    columns = items.columns
    parts = [
        block.rows(columns[block.name], items.size)
        if block.name in columns
        else sparse.csr_matrix((items.size, len(block.words)))
        for block in blocks
    ]
    return unit_rows(sparse.csr_matrix(sparse.hstack(parts)))


def item_features(items: AttributeTable, n_items: int) -> sparse.csr_matrix:
    """Returns the features of a catalogue, float32 CSR [n_items, features], as `encoded`; numbers are left out."""
    blocks = blocks_of(items)
    if not blocks:
        return sparse.csr_matrix(np.zeros((n_items, 0), np.float32))
    joined = encoded(blocks, items)
    start = np.append(joined.indptr, np.full(n_items - joined.shape[0], joined.nnz))
    return sparse.csr_matrix((joined.data.astype(np.float32), joined.indices, start), shape=(n_items, joined.shape[1]))


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Returns `matrix` with every row that is not zero brought to length 1."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return sparse.csr_matrix(sparse.diags_array(scale) @ matrix)


def _counts(column: Column, words: tuple[str, ...] | None = None) -> tuple[sparse.csr_matrix, tuple[str, ...]] | None:
    """Counts of words or labels a row, and which they are: those given, or all that matter; None for other columns."""
    if isinstance(column, Texts):
        chosen = widespread(column.values) if words is None else words
        return counted(column.values, chosen), chosen
    if isinstance(column, Labels):
        return _among(_one_hot(column), column.levels, words)
    if isinstance(column, Sets):
        return _among(column.matrix, column.levels, words)
    return None


def _among(
    matrix: sparse.csr_matrix, levels: Sequence[str], words: tuple[str, ...] | None
) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
    """The matrix with its columns those of `words`."""
    if words is None:
        return matrix, tuple(levels)
    place = {word: column for column, word in enumerate(words)}
    cells = matrix.tocoo()
    column = np.array([place.get(level, -1) for level in levels], np.int64)[cells.col]
    kept = column >= 0
    shape = (matrix.shape[0], len(words))
    return sparse.csr_matrix((cells.data[kept], (cells.row[kept], column[kept])), shape=shape), words


def _one_hot(column: Labels) -> sparse.csr_matrix:
    rows = np.flatnonzero(column.codes >= 0)
    cells = np.ones(len(rows)), (rows, column.codes[rows])
    return sparse.csr_matrix(cells, shape=(len(column.codes), len(column.levels)))


def widespread(texts: Sequence[str]) -> tuple[str, ...]:
    """Returns the words of most texts, at most `MAX_TOKENS`; ties by spelling."""
    spread = Counter(word for text in texts for word in set(tokens(text)))
    return tuple(sorted(spread, key=lambda word: (-spread[word], word))[:MAX_TOKENS])


def counted(texts: Sequence[str], words: Sequence[str]) -> sparse.csr_matrix:
    """Returns how often each of some words stands in each text, CSR [texts, words]."""
    column = {word: place for place, word in enumerate(words)}
    cells = [
        (row, column[word], count)
        for row, text in enumerate(texts)
        for word, count in Counter(tokens(text)).items()
        if word in column
    ]
    rows, columns, amounts = np.array(cells, np.int64).reshape(-1, 3).T
    return sparse.csr_matrix((amounts.astype(np.float64), (rows, columns)), shape=(len(texts), len(words)))


def rarity(counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Returns ln((1 + n) / (1 + spread)) + 1 of every column, by which TF-IDF multiplies."""
    matrix = sparse.csr_matrix(counts, copy=True)
    matrix.eliminate_zeros()
    spread = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return np.asarray(np.log((1.0 + matrix.shape[0]) / (1.0 + spread)) + 1.0, np.float64)


def weighted(counts: sparse.csr_matrix, rare: npt.NDArray[np.float64]) -> sparse.csr_matrix:
    """Returns TF-IDF: (1 + ln count) · `rarity`, Salton & Buckley 1988, smoothed."""
    result = sparse.csr_matrix(counts, dtype=np.float64, copy=True)
    result.eliminate_zeros()
    result.data = 1.0 + np.log(result.data)
    return sparse.csr_matrix(result @ sparse.diags_array(rare))
