"""Complete Journey, the last 28 days foreseen from what is before: the default model and three baselines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import NotAvailable
from benchmarks.goals import Figure, Goal, Measured, span
from mutua import Recommender, Settings
from mutua.core.clock import DAY, format_time
from mutua.demo import journey
from mutua.errors import MissingExtra
from mutua.lab.dataset import Dataset
from mutua.lab.evaluate import evaluate
from mutua.lab.protocols import Options, Task, prepare
from mutua.lab.run import settings_of, tuning_of
from mutua.learning.search import Chosen, search
from mutua.learning.split import Questions, questions
from mutua.metrics.bootstrap import Interval
from mutua.models.registry import learner
from mutua.training import dataset_of

K = 10
SEED = 0
HELD = 28 * DAY
BUDGET, QUICK_BUDGET = 90.0, 1.0
QUICK_HOUSEHOLDS = 10
BASELINES = ("popularity", "frequency", "item-knn")
ALL, NEW = "all items", "new items only"
MODEL = {
    ALL: Goal("Complete Journey, last 28 days: NDCG@10, all items", must=0.425, aim=0.45),
    NEW: Goal("Complete Journey, last 28 days: NDCG@10, new items only", must=0.045, aim=0.055),
}
FOR_NEW = Goal("Complete Journey: the same, settings chosen for new items")
BASELINE = {
    (name, group): Goal(f"Complete Journey, {name}: NDCG@10, {group}") for name in BASELINES for group in (ALL, NEW)
}
GOALS = (*MODEL.values(), FOR_NEW, *BASELINE.values())


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark: one model answers both questions, chosen within the training part."""
    budget = QUICK_BUDGET if quick else BUDGET
    log = recorded(QUICK_HOUSEHOLDS if quick else None)
    newest = int(log.interactions.time.max())
    options = Options("holdout", "Complete Journey", at=format_time(newest - HELD), cutoffs=(K,), exclude_seen="no")
    task = prepare(options, log)
    asked = {ALL: questions(task.split, exclude_seen=False), NEW: questions(task.split, exclude_seen=True)}
    models = {name: chosen(name, task, budget, exclude_seen=False) for name in ("default", *BASELINES)}
    found = {name: answers(one, task, asked) for name, one in models.items()}
    fresh = chosen("default", task, budget, exclude_seen=True)
    found["default for new items"] = answers(fresh, task, {NEW: asked[NEW]})
    figures = [shown(MODEL[group], found["default"][group], asked[group]) for group in (ALL, NEW)]
    figures.append(shown(FOR_NEW, found["default for new items"][NEW], asked[NEW]))
    figures += [shown(goal, found[name][group], asked[group]) for (name, group), goal in BASELINE.items()]
    return {
        "figures": figures,
        "seeds": [SEED],
        "repeats": 1,
        "details": {
            "cut": task.moment,
            "train_events": len(task.split.train),
            "test_events": len(task.split.test),
            "budget": budget,
            "figures": found,
            "models": {name: said(one) for name, one in {**models, "default for new items": fresh}.items()},
        },
    }


def recorded(households: int | None) -> Dataset:
    """Returns the shop's data, recorded and cleaned as `mutua demo` does.

    Raises:
        NotAvailable: the package that holds them is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="mutua-journey-") as folder:
        try:
            files = journey.sources(Path(folder), households)
        except MissingExtra as reason:
            raise NotAvailable(str(reason)) from reason
        with Recommender.open(f"sqlite:///{folder}/journey.db", settings=Settings(), now="log") as shop:
            for file in files:
                shop.record_file(file.path, mapping=file.mapping, role=file.role)
            return dataset_of(shop.store)


def chosen(name: str, task: Task, budget: float, exclude_seen: bool) -> Chosen:
    """Returns a model, its settings chosen on the newest tenth of the training part."""
    training = task.data.training(task.split.train)
    return search(learner(name), training, budget, SEED, held=task.held, exclude_seen=exclude_seen, k=K)


def answers(one: Chosen, task: Task, asked: dict[str, Questions]) -> dict[str, Interval]:
    """Returns NDCG@10 by group of items."""
    users, items = task.data.users, task.data.items
    return {
        group: evaluate(one.model, task.split, some, users, items, (K,), SEED).metrics[f"ndcg@{K}"]
        for group, some in asked.items()
    }


def shown(goal: Goal, found: Interval, asked: Questions) -> Figure:
    """Returns a row."""
    return goal.seen(found.value, f"{span(found.low, found.high)} ({len(asked)} households)")


def said(one: Chosen) -> dict[str, Any]:
    """Returns how a model was chosen."""
    return {"settings": settings_of(one.learner), "tuning": tuning_of(one), "fit_seconds": one.fit_seconds}
