"""What is popular, and what is popular now: decayed counts of target events by item."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY
from mutua.events.interactions import Interactions

Floats = npt.NDArray[np.float32]
NEAR, USUAL = 14 * DAY, 90 * DAY
FLOOR = 0.05
"""Events a day that every item is given, so that rare items have no trend."""


def popularity(rows: Interactions, n_items: int, now: int, half_life: float) -> Floats:
    """Returns float32 [n], decayed counts of target events, the largest being 1.

    Args:
        half_life: microseconds; +inf counts all alike.
    """
    target = rows.is_target
    decayed = np.exp2(-np.maximum(now - rows.time[target], 0) / half_life)
    counts = np.bincount(rows.item[target], decayed, n_items)
    return np.asarray(counts / max(counts.max(initial=0.0), 1e-12), np.float32)


def tilt(rows: Interactions, n_items: int, now: int, strength: float) -> Floats:
    """Returns float32 [n], the factor `(recent rate / usual rate)^strength` of every item; 1 where it is as ever.

    Rates are events a day, decayed with half-lives of 14 and 90 days.
    """
    target = rows.is_target
    item, age = rows.item[target], np.maximum(now - rows.time[target], 0)
    ratio = _rate(item, age, NEAR, n_items) / _rate(item, age, USUAL, n_items)
    return np.asarray(np.power(ratio, strength), np.float32)


def _rate(
    item: npt.NDArray[np.int32], age: npt.NDArray[np.int64], half_life: float, n_items: int
) -> npt.NDArray[np.float64]:
    counts = np.bincount(item, np.exp2(-age / half_life), n_items)
    return np.asarray(counts * (DAY / half_life) + FLOOR, np.float64)
