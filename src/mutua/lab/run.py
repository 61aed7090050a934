"""A run of the lab: models under one protocol, as one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from mutua.lab.dataset import Dataset
from mutua.lab.document import (
    Comparison,
    Data,
    Document,
    FreshnessPoint,
    Result,
    Trial,
    Tuning,
    environment,
)
from mutua.lab.evaluate import evaluate
from mutua.lab.freshness import GROUPS, figures, ratio, size
from mutua.lab.memory import peak
from mutua.lab.protocols import Options, Task, prepare
from mutua.lab.replay import Replayed, label, replay
from mutua.learning.search import Chosen, search
from mutua.learning.split import Questions, questions
from mutua.metrics.bootstrap import holm, paired
from mutua.models.base import Learner, Model, TrainingData
from mutua.models.registry import learner

Values = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], None]
"""Called before each model with its name, its place from 0, and how many there are."""
COMPARED = ("recall", "ndcg")
LIVE = label(0)


def run(options: Options, progress: Progress | None = None, data: Dataset | None = None) -> Document:
    """Returns the complete document of a run.

    Every model is chosen and learned within `options.budget` seconds on the training part alone, then asked.

    Args:
        data: what to evaluate on, such as a store's events; default: what stands at `options.path`.

    Raises:
        UnknownPart: code `part.unknown`; a model that is not registered.
        NotEnoughData: code `data.too-few`; nothing to learn from, or nobody to ask.
        MutuaError: as `prepare`.
    """
    learners = {name: learner(name) for name in options.models}
    task = prepare(options, data)
    asked = questions(task.split, task.exclude_seen)
    results: dict[str, Result] = {}
    per_user: dict[str, Mapping[str, Values]] = {}
    for place, (name, chief) in enumerate(learners.items()):
        if progress is not None:
            progress(name, place, len(learners))
        if options.protocol == "replay":
            results[name] = replayed(chief, task, options)
        else:
            results[name], per_user[name] = evaluated(chief, task, asked, options)
    return Document(results, described(task, asked, options), environment(), compared(per_user, options))


def evaluated(chief: Learner, task: Task, asked: Questions, options: Options) -> tuple[Result, Mapping[str, Values]]:
    """Returns what one model did on a split, and its values by user."""
    data = task.data
    with peak() as most:
        chosen = _chosen(chief, data.training(task.split.train), task, options)
        found = evaluate(chosen.model, task.split, asked, data.users, data.items, options.cutoffs, options.seed)
    result = Result(
        metrics=found.metrics,
        fit_seconds=chosen.fit_seconds,
        score_seconds=found.score_seconds,
        peak_mib=most.mib,
        settings=settings_of(chosen.learner),
        tuning=tuning_of(chosen),
        gaps=found.gaps,
    )
    return result, found.per_user


def replayed(chief: Learner, task: Task, options: Options) -> Result:
    """Returns what one model did in a replay; its settings are chosen once, on the events before the cut."""
    first: list[Chosen] = []

    def learn(part: TrainingData) -> Model:
        if not first:
            first.append(_chosen(chief, part, task, options))
            return first[0].model
        return first[0].learner.learn(part, options.seed)

    with peak() as most:
        walked = replay(
            learn,
            task.data.training(task.data.interactions),
            task.cut,
            refit_every=options.refit_every,
            exclude_seen=task.exclude_seen,
        )
    largest = max(options.cutoffs)
    return Result(
        metrics=figures(walked, LIVE, "all", options.cutoffs, options.seed),
        fit_seconds=walked.fit_seconds - first[0].search_seconds,
        score_seconds=walked.score_seconds,
        peak_mib=most.mib,
        settings=settings_of(first[0].learner),
        tuning=tuning_of(first[0]),
        freshness=freshness(walked, options),
        live_over={
            group: {
                line: ratio(walked, LIVE, line, group, largest, options.seed) for line in walked.ranks if line != LIVE
            }
            for group in GROUPS
            if size(walked, group)[0]
        },
    )


def freshness(walked: Replayed, options: Options) -> tuple[FreshnessPoint, ...]:
    """Returns the figures of every delay and baseline for every group that has events."""
    return tuple(
        FreshnessPoint(line, group, *size(walked, group), figures(walked, line, group, options.cutoffs, options.seed))
        for group in GROUPS
        if size(walked, group)[0]
        for line in walked.ranks
    )


def compared(per_user: Mapping[str, Mapping[str, Values]], options: Options) -> tuple[Comparison, ...]:
    """Returns every later model against the first, over the same users, p values corrected for their number."""
    names = list(per_user)
    metrics = [f"{name}@{max(options.cutoffs)}" for name in COMPARED]
    tests = {
        (name, metric): paired(per_user[name][metric], per_user[names[0]][metric], options.seed)
        for name in names[1:]
        for metric in metrics
    }
    corrected = holm({"\t".join(key): test.p for key, test in tests.items()})
    return tuple(
        Comparison(name, names[0], metric, test.difference, test.p, corrected[f"{name}\t{metric}"])
        for (name, metric), test in tests.items()
    )


def described(task: Task, asked: Questions, options: Options) -> Data:
    """Returns what stands in a document about its data."""
    data, rows = task.data, task.data.interactions
    count = np.bincount(rows.type, minlength=len(rows.types)).tolist()
    present = {name: number for name, number in zip(rows.types, count, strict=True) if number}
    return Data(
        path=str(options.path),
        protocol=options.protocol,
        split=task.split.name,
        users=len(np.unique(rows.user)),
        items=rows.n_items,
        events=len(rows),
        train_events=len(task.split.train),
        test_events=len(task.split.test),
        test_users=len(asked),
        left_out_users=asked.left_out,
        has_time=rows.has_time,
        cut=task.moment,
        cutoffs=options.cutoffs,
        target_types=tuple(n for n, target in zip(rows.types, rows.targets, strict=True) if target and n in present),
        types=present,
        exclude_seen=task.exclude_seen,
        exclude_seen_why=task.why,
        repeats=task.repeats,
        refused_rows=data.refused,
        seed=options.seed,
        budget=options.budget,
        notes=data.notes if rows.has_time else (*data.notes, "no times: events are taken in the order of the file"),
    )


def settings_of(chosen: Learner) -> dict[str, Any]:
    """Returns the hyper-parameters of a learner by name."""
    return asdict(cast(Any, chosen))


def tuning_of(chosen: Chosen) -> Tuning:
    """Returns how the hyper-parameters were chosen."""
    trials = tuple(Trial(settings_of(trial.learner), trial.value, trial.seconds) for trial in chosen.trials)
    return Tuning(chosen.held, chosen.metric, chosen.complete, chosen.search_seconds, trials)


def _chosen(chief: Learner, part: TrainingData, task: Task, options: Options) -> Chosen:
    return search(
        chief,
        part,
        options.budget,
        options.seed,
        held=task.held,
        exclude_seen=task.exclude_seen,
        k=max(options.cutoffs),
    )
