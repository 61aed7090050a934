"""Hyper-parameters by validation inside the training data, within a budget of seconds; the test data are never seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mutua.core.seeds import stream
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.learning.ranking import answers
from mutua.learning.split import Questions, Split, by_share_of_time, by_share_of_user, leave_last, questions
from mutua.metrics import ndcg
from mutua.models.base import Learner, Model, TrainingData

Held = Literal["auto", "time", "last", "share"]
FRACTION = 0.1
"""Part of the training data that is held out to choose by."""
JUDGES = 8_000
"""Users at most that a candidate is judged on; the same for all candidates."""
DRAWS = 3
"""Times at most that a share of each user's items is drawn and held out: few users are asked again on another draw."""


@dataclass(frozen=True)
class Trial:
    """One candidate: its ndcg@k on what was held out, NaN where it had too few data, and the seconds it took."""

    learner: Learner
    value: float
    seconds: float


@dataclass(frozen=True)
class Chosen:
    """The best candidate, learned again on all training data.

    Args:
        trials: in order of trying; empty where there was nothing to choose between or to judge by.
        complete: whether all candidates were tried; if so, and with time for all draws, the choice depends on data and
            seed alone.
        held: what was held out to choose by, empty where nothing was.
        metric: the name of the figure in `trials`.
        search_seconds: time for all trials; fit_seconds: time for the last learning.
    """

    learner: Learner
    model: Model
    trials: tuple[Trial, ...]
    complete: bool
    held: str
    metric: str
    search_seconds: float
    fit_seconds: float


def search(
    learner: Learner,
    data: TrainingData,
    budget: float,
    seed: int = 0,
    *,
    held: Held = "auto",
    exclude_seen: bool = True,
    k: int = 10,
) -> Chosen:
    """Returns the best of `learner.candidates(data)` by ndcg@k on a held-out part of `data`, learned on all of it.

    Args:
        budget: seconds for trials and the last learning together; a trial starts only if it and the last learning are
            likely to end in time. With 0, or nothing to judge by, it is the best guess for such data, or `learner` as
            it stands where it was set.
        held: `time` holds out the newest tenth, `last` each user's newest event, `share` a tenth of each user's items;
            `auto` is `time` where the data have times, else `share`.
        exclude_seen: whether a candidate is judged on items that are new to their users only.

    Raises:
        NotEnoughData: code `data.too-few`; nothing to learn from at all.
    """
    started = time.perf_counter()
    candidates = learner.candidates(data) if budget > 0 else ()
    if learner == type(learner)():
        learner = learner.candidates(data)[0]
    trials: tuple[Trial, ...] = ()
    name = ""
    if len(candidates) > 1:
        try:
            name, trials = _compared(candidates, data, held, exclude_seen, started + budget, seed, k)
        except NotEnoughData:
            trials, name = (), ""
    found = [trial for trial in trials if np.isfinite(trial.value)]
    best = max(found, key=lambda trial: trial.value).learner if found else learner
    searched = time.perf_counter() - started
    model = best.learn(data, seed)
    complete = len(trials) == len(candidates) or len(candidates) <= 1
    fitted = time.perf_counter() - started - searched
    return Chosen(best, model, trials, complete, name, f"ndcg@{k}", searched, fitted)


def _compared(
    candidates: tuple[Learner, ...],
    data: TrainingData,
    held: Held,
    exclude_seen: bool,
    deadline: float,
    seed: int,
    k: int,
) -> tuple[str, tuple[Trial, ...]]:
    """Returns what was held out and the trials, each the mean over the draws that all candidates saw.

    Another draw starts only if all its trials and the last learning are likely to end in time.
    """
    split, asked = _validation(data.interactions, held, exclude_seen, seed)
    first = _tried(candidates, data, split, asked, deadline, seed, k)
    draws = min(DRAWS, JUDGES // len(asked)) if split.drawn and len(first) == len(candidates) else 1
    seconds = [trial.seconds for trial in first]
    rounds = [first]
    for draw in range(1, draws):
        if time.perf_counter() + sum(seconds) + max(seconds) > deadline:
            break
        again, answered = _validation(data.interactions, held, exclude_seen, seed + draw)
        rounds.append(_tried(candidates, data, again, answered, deadline, seed, k))
    whole = [trials for trials in rounds if len(trials) == len(first)]
    return split.name, tuple(_mean(trials) for trials in zip(*whole, strict=True))


def _mean(trials: tuple[Trial, ...]) -> Trial:
    """One candidate's trials on several draws as one."""
    value = float(np.mean([trial.value for trial in trials]))
    return Trial(trials[0].learner, value, sum(trial.seconds for trial in trials))


def _tried(
    candidates: tuple[Learner, ...],
    data: TrainingData,
    split: Split,
    asked: Questions,
    deadline: float,
    seed: int,
    k: int,
) -> tuple[Trial, ...]:
    """Tries candidates in order until the next one and the last learning would pass the deadline."""
    part = replace(data, interactions=split.train, now=int(split.train.time.max(initial=0)))
    trials: list[Trial] = []
    longest = 0.0
    for candidate in candidates:
        begun = time.perf_counter()
        if begun + 2.0 * longest > deadline:
            break
        try:
            ranking = answers(candidate.learn(part, seed), split.train, data.users, asked)
            value = float(np.mean(ndcg(ranking.placements, k)))
        except NotEnoughData:
            value = float("nan")
        trials.append(Trial(candidate, value, time.perf_counter() - begun))
        longest = max(longest, trials[-1].seconds)
    return tuple(trials)


def _validation(rows: Interactions, held: Held, exclude_seen: bool, seed: int) -> tuple[Split, Questions]:
    kind = held if held != "auto" else "time" if rows.has_time else "share"
    if kind == "last":
        split = leave_last(rows)
    elif kind == "time":
        split = by_share_of_time(rows, FRACTION)
    else:
        split = by_share_of_user(rows, FRACTION, seed)
    asked = questions(split, exclude_seen)
    if len(asked) > JUDGES:
        drawn = stream(seed, "search", "judges").choice(len(asked), JUDGES, replace=False)
        asked = asked.take(np.sort(drawn))
    return split, asked
