"""Models compared on what people did after they had learned, over all items and over items new to their user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mutua.core.clock import DAY, format_time
from mutua.errors import NotEnoughData
from mutua.lab.dataset import Dataset
from mutua.lab.splits import Questions, Split, by_share_of_time, by_share_of_user, by_time, questions
from mutua.learning.ranking import answers
from mutua.learning.search import search
from mutua.metrics import ndcg, recall
from mutua.metrics.bootstrap import Interval, means
from mutua.models.base import Model
from mutua.models.registry import learner

MODELS = ("popularity", "frequency", "item-knn", "default")
K = 10
HELD = 28 * DAY
ALL, NEW = "all items", "new items only"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Compared:
    """One model: seconds to learn, and by group of items its figures with intervals over users."""

    model: str
    fit_seconds: float
    figures: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True)
class Comparison:
    """What was held out, how many users were asked in each group of items, and the models."""

    held_out: str
    users: Mapping[str, int]
    models: tuple[Compared, ...]


def held_out(data: Dataset, seed: int) -> tuple[Split, str]:
    """Returns the split for the comparison, and what it holds out in words.

    The last 28 days; of shorter logs the newest fifth; of logs without times a tenth of each user's items.

    Raises:
        NotEnoughData: code `data.too-few`; a part is empty.
    """
    rows = data.interactions
    newest = int(rows.time.max())
    span = newest - int(rows.time.min())
    if span >= 2 * HELD:
        split = by_time(rows, newest - HELD + 1)
        said = f"the last {HELD // DAY} days, from {format_time(newest - HELD + 1)[:10]}"
    elif span >= 2 * DAY:
        split, said = by_share_of_time(rows, 0.2), "the newest fifth of the events, as the log is under 56 days long"
    else:
        split = by_share_of_user(rows, 0.1, seed)
        said = "a tenth of each user's items, drawn at random, as the events have no times of their own"
    if not len(split.train) or not len(split.test):
        raise NotEnoughData(f"{len(rows)} events", "events of a target type on both sides of the cut", "record more")
    return split, said


def compare(data: Dataset, seed: int, progress: Progress) -> Comparison:
    """Returns how the models of `MODELS`, with the settings that suit the data, foresee what is held out.

    Raises:
        NotEnoughData: code `data.too-few`.
    """
    split, said = held_out(data, seed)
    asked = _asked(split)
    compared = []
    for place, name in enumerate(MODELS):
        progress(name, place, len(MODELS))
        chosen = search(learner(name), data.training(split.train), 0.0, seed)
        figures = {group: _figures(chosen.model, split, data, one, seed) for group, one in asked.items()}
        compared.append(Compared(name, chosen.fit_seconds, figures))
    progress("", len(MODELS), len(MODELS))
    return Comparison(said, {group: len(one) for group, one in asked.items()}, tuple(compared))


def _asked(split: Split) -> dict[str, Questions]:
    """Returns the questions by group of items; new items only where somebody took some."""
    asked = {ALL: questions(split, exclude_seen=False)}
    try:
        return {**asked, NEW: questions(split, exclude_seen=True)}
    except NotEnoughData:
        return asked


def _figures(model: Model, split: Split, data: Dataset, asked: Questions, seed: int) -> dict[str, Interval]:
    placements = answers(model, split.train, data.users, asked).placements
    return means({f"ndcg@{K}": ndcg(placements, K), f"recall@{K}": recall(placements, K)}, seed)
