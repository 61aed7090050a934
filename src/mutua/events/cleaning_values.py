"""Values far beyond all others of their type, told by median and median deviation of the logarithms."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.events.cleaning import CleaningRules

_LOWEST, _HIGHEST, _BINS = -46.0, 92.0, 6_900
_WIDTH = (_HIGHEST - _LOWEST) / _BINS
_MOST_TYPES = 64
_FEWEST_VALUES = 20


@dataclass
class ValueWatch:
    """Counts positive values by type on a logarithmic scale of bins 2 % wide."""

    rules: CleaningRules
    counts: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def see(self, types: pl.Series, values: pl.Series) -> None:
        """Counts the values of some rows."""
        frame = pl.DataFrame({"type": types, "value": values}).filter(pl.col("value") > 0)
        for (name,), group in frame.group_by("type", maintain_order=True):
            if str(name) in self.counts or len(self.counts) < _MOST_TYPES:
                bins = np.clip((np.log(group["value"].to_numpy()) - _LOWEST) / _WIDTH, 0, _BINS - 1).astype(np.int64)
                counted = np.bincount(bins, minlength=_BINS)
                self.counts[str(name)] = self.counts.get(str(name), np.zeros(_BINS, np.int64)) + counted

    def bounds(self) -> dict[str, float]:
        """Returns the largest usual value of each type that has values beyond it."""
        found = {}
        for name, counts in self.counts.items():
            if counts.sum() < _FEWEST_VALUES:
                continue
            places = np.arange(_BINS)
            median = _median(places, counts)
            deviation = 1.4826 * _median(np.abs(places - median), counts) * _WIDTH
            reach = max(self.rules.outlier_deviations * deviation, np.log(self.rules.outlier_factor))
            if counts[places > median + reach / _WIDTH + 1].any():
                found[name] = float(np.exp(_LOWEST + (median + 0.5) * _WIDTH + reach))
        return found


def _median(values: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]) -> int:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return int(values[order][np.searchsorted(reached, reached[-1] / 2)])
