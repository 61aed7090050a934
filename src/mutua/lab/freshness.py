"""What a replay shows: figures by delay of the profile and by group of users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mutua import metrics
from mutua.lab.evaluate import ACTIVITY
from mutua.lab.replay import Ranks, Replayed
from mutua.metrics.bootstrap import Interval, ratios

GROUPS = ("all", "warm", "new")
FIGURES = ("recall", "hr", "ndcg", "mrr")


def figures(replayed: Replayed, line: str, group: str, cutoffs: Sequence[int], seed: int) -> dict[str, Interval]:
    """Returns means over the foreseen events of a group (`GROUPS`) by `name@k`, with intervals over users."""
    chosen = _chosen(replayed, group)
    if not chosen.any():
        return {}
    placements = _placements(replayed.ranks[line][chosen])
    names = [f"{name}@{k}" for name in FIGURES for k in cutoffs]
    values = [metrics.RANKING[name](placements, k) for name in FIGURES for k in cutoffs]
    sums, count = _by_user(replayed.user[chosen], values)
    return dict(zip(names, ratios(sums, np.repeat(count, len(names), axis=1), seed), strict=True))


def size(replayed: Replayed, group: str) -> tuple[int, int]:
    """Returns how many events of how many users a group has."""
    users = replayed.user[_chosen(replayed, group)]
    return len(users), len(np.unique(users))


def ratio(replayed: Replayed, above: str, below: str, group: str, k: int, seed: int) -> Interval:
    """Returns hits@k of one line ÷ hits@k of another over the same events, with an interval over users; or NaN."""
    chosen = _chosen(replayed, group)
    if not chosen.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    hits = [metrics.hr(_placements(replayed.ranks[line][chosen]), k) for line in (above, below)]
    sums, _ = _by_user(replayed.user[chosen], hits)
    return ratios(sums[:, :1], sums[:, 1:], seed)[0]


def _chosen(replayed: Replayed, group: str) -> npt.NDArray[np.bool_]:
    return np.ones(len(replayed.user), np.bool_) if group == "all" else replayed.group == ACTIVITY.index(group)


def _placements(ranks: Ranks) -> metrics.Placements:
    return metrics.Placements(np.arange(len(ranks) + 1), ranks)


def _by_user(
    user: npt.NDArray[np.int32], values: Sequence[npt.NDArray[np.float64]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns sums of each value by user, float64 [u, m], and events by user, float64 [u, 1]."""
    _, back = np.unique(user, return_inverse=True)
    sums = np.column_stack([np.bincount(back, value) for value in values])
    return sums.astype(np.float64), np.bincount(back).astype(np.float64)[:, None]
