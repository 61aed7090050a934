"""What follows what: directed counts of items that come after one another within a sitting.

`B[j, i] = Σ γ^(r−1)` over the events on i that come r distinct items after j and at most a gap later, with a share
`back` of it in the other direction; `T = D_n^−s B D_n^−d` cut to its largest entries. Shared sittings say more about
the next minutes than a whole history does (as item-to-item session models, Ludewig and Jannach 2018).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mutua.core.clock import MINUTE
from mutua.events.interactions import Interactions
from mutua.models.joint import kernels
from mutua.models.joint.rows import Rows

REACH = 10
FADING = 0.8
GAP = 10 * MINUTE
SOURCE, TARGET = 0.25, 0.25


def transitions(rows: Interactions, n_items: int, most: int, back: float, gap: int = GAP) -> Rows:
    """Returns T over n items, its largest value 1.

    Args:
        rows: grouped by user, each user's in canonical order.
        most: entries kept a row.
        back: share of a transition that counts in the other direction.
        gap: longest time between two events of a sitting, microseconds.
    """
    kept = rows.take(rows.is_target)
    source, target, weight = kernels.following_pairs(kept.user, kept.item, kept.time, REACH, FADING, gap)
    forward = sparse.coo_matrix((weight, (source, target)), shape=(n_items, n_items)).tocsr()
    both = sparse.csr_matrix(forward + back * forward.T)
    degree = np.bincount(kept.item, minlength=n_items) + 1.0
    scaled = sparse.csr_matrix(sparse.diags(degree**-SOURCE) @ both @ sparse.diags(degree**-TARGET), dtype=np.float32)
    scaled.sort_indices()
    values, keys = kernels.largest_in_rows(
        scaled.indptr, scaled.indices, scaled.data, np.ones(n_items, np.float32), most
    )
    found = keys >= 0
    start = np.concatenate(([0], np.cumsum(found.sum(axis=1))))
    top = max(float(values.max(initial=0.0)), 1e-12)
    return Rows.of(sparse.csr_matrix((values[found] / top, keys[found], start), shape=(n_items, n_items)))
