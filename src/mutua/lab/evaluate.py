"""One model on one split: every ranking metric with its interval, lists, groups and ratings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua import metrics
from mutua.catalog.table import AttributeTable, Labels
from mutua.lab import lists
from mutua.learning.ranking import Ranking, answers
from mutua.learning.split import Questions, Split
from mutua.metrics import Gap, gap
from mutua.metrics.bootstrap import Interval, means, ratios
from mutua.models.base import Model, Rates, ReadsAttributes
from mutua.profiles import fold

Values = npt.NDArray[np.float64]
WARM = 10
"""Events from which a user counts as warm."""
ACTIVITY = ("new", "few", "warm")
"""Groups of users by events in training: none, below `WARM`, from `WARM` on."""
MOST_LEVELS = 12
"""Levels at most of an attribute whose groups are compared."""
RATINGS = 4_096
"""Ratings foreseen at once."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a model did.

    Args:
        metrics: figure by `name@k`, with intervals over users.
        per_user: float64 [u] by `name@k`, for paired tests; NaN where a user has no value.
        users: int32 [u], whose values these are.
        gaps: by group of users, how differently ndcg at the largest cut-off serves them.
        score_seconds: time to make the views and to rank all items for all users.
    """

    metrics: dict[str, Interval]
    per_user: dict[str, Values]
    users: npt.NDArray[np.int32]
    gaps: dict[str, Gap]
    score_seconds: float


def evaluate(
    model: Model,
    split: Split,
    asked: Questions,
    users: AttributeTable,
    items: AttributeTable,
    cutoffs: Sequence[int] = (10, 20),
    seed: int = 0,
) -> Evaluation:
    """Returns how `model` answers the questions of `split`, all items ranked.

    Args:
        cutoffs: the values of k, each at least 1.
    """
    begun = time.perf_counter()
    ranking = answers(model, split.train, users, asked, max(cutoffs))
    seconds = time.perf_counter() - begun
    figures = per_user(ranking, cutoffs) | lists.per_user(ranking.lists, split.train, asked, items, cutoffs)
    found = means(figures, seed) | lists.over_all(ranking.lists, model.n_items, cutoffs, seed)
    chief = figures[f"ndcg@{max(cutoffs)}"]
    return Evaluation(
        metrics=found | rating_errors(model, split, users, seed),
        per_user=figures,
        users=asked.users,
        gaps=gaps(chief, split, asked, users),
        score_seconds=seconds,
    )


def per_user(ranking: Ranking, cutoffs: Sequence[int]) -> dict[str, Values]:
    """Returns the ranking metrics of each user by `name@k`."""
    found = {f"{name}@{k}": metric(ranking.placements, k) for name, metric in metrics.RANKING.items() for k in cutoffs}
    found |= {f"accuracy@{k}": metrics.accuracy(ranking.placements, k, ranking.candidates) for k in cutoffs}
    return found | {"auc": metrics.auc(ranking.placements, ranking.candidates)}


def activity(split: Split) -> npt.NDArray[np.int32]:
    """Returns the index into `ACTIVITY` of every user of the vocabulary, int32 [n_users]."""
    events = np.bincount(split.train.user[split.train.weight > 0], minlength=split.train.n_users)
    return np.where(events >= WARM, 2, np.where(events > 0, 1, 0)).astype(np.int32)


def gaps(values: Values, split: Split, asked: Questions, users: AttributeTable) -> dict[str, Gap]:
    """Returns the gaps between users of different activity, and of each attribute with few levels."""
    found = {"activity": gap(values, activity(split)[asked.users], ACTIVITY)}
    known = asked.users < users.size
    for name, column in users.columns.items():
        if isinstance(column, Labels) and len(column.levels) <= MOST_LEVELS:
            codes = np.full(len(asked.users), -1, np.int32)
            codes[known] = column.codes[asked.users[known]]
            found[name] = gap(values, codes, column.levels)
    return {name: difference for name, difference in found.items() if difference is not None}


def rating_errors(model: Model, split: Split, users: AttributeTable, seed: int) -> dict[str, Interval]:
    """Returns mae, mse and rmse on the held-out ratings, means over events with intervals over users.

    Empty where the model foresees no ratings, or where either part of the split has none.
    """
    rows = split.test.take(split.test.is_rating)
    if not isinstance(model, Rates) or not len(rows) or not bool(split.train.is_rating.any()):
        return {}
    who, back = np.unique(rows.user, return_inverse=True)
    encoded = model.encode(users, who) if isinstance(model, ReadsAttributes) else None
    views = fold.views(split.train, model.encoder, split.moment[who], who, encoded)
    foreseen = np.empty(len(rows))
    for begin in range(0, len(rows), RATINGS):
        block = slice(begin, begin + RATINGS)
        foreseen[block] = model.predict(views.take(back[block]), rows.item[block])[:, 0]
    error = foreseen - rows.value
    sums = np.column_stack([np.bincount(back, amount) for amount in (np.abs(error), error**2)]).astype(np.float64)
    count = np.bincount(back).astype(np.float64)[:, None]
    mae, mse = ratios(sums, np.hstack((count, count)), seed)
    roots = np.sqrt([mse.value, mse.low, mse.high])
    return {"mae": mae, "mse": mse, "rmse": Interval(*(float(root) for root in roots))}
