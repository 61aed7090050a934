"""Exploration: a share of positions goes to a random candidate, and the odds of every placement are kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Order = npt.NDArray[np.intp]


def explored(
    order: Order, n: int, rate: float, rng: np.random.Generator
) -> tuple[Order, npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Returns the order with ε-greedy draws in the first n positions.

    At each position, with probability `rate`, one of the candidates left is drawn uniformly; otherwise the best left.

    Returns:
        The new order [p]; propensities float64 [min(n, p)], the probability of the item at its position given those
        above; and bool [min(n, p)], the positions where the draw left the greedy choice.
    """
    left = list(order)
    placed: list[int] = []
    depth = min(n, len(left))
    propensity, drawn = np.empty(depth), np.zeros(depth, np.bool_)
    for position in range(depth):
        pick = int(rng.integers(len(left))) if rng.random() < rate else 0
        propensity[position] = rate / len(left) + (1 - rate) * (pick == 0)
        drawn[position] = pick > 0
        placed.append(left.pop(pick))
    return np.array(placed + left, np.intp), propensity, drawn
