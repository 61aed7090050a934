"""Variants compared: figures with intervals over users, differences to the first, and whether the split is sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from mutua.feedback.joining import Joined, Unit
from mutua.metrics.bootstrap import LEVEL, Interval, draws, holm, ratios

Values = npt.NDArray[np.float64]

METRICS = ("click_through", "conversion", "value_per_user")
"""Lists seen that were clicked; users who reached the goal; value of the goals by user."""
MISMATCH = 0.001
"""P value below which the users of the variants are no sample of their shares."""


@dataclass(frozen=True)
class Difference:
    """How much a variant's figure exceeds the first's, the p value of no difference, and Holm's for all of them."""

    difference: Interval
    p: float
    p_holm: float


@dataclass(frozen=True)
class Branch:
    """A variant's figures.

    Args:
        metrics: by name, with intervals over users.
        differences: to the first variant; empty for that itself.
    """

    users: int
    slates: int
    impressions: int
    metrics: Mapping[str, Interval]
    differences: Mapping[str, Difference]


@dataclass(frozen=True)
class Comparison:
    """What an experiment shows.

    Args:
        variants: by name, the first being the one that others are compared with.
        mismatch: p value of the users' numbers under the shares; None where no shares are declared.
        notes: what to know before believing it.
    """

    experiment: str
    variants: Mapping[str, Branch]
    mismatch: float | None
    notes: tuple[str, ...]


def compared(
    experiment: str, found: Joined, order: Sequence[str], shares: Mapping[str, float], seed: int = 0
) -> Comparison:
    """Returns the comparison of the variants that anybody was served.

    Args:
        order: names of the variants as declared, the first being the one to compare with; others follow.
        shares: of the variants, empty where nobody knows them.
    """
    names = [name for name in dict.fromkeys((*order, *found.units)) if found.units.get(name)]
    seen = any(unit.impressions for units in found.units.values() for unit in units)
    tables = {name: _table(found.units[name], seen) for name in names}
    spread = {name: _spread(*tables[name], seed + 7_919 * at) for at, name in enumerate(names)}
    raw = {
        (name, metric): _against(tables, spread, names[0], name, at)
        for name in names[1:]
        for at, metric in enumerate(METRICS)
    }
    corrected = holm({f"{name}/{metric}": p for (name, metric), (_, p) in raw.items()})
    branches = {}
    for at, name in enumerate(names):
        units, (top, bottom) = found.units[name], tables[name]
        figures = dict(zip(METRICS, ratios(top, bottom, seed + 7_919 * at), strict=True))
        differences = {
            metric: Difference(*raw[name, metric], corrected[f"{name}/{metric}"]) for metric in METRICS if at
        }
        slates, lists = sum(unit.slates for unit in units), sum(unit.impressions for unit in units)
        branches[name] = Branch(len(units), slates, lists, figures, differences)
    mismatch = _mismatch([branches[name].users for name in names], [shares.get(name, 0.0) for name in names])
    return Comparison(experiment, branches, mismatch, _notes(found, seen, mismatch))


def _table(units: Sequence[Unit], seen: bool) -> tuple[Values, Values]:
    """Numerators and denominators of the metrics by unit, float64 [u, 3] each."""
    rows = [(u.clicked if seen else 0, u.goals > 0, u.value, u.impressions, 1.0, 1.0) for u in units]
    table = np.array(rows, np.float64)
    return table[:, :3], table[:, 3:]


def _spread(top: Values, bottom: Values, seed: int) -> Values:
    """The metrics under resampling of users, float64 [resamples, 3]; NaN where nothing was seen."""
    sums = draws(np.hstack((top, bottom)), seed)
    width = top.shape[1]
    found: Values = np.full((len(sums), width), np.nan)
    np.divide(sums[:, :width], sums[:, width:], out=found, where=sums[:, width:] > 0)
    return found


def _against(
    tables: Mapping[str, tuple[Values, Values]], spread: Mapping[str, Values], first: str, name: str, metric: int
) -> tuple[Interval, float]:
    """The difference of a metric to the first variant and its p value, from the spread under resampling; never 0."""
    value = _value(*tables[name], metric) - _value(*tables[first], metric)
    moved = spread[name][:, metric] - spread[first][:, metric]
    moved = moved[np.isfinite(moved)]
    if not len(moved) or not np.isfinite(value):
        return Interval(float("nan"), float("nan"), float("nan")), 1.0
    low, high = np.quantile(moved, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    deviation = float(moved.std())
    least = 1.0 / (1 + len(moved))
    p = erfc(abs(value) / deviation / sqrt(2)) if deviation else least
    return Interval(value, float(low), float(high)), max(p, least) if value else 1.0


def _value(top: Values, bottom: Values, metric: int) -> float:
    below = float(bottom[:, metric].sum())
    return float(top[:, metric].sum()) / below if below else float("nan")


def _mismatch(users: Sequence[int], shares: Sequence[float]) -> float | None:
    """The p value of Pearson's test that the users are split by the shares."""
    total = sum(shares)
    if len(users) < 2 or not all(shares) or not total:
        return None
    expected = np.array(shares) / total * sum(users)
    return float(chi2.sf(((np.array(users) - expected) ** 2 / expected).sum(), len(users) - 1))


def _notes(found: Joined, seen: bool, mismatch: float | None) -> tuple[str, ...]:
    notes = []
    if mismatch is not None and mismatch < MISMATCH:
        notes.append("the variants' users are no sample of their shares: find out why before believing any figure")
    if not seen:
        notes.append("no impressions were recorded, so nothing is known of clicks on lists that were seen")
    if found.moved:
        notes.append(f"{found.moved} users were served more than one variant and are left out")
    if found.anonymous:
        notes.append(f"{found.anonymous} slates were of nobody known; each counts as a user of its own")
    return tuple(notes)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Returns a comparison as JSON values; what is not a number is null."""
    return {
        "experiment": comparison.experiment,
        "mismatch": comparison.mismatch,
        "notes": list(comparison.notes),
        "variants": {
            name: {
                "users": branch.users,
                "slates": branch.slates,
                "impressions": branch.impressions,
                "metrics": {metric: _interval(found) for metric, found in branch.metrics.items()},
                "differences": {
                    metric: {**_interval(found.difference), "p": found.p, "p_holm": found.p_holm}
                    for metric, found in branch.differences.items()
                },
            }
            for name, branch in comparison.variants.items()
        },
    }


def _interval(found: Interval) -> dict[str, float | None]:
    values = {"value": found.value, "low": found.low, "high": found.high}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
