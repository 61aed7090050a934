"""Errors of foreseen ratings, in units of the rating."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def mae(truth: npt.ArrayLike, foreseen: npt.ArrayLike) -> float:
    """Returns the mean absolute error of values [n].

    Example:
        >>> mae([4, 2], [3, 4])
        1.5
    """
    return float(np.mean(np.abs(_errors(truth, foreseen))))


def mse(truth: npt.ArrayLike, foreseen: npt.ArrayLike) -> float:
    """Returns the mean squared error of values [n]."""
    return float(np.mean(_errors(truth, foreseen) ** 2))


def rmse(truth: npt.ArrayLike, foreseen: npt.ArrayLike) -> float:
    """Returns the root of the mean squared error of values [n]."""
    return float(np.sqrt(mse(truth, foreseen)))


def _errors(truth: npt.ArrayLike, foreseen: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(foreseen, np.float64) - np.asarray(truth, np.float64)
