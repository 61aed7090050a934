"""From a spectrum to the rows that are served: the largest entries of every row of the influence matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.models.joint import kernels
from mutua.models.joint.rows import Rows
from mutua.models.joint.spectral import Spectrum, low_pass

Floats = npt.NDArray[np.float32]
ENTRIES = 1_500_000
"""Small catalogues keep longer rows, up to this many entries in all."""
DENSE_ITEMS = 8_000
"""Items that take part where rows are computed whole: those of the largest weight."""
PAIRS = 200_000_000
"""Pairs of items had together, users counted one by one, up to which only such pairs are computed."""
BLOCK = 512


def row_length(n_items: int, wanted: int) -> int:
    """Returns how many entries a row keeps: those wanted, or more where the catalogue is small.

    Example:
        >>> row_length(1_000_000, 200), row_length(1_500, 200)
        (200, 1000)
    """
    return min(n_items, max(wanted, ENTRIES // max(n_items, 1)))


def influence(found: Spectrum, ridge: float, product: float, gamma: float, most: int) -> Rows:
    """Returns W cut to its largest entries a row.

    Pairs that no user had both of are left out where users have few items each (their entries are close to 0);
    elsewhere rows are computed whole, and negative entries are kept as well.

    Args:
        ridge: ρ of the filter; product: c, weight of the item-item product; gamma: exponent γ by which popular items
            are favoured.
        most: entries kept a row.
    """
    had = np.diff(found.normal.indptr).astype(np.float64)
    n_items = found.normal.shape[1]
    if n_items <= BLOCK * 8 or float((had**2).sum()) > PAIRS:
        return _whole(found, ridge, product, gamma, most)
    return _together(found, ridge, product, gamma, most)


def _together(found: Spectrum, ridge: float, product: float, gamma: float, most: int) -> Rows:
    """Only pairs had together, positive entries only."""
    pattern = sparse.csr_matrix(found.normal.T @ found.normal)
    pattern.sort_indices()
    left = np.ascontiguousarray(found.vectors * np.sqrt(low_pass(found.values, ridge)), np.float32)
    values = np.zeros(pattern.nnz, np.float32)
    kernels.inner_products(pattern.indptr, pattern.indices, left, values)
    kernels.mirror(pattern.indptr, pattern.indices, values)
    values += np.float32(product / found.top) * pattern.data
    gain = (found.degree**gamma).astype(np.float32)
    best, keys = kernels.largest_in_rows(pattern.indptr, pattern.indices, values, gain, most)
    best *= (found.degree**-found.beta).astype(np.float32)[:, None]
    return _rows(best, keys, np.arange(len(found.degree)), len(found.degree))


def _whole(found: Spectrum, ridge: float, product: float, gamma: float, most: int) -> Rows:
    """Whole rows between the items of the largest weight, by absolute value."""
    n_items = len(found.degree)
    order = np.lexsort((np.arange(n_items), -found.degree))[:DENSE_ITEMS]
    chosen = np.sort(order)
    most = min(most, len(chosen))
    right = np.ascontiguousarray(found.vectors[chosen].T)
    left = found.vectors[chosen] * low_pass(found.values, ridge)
    normal = sparse.csc_matrix(found.normal)[:, chosen]
    gain, source = (found.degree[chosen] ** gamma), (found.degree[chosen] ** -found.beta)
    values, columns = np.zeros((len(chosen), most), np.float32), np.full((len(chosen), most), -1, np.int32)
    for low in range(0, len(chosen), BLOCK):
        at = np.arange(low, min(low + BLOCK, len(chosen)))
        block = left[at] @ right
        if product:
            block += np.float32(product / found.top) * (normal[:, at].T @ normal).toarray()
        block *= gain.astype(np.float32)
        block *= source[at].astype(np.float32)[:, None]
        block[at - low, at] = 0.0
        kernels.largest_dense(block, values[low : low + BLOCK], columns[low : low + BLOCK])
    return _rows(values, columns, chosen, n_items)


def _rows(values: Floats, columns: npt.NDArray[np.int32], chosen: npt.NDArray[np.intp], n_items: int) -> Rows:
    """Rows of the chosen items; `columns` are places among them, −1 where nothing is kept."""
    kept = columns >= 0
    source = np.repeat(chosen, kept.sum(axis=1))
    return Rows.of(sparse.csr_matrix((values[kept], (source, chosen[columns[kept]])), shape=(n_items, n_items)))
