"""The steps of one trial, each dearer than the one before, so that a bad trial ends early."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mutua.core.seeds import stream
from mutua.errors import UsageError
from mutua.events.interactions import Interactions
from mutua.learning.ranking import answers
from mutua.learning.search import FRACTION, JUDGES
from mutua.learning.split import Questions, Split, by_share_of_time, k_fold, questions
from mutua.metrics import ndcg
from mutua.models.base import Learner, TrainingData

Held = Literal["auto", "time", "folds"]
SHARES = (0.25, 0.5, 1.0)
"""Shares of the users that the steps of a split by time learn from."""


@dataclass(frozen=True, eq=False)
class Rung:
    """One step of a trial.

    Args:
        cost: what has been spent when it ends, in units of the first step.
        data: what is learned from; known: the histories of those who are asked.
    """

    cost: int
    data: TrainingData
    known: Interactions
    asked: Questions

    def value(self, learner: Learner, seed: int, k: int) -> float:
        """Returns the mean ndcg@k over those who are asked."""
        model = learner.learn(self.data, seed)
        return float(np.mean(ndcg(answers(model, self.known, self.data.users, self.asked).placements, k)))


@dataclass(frozen=True)
class Rungs:
    """All steps of every trial.

    Args:
        held: what is held out, for reports.
        averaged: whether a trial's value is the mean over its steps (folds), or that of the last one (samples).
    """

    held: str
    steps: tuple[Rung, ...]
    averaged: bool


def rungs(data: TrainingData, held: Held, folds: int, exclude_seen: bool, seed: int) -> Rungs:
    """Returns the steps of every trial on `data`, which must not hold what is tested on.

    By time, the newest tenth is held out and every step learns from more of the users, but asks the same ones; by
    folds, every step is another fold.

    Args:
        held: `auto` is `time` where the data have times, else `folds`.

    Raises:
        UsageError: code `usage`; fewer than two folds, or an unknown way to hold out.
        NotEnoughData: code `data.too-few`; nobody to ask.
    """
    if held not in ("auto", "time", "folds"):
        raise UsageError(f"held {held[:40]!r}", "time, folds or auto", "choose one of them")
    if folds < 2:
        raise UsageError(f"{folds} folds", "two or more", "name more folds")
    rows = data.interactions
    if held == "time" or (held == "auto" and rows.has_time):
        split = by_share_of_time(rows, FRACTION)
        asked = _judges(questions(split, exclude_seen), seed)
        shuffled = stream(seed, "tune", "users").permutation(rows.n_users)
        steps = [_sample(data, split, asked, shuffled, place) for place in range(len(SHARES))]
        return Rungs(split.name, tuple(steps), averaged=False)
    splits = k_fold(rows, folds, seed)
    parts = [
        Rung(place + 1, _part(data, split.train), split.train, _judges(questions(split, exclude_seen), seed))
        for place, split in enumerate(splits)
    ]
    return Rungs(f"{folds} folds", tuple(parts), averaged=True)


def _sample(data: TrainingData, split: Split, asked: Questions, shuffled: np.ndarray, place: int) -> Rung:
    share = SHARES[place]
    chosen = np.zeros(len(shuffled), np.bool_)
    chosen[shuffled[: int(np.ceil(share * len(shuffled)))]] = True
    return Rung(2**place, _part(data, split.train.take(chosen[split.train.user])), split.train, asked)


def _part(data: TrainingData, rows: Interactions) -> TrainingData:
    return replace(data, interactions=rows, now=int(rows.time.max(initial=0)))


def _judges(asked: Questions, seed: int) -> Questions:
    if len(asked) <= JUDGES:
        return asked
    return asked.take(np.sort(stream(seed, "tune", "judges").choice(len(asked), JUDGES, replace=False)))
