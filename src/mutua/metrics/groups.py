"""How differently groups of users are served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Gap:
    """The best and the worst served group of a metric.

    Args:
        means: mean by group name, groups without a user left out.
        best, worst: names; difference: best − worst; ratio: worst ÷ best, 1 when all are served alike.
    """

    means: dict[str, float]
    best: str
    worst: str
    difference: float
    ratio: float


def gap(values: npt.NDArray[np.float64], group: npt.NDArray[np.int32], names: Sequence[str]) -> Gap | None:
    """Returns the gap between groups, or None where fewer than two groups have a value.

    Args:
        values: float64 [u], one a user, NaN left out.
        group: int32 [u], index into `names`, −1 for no group.

    Example:
        >>> found = gap(np.array([0.1, 0.3, 0.4]), np.array([0, 0, 1]), ("young", "old"))
        >>> found.worst, found.best, round(found.difference, 9), found.ratio
        ('young', 'old', 0.2, 0.5)
    """
    kept = np.isfinite(values) & (group >= 0)
    count = np.bincount(group[kept], minlength=len(names))
    total = np.bincount(group[kept], weights=values[kept], minlength=len(names))
    means = {name: float(total[g] / count[g]) for g, name in enumerate(names) if count[g]}
    if len(means) < 2:
        return None
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    ratio = means[worst] / means[best] if means[best] else 1.0
    return Gap(means, best, worst, means[best] - means[worst], ratio)
