"""What follows what: directed counts of items that come after one another.

`B[j, i] = Σ φ^(r−1)` over the events on i that come r distinct items after j and at most a gap later, with a share
`back` of it in the other direction; `T = D_n^−s B D_n^−d` cut to its largest entries. What came just before says more
about the next minutes than a whole history does (Ludewig and Jannach 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mutua.core.clock import MINUTE, SECOND
from mutua.events.interactions import Interactions
from mutua.models.joint import kernels
from mutua.models.joint.rows import Rows


@dataclass(frozen=True)
class Order:
    """How transitions are counted.

    Args:
        gap: longest time between the two events, microseconds.
        back: share that counts in the other direction.
        source: exponent s by which frequent items say less; target: exponent d by which they are said less of.
        reach: distinct items back; fading: φ, weight of each further one.
        half_life: time between the two after which they count half, microseconds.
    """

    gap: float
    back: float
    source: float
    target: float
    reach: int = 10
    fading: float = 0.8
    half_life: float = np.inf


ORDERS: Mapping[str, Order] = {
    "sitting": Order(gap=10 * MINUTE, back=1.0, source=0.25, target=0.25),
    "sequence": Order(gap=np.inf, back=0.0, source=0.4, target=0.0),
    "page": Order(gap=3 * MINUTE, back=1.0, source=0.25, target=0.25, reach=100, fading=1.0, half_life=30 * SECOND),
}
"""Items of a sitting belong together, those of a sequence lead to one another, those of a page were shown together."""


def transitions(rows: Interactions, n_items: int, most: int, order: Order) -> Rows:
    """Returns T over n items, at most `most` entries a row.

    Args:
        rows: grouped by user, each user's in canonical order.
    """
    kept = rows.take(rows.is_target)
    source, target, weight = kernels.following_pairs(
        kept.user, kept.item, kept.time, order.reach, order.fading, order.gap, order.half_life
    )
    forward = sparse.csr_matrix((weight, (source, target)), shape=(n_items, n_items))
    both = sparse.csr_matrix(forward + order.back * forward.T)
    degree = np.bincount(kept.item, minlength=n_items) + 1.0
    by_source, by_target = sparse.diags(degree**-order.source), sparse.diags(degree**-order.target)
    scaled = sparse.csr_matrix(by_source @ both @ by_target, dtype=np.float32)
    scaled.sort_indices()
    values, keys = kernels.largest_in_rows(
        scaled.indptr, scaled.indices, scaled.data, np.ones(n_items, np.float32), most
    )
    found = keys >= 0
    start = np.concatenate(([0], np.cumsum(found.sum(axis=1))))
    return Rows.of(sparse.csr_matrix((values[found], keys[found], start), shape=(n_items, n_items)))
