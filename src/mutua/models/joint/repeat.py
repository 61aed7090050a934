"""The repeat term: how likely a user comes back to an item, from the gap since and the number of times before.

`r = σ(θ₀ + f₁(log gap) + f₂(log n) + f₃(log n₁₄) + f₄(log n₉₀) + f₅(ρ_i) + ρ_i·(θ₁ log n + θ₂ (log gap − 3)))` with
piecewise linear f, n₁₄ and n₉₀ counts decayed over 14 and 90 days, and ρ_i the item's own log-odds of being taken
again, shrunk towards its categories. θ is a ridge logistic regression (Newton) on the last window of the training
data: what users had before it against what they took in it. One reason of all events of a user on an item together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY
from mutua.models.joint import kernels
from mutua.profiles.views import Views

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

GAPS = np.log(np.array([1 / 1440, 1 / 24, 0.25, 1, 3, 7, 14, 28, 56, 112, 240, 400]))
COUNTS = np.log(np.array([1.0, 2, 3, 4, 6, 9, 14, 24, 50]))
DECAYED = np.log(np.array([0.02, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16]))
RATES = np.linspace(-3.0, 2.0, 9)
CURVES = (("gap", GAPS), ("count", COUNTS), ("near", DECAYED), ("usual", DECAYED), ("rate", RATES))
SHRINKAGE = (200.0, 100.0, 50.0, 30.0)
RIDGE = 20.0


@dataclass(frozen=True, eq=False)
class Repeat:
    """A learned repeat term.

    Args:
        rate: float64 [n], ρ_i.
        mixed: float64 [3], θ₀, θ₁, θ₂.
        curves: heights at the knots by curve name, float64.
    """

    rate: Doubles
    mixed: Doubles
    curves: Mapping[str, Doubles]

    def terms(self, views: Views, near: Floats, usual: Floats) -> Floats:
        """Returns the term of every entry of the views, float32 [m], 0..1.

        Args:
            near, usual: float32 [m], counts of target events decayed over 14 and 90 days.
        """
        found = kernels.repeat_terms(
            views.start,
            views.item,
            views.last,
            views.count,
            near,
            usual,
            views.now,
            self.rate,
            self._curves,
            self.mixed,
        )
        return np.asarray(found, np.float32)

    @cached_property
    def _curves(self) -> tuple[tuple[Doubles, Doubles], ...]:
        return tuple((knots, self.curves[name]) for name, knots in CURVES)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Returns what `restore` needs, by name."""
        curves = {f"repeat_{name}": heights for name, heights in self.curves.items()}
        return {"repeat_rate_of_item": self.rate, "repeat_mixed": self.mixed, **curves}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Repeat:
        """Returns the term that `arrays` holds."""
        curves = {name: np.array(arrays[f"repeat_{name}"]) for name, _ in CURVES}
        return cls(np.array(arrays["repeat_rate_of_item"]), np.array(arrays["repeat_mixed"]), curves)


@dataclass(frozen=True, eq=False)
class Pairs:
    """What users had at an instant, and whether they took it in the window after: one row a user and item.

    Args:
        item: int32 [p]; days: float64 [p], gap since the last target event; count, near, usual: float32 [p].
        taken: bool [p].
    """

    item: npt.NDArray[np.int32]
    days: Doubles
    count: Floats
    near: Floats
    usual: Floats
    taken: npt.NDArray[np.bool_]


def pairs(views: Views, near: Floats, usual: Floats, taken: npt.NDArray[np.bool_], most: int = 60) -> Pairs:
    """Returns the training rows of views: of every user the `most` items of the largest 90-day counts."""
    lengths = np.diff(views.start)
    owner = np.repeat(np.arange(len(views)), lengths)
    order = np.lexsort((views.item, -usual, owner))
    rank = np.empty(len(owner), np.int64)
    rank[order] = np.arange(len(owner)) - np.repeat(views.start[:-1], lengths)
    chosen = np.flatnonzero((rank < most) & (views.count > 0))
    days = (views.now[owner[chosen]] - views.last[chosen]) / DAY
    return Pairs(views.item[chosen], days, views.count[chosen], near[chosen], usual[chosen], taken[chosen])


def learn(before: Pairs, last: Pairs, groups: Sequence[npt.NDArray[np.int32]], n_items: int) -> Repeat:
    """Returns the repeat term.

    Args:
        before: rows of the window before the last, whose rates are features of the last window without its labels.
        last: rows of the last window.
        groups: int32 [n] codes of every item, from the coarsest grouping to the finest; −1 where missing.
    """
    rate = item_rates(before, groups, n_items)
    theta = _newton(_features(last, rate[last.item]), last.taken.astype(np.float64))
    widths = np.cumsum([0, *(len(knots) for _, knots in CURVES)])
    curves = {name: theta[3 + widths[at] : 3 + widths[at + 1]] for at, (name, _) in enumerate(CURVES)}
    return Repeat(item_rates(last, groups, n_items), theta[:3], curves)


def item_rates(rows: Pairs, groups: Sequence[npt.NDArray[np.int32]], n_items: int) -> Doubles:
    """Returns ρ float64 [n]: log-odds of being taken again against the average, each level shrunk to the one above."""
    mean = float(np.clip(rows.taken.mean() if len(rows.taken) else 0.5, 1e-6, 1 - 1e-6))
    base = np.full(n_items, mean)
    levels = [*groups[-3:], np.arange(n_items, dtype=np.int32)]
    for codes, shrinkage in zip(levels, SHRINKAGE[-len(levels) :], strict=True):
        size = int(codes.max(initial=-1)) + 1
        mine = codes[rows.item]
        inside = mine >= 0
        taken = np.bincount(mine[inside], rows.taken[inside], size)
        seen = np.bincount(mine[inside], minlength=size)
        prior = np.zeros(size)
        prior[codes[codes >= 0]] = base[codes >= 0]
        shrunk = (taken + shrinkage * prior) / (seen + shrinkage)
        base = np.where(codes >= 0, shrunk[np.maximum(codes, 0)] if size else base, base)
    return np.asarray(np.log(base / (1 - base)) - np.log(mean / (1 - mean)))


def hats(x: Doubles, knots: Doubles) -> Floats:
    """Returns float32 [p, knots], the share of every knot in a piecewise linear function at x."""
    inside = np.clip(x, knots[0], knots[-1])
    place = np.clip(np.searchsorted(knots, inside, side="right") - 1, 0, len(knots) - 2)
    share = (inside - knots[place]) / (knots[place + 1] - knots[place])
    out = np.zeros((len(x), len(knots)), np.float32)
    rows = np.arange(len(x))
    out[rows, place], out[rows, place + 1] = 1 - share, share
    return out


def _features(rows: Pairs, rate: Doubles) -> Floats:
    days = np.log(np.maximum(rows.days, 1e-4))
    times = np.log(np.maximum(rows.count, 1.0))
    near, usual = (np.log(np.maximum(decayed, 1e-3)) for decayed in (rows.near, rows.usual))
    plain = np.stack((np.ones(len(rate)), rate * times, rate * (days - 3.0)), axis=1).astype(np.float32)
    curves = [hats(x, knots) for x, (_, knots) in zip((days, times, near, usual, rate), CURVES, strict=True)]
    return np.concatenate((plain, *curves), axis=1)


def _newton(features: Floats, taken: Doubles, steps: int = 8) -> Doubles:
    theta = np.zeros(features.shape[1])
    penalty = np.full(features.shape[1], RIDGE)
    penalty[0] = 1e-3
    for _ in range(steps):
        chance = 1.0 / (1.0 + np.exp(-(features @ theta.astype(np.float32)).astype(np.float64)))
        spread = (chance * (1 - chance) + 1e-6).astype(np.float32)
        slope = features.T @ (taken - chance).astype(np.float32) - penalty * theta
        curvature = (features * spread[:, None]).T @ features + np.diag(penalty)
        theta = theta + np.linalg.solve(curvature, slope)
    return theta
