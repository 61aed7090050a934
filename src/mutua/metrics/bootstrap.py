"""Uncertainty over users: bootstrap intervals, paired tests between models, Holm's correction for many tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.core.seeds import stream

Values = npt.NDArray[np.float64]
RESAMPLES = 1_000
FLIPS = 4_000
LEVEL = 0.95
_CHUNK = 1 << 22


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds it at `LEVEL`, from resampling users."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """The mean difference first − second over users, its interval, and the two-sided p value of no difference."""

    difference: Interval
    p: float


def draws(columns: Values, seed: int, resamples: int = RESAMPLES) -> Values:
    """Returns sums over users of each column under resampling with replacement, float64 [resamples, m].

    Args:
        columns: float64 [u, m], one row a user, finite.
    """
    users = len(columns)
    source = stream(seed, "bootstrap", users)
    sums = np.empty((resamples, columns.shape[1]))
    step = max(1, _CHUNK // max(users, 1))
    for first in range(0, resamples, step):
        count = min(step, resamples - first)
        chosen = source.integers(0, users, (count, users)) + users * np.arange(count)[:, None]
        times = np.bincount(chosen.ravel(), minlength=count * users).reshape(count, users)
        sums[first : first + count] = times.astype(np.float64) @ columns
    return sums


def ratios(numerators: Values, denominators: Values, seed: int, resamples: int = RESAMPLES) -> list[Interval]:
    """Returns Σ numerator ÷ Σ denominator over users, by column, with its percentile interval; NaN where that is 0.

    Args:
        numerators, denominators: float64 [u, m]. A mean over users has denominators of 1; a mean over events has each
            user's number of events, so that users, not events, are taken as independent.

    Example:
        >>> [found] = ratios(np.array([[1.0], [3.0]]), np.ones((2, 1)), seed=0)
        >>> found.value, found.low, found.high
        (2.0, 1.0, 3.0)
    """
    width = numerators.shape[1]
    both = np.hstack((numerators, denominators))
    sums = draws(both, seed, resamples)
    total = both.sum(axis=0)
    values, spread = _divided(total[:width], total[width:]), _divided(sums[:, :width], sums[:, width:])
    return [_interval(float(values[column]), spread[:, column]) for column in range(width)]


def means(columns: Mapping[str, Values], seed: int, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """Returns the mean over users of each named column, float64 [u], NaN left out; all-NaN columns are left out."""
    known = {name: column for name, column in columns.items() if np.isfinite(column).any()}
    if not known:
        return {}
    table = np.column_stack(list(known.values()))
    there = np.isfinite(table)
    found = ratios(np.where(there, table, 0.0), there.astype(np.float64), seed, resamples)
    return dict(zip(known, found, strict=True))


def paired(first: Values, second: Values, seed: int, resamples: int = RESAMPLES, flips: int = FLIPS) -> Paired:
    """Returns how much `first` exceeds `second` for the same users, float64 [u] each; users with a NaN are left out.

    The p value is that of the permutation test that flips the signs of the differences (Smucker et al. 2007).
    """
    difference = first - second
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return Paired(Interval(np.nan, np.nan, np.nan), 1.0)
    [interval] = ratios(difference[:, None], np.ones((len(difference), 1)), seed, resamples)
    moving = difference[difference != 0]
    observed = abs(float(moving.sum())) * (1.0 - 1e-12)
    source = stream(seed, "flips", len(moving))
    beyond, step = 0, max(1, _CHUNK // max(len(moving), 1))
    for begin in range(0, flips, step):
        signs = 2.0 * source.integers(0, 2, (min(step, flips - begin), len(moving)), np.int8) - 1.0
        beyond += int(np.count_nonzero(np.abs(signs @ moving) >= observed))
    return Paired(interval, (1 + beyond) / (1 + flips))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Returns p values corrected for being many, by the step-down rule of Holm (1979), under the same names.

    Example:
        >>> holm({"a": 0.01, "b": 0.04})
        {'a': 0.02, 'b': 0.04}
    """
    corrected: dict[str, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[name]))
        corrected[name] = highest
    return {name: corrected[name] for name in p_values}


def _divided(numerator: Values, denominator: Values) -> Values:
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator != 0)


def _interval(value: float, spread: Values) -> Interval:
    spread = spread[np.isfinite(spread)]
    if not len(spread):
        return Interval(value, np.nan, np.nan)
    low, high = np.quantile(spread, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Interval(value, float(low), float(high))
