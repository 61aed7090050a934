"""Rows and columns for items without events, borrowed from the items most like them by content.

A new item i with neighbours j of likeness s_j (summing to 1) gets the row `Σ s_j W[j,:]`, and the column
`Σ s_j (W[:,j] + w̄·e_j)`: whoever has what leads to its neighbours, or a neighbour itself, may be shown it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.models.joint import kernels
from mutua.models.joint.rows import Rows

Floats = npt.NDArray[np.float32]
TIE_BREAK = np.float32(1e-3)
LENDERS = 8_000
"""Items that lend: the most popular."""
LENT = 20
"""Entries of a row that are lent to new items; weaker ones would only crowd the rows."""


def overlaid(rows: Rows, likeness: sparse.csr_matrix, most: int, strength: float) -> Rows:
    """Returns the rows with those of new items merged in, at most `most` entries a row.

    Args:
        rows: W over n items; rows and columns of new items are empty.
        likeness: float32 CSR [n, n], non-zero only in rows of new items and columns of items with events.
        strength: factor on the columns, below 1 so that a copy ranks after its original.
    """
    total = np.asarray(likeness.sum(axis=1)).ravel()
    shares = sparse.csr_matrix(sparse.diags(1.0 / np.maximum(total, 1e-12)) @ likeness)
    known = rows.matrix()
    strongest = _largest(known, LENT)
    direct = sparse.diags(np.asarray(known.max(axis=1).toarray()).ravel())
    lent_rows = shares @ strongest
    lent_columns = strength * _largest(sparse.csr_matrix((strongest + direct) @ shares.T), most // 4)
    return Rows.of(_largest(sparse.csr_matrix(known + lent_rows + lent_columns, dtype=np.float32), most))


def nearest(vectors: Floats, known: Floats, neighbours: int, block: int = 1024) -> sparse.csr_matrix:
    """Returns likeness float32 CSR [n, n]: for every new item its `neighbours` most alike items that have events.

    Args:
        vectors: float32 [n, d] content vectors of unit length; rows of 0 have no content.
        known: float32 [n], popularity 0..1, 0 for new items; of items alike the more popular is nearer.
    """
    new = known == 0
    has = np.abs(vectors).sum(axis=1) > 0
    sources = np.flatnonzero(new & has)
    targets = np.flatnonzero(~new & has)
    targets = np.sort(targets[np.lexsort((targets, -known[targets]))[:LENDERS]])
    values = np.zeros((len(sources), min(neighbours, len(targets))), np.float32)
    columns = np.full(values.shape, -1, np.int32)
    for low in range(0, len(sources) if len(targets) else 0, block):
        alike = vectors[sources[low : low + block]] @ vectors[targets].T + TIE_BREAK * known[targets]
        kernels.largest_dense(np.maximum(alike, 0), values[low : low + block], columns[low : low + block])
    kept = columns >= 0
    row = np.repeat(sources, kept.sum(axis=1))
    return sparse.csr_matrix((values[kept], (row, targets[columns[kept]])), shape=(len(vectors), len(vectors)))


def _largest(matrix: sparse.csr_matrix, most: int) -> sparse.csr_matrix:
    kept = kernels.largest_entries(matrix.indptr, matrix.data, most)
    start = np.concatenate(([0], np.cumsum(kept)))[matrix.indptr]
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], start), shape=matrix.shape)
