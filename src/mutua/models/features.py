"""What is known of items, as one sparse matrix: TF-IDF over words, categories, tags and given vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from mutua.catalog.table import AttributeTable, Column, Labels, Sets, Texts, Vectors
from mutua.models.text import tokens

MAX_TOKENS = 50_000
"""Words kept of one attribute, those of most items."""


def item_features(items: AttributeTable, n_items: int) -> sparse.csr_matrix:
    """Returns one row of length 1 for each item, float32 CSR [n_items, features]; zeros where nothing is known.

    Every attribute with labels, sets, texts or vectors is a block of TF-IDF features of row length 1, so that a long
    text weighs as much as a category; numbers are left out.
    """
    blocks = [unit_rows(block) for name in sorted(items.columns) for block in _block(items.columns[name])]
    if not blocks:
        return sparse.csr_matrix(np.zeros((n_items, 0), np.float32))
    joined = unit_rows(sparse.csr_matrix(sparse.hstack(blocks)))
    start = np.append(joined.indptr, np.full(n_items - joined.shape[0], joined.nnz))
    return sparse.csr_matrix((joined.data.astype(np.float32), joined.indices, start), shape=(n_items, joined.shape[1]))


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Returns `matrix` with every row that is not zero brought to length 1."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return sparse.csr_matrix(sparse.diags_array(scale) @ matrix)


def _block(column: Column) -> list[sparse.csr_matrix]:
    if isinstance(column, Labels):
        return [weighted(_one_hot(column))]
    if isinstance(column, Sets):
        return [weighted(column.matrix)]
    if isinstance(column, Texts):
        return [weighted(counted(column.values))]
    if isinstance(column, Vectors):
        return [sparse.csr_matrix(column.values, dtype=np.float64)]
    return []


def _one_hot(column: Labels) -> sparse.csr_matrix:
    rows = np.flatnonzero(column.codes >= 0)
    cells = np.ones(len(rows)), (rows, column.codes[rows])
    return sparse.csr_matrix(cells, shape=(len(column.codes), len(column.levels)))


def counted(texts: Sequence[str]) -> sparse.csr_matrix:
    """Returns counts of the most widespread words, CSR [texts, words]; ties by spelling."""
    counts = [Counter(tokens(text)) for text in texts]
    spread = Counter(word for row in counts for word in row)
    words = sorted(spread, key=lambda word: (-spread[word], word))[:MAX_TOKENS]
    column = {word: place for place, word in enumerate(words)}
    cells = [
        (row, column[word], count)
        for row, words in enumerate(counts)
        for word, count in words.items()
        if word in column
    ]
    rows, columns, amounts = np.array(cells, np.int64).reshape(-1, 3).T
    return sparse.csr_matrix((amounts.astype(np.float64), (rows, columns)), shape=(len(texts), len(words)))


def weighted(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Returns TF-IDF: (1 + ln count) · (ln((1 + n) / (1 + spread)) + 1), Salton & Buckley 1988, smoothed."""
    result = sparse.csr_matrix(counts, dtype=np.float64, copy=True)
    result.eliminate_zeros()
    result.data = 1.0 + np.log(result.data)
    spread = np.bincount(result.indices, minlength=result.shape[1])
    rarity = np.log((1.0 + result.shape[0]) / (1.0 + spread)) + 1.0
    return sparse.csr_matrix(result @ sparse.diags_array(rarity))
