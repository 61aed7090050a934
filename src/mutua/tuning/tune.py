"""The tuning of a model: settings are drawn, judged step by step and remembered, until the budget is spent."""

from __future__ import annotations

from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, cast

from mutua.errors import UsageError
from mutua.events.interactions import COLUMNS
from mutua.models.base import Learner, TrainingData
from mutua.models.registry import named
from mutua.models.space import Among, Range, Space, space_of
from mutua.tuning.rungs import Rungs, rungs
from mutua.tuning.study import Study, steps_of
from mutua.tuning.wanted import K, Told, Tried, Tuned, Wanted, silent


def tune(data: TrainingData, wanted: Wanted, path: Path | None = None, told: Told = silent) -> Tuned:
    """Returns the best settings found within the budget; a study at `path` that was broken off goes on.

    Trials begin with the model's own candidates, then follow a tree-structured Parzen estimator (Bergstra et al.
    2011); successive halving ends bad ones early (Li et al. 2020). A trial depends on the seed and on those that ended
    before it alone, so that a run that was killed and goes on tries what one run would have tried.

    Args:
        data: all that may be looked at. A part of it is held out to judge by; what is tested on must not be in it.
        path: the file that remembers trials; None: nothing is remembered. It holds settings and values, no event.

    Raises:
        MissingExtra: code `extra.missing`; optuna is not installed.
        UsageError: code `usage`; nothing is left to choose.
        NotEnoughData: code `data.too-few`; nothing to learn from or nobody to ask.
    """
    began = perf_counter()
    kind, fixed = named(wanted.model)
    chief = kind(**fixed)
    space = {name: stated for name, stated in space_of(kind).items() if name not in fixed}
    if not space:
        raise UsageError(f"model {wanted.model[:60]!r}", "a setting that is left to choose", "name another model")
    steps = rungs(data, wanted.held, wanted.folds, wanted.exclude_seen, wanted.seed)
    study = Study(path, f"{kind.name}-{_digest(data, wanted, space)}", space, starts(chief, data, space), wanted.seed)
    tried = list(study.ended())
    resumed = len(tried)
    while not tried or _goes_on(wanted, tried, perf_counter() - began):
        tried.append(_try(study, len(tried), chief, steps, wanted.seed))
        told(tried[-1])
    best = max((one for one in tried if not one.pruned), key=lambda one: one.value)
    learner = replace(cast(Any, chief), **best.settings)
    return Tuned(learner, best.value, steps.held, tuple(tried), resumed, study.importance(), perf_counter() - began)


def starts(chief: Learner, data: TrainingData, space: Space) -> tuple[dict[str, Any], ...]:
    """Returns the settings of the model's own candidates that lie within the space, the best guess first."""
    listed = [asdict(cast(Any, one)) for one in chief.candidates(data)]
    inside = [one for one in listed if all(within(one[name], what) for name, (_, what) in space.items())]
    return tuple({name: one[name] for name in space} for one in inside)


def within(value: Any, what: Range) -> bool:
    """Whether a value is one that may be drawn."""
    return value in what.values if isinstance(what, Among) else what.low <= value <= what.high


def _goes_on(wanted: Wanted, tried: list[Tried], spent: float) -> bool:
    """Whether another trial may begin: a usual one would end in time, and not too many have ended."""
    usual = median(one.seconds for one in tried)
    return spent + usual <= wanted.budget and (not wanted.trials or len(tried) < wanted.trials)


def _try(study: Study, place: int, chief: Learner, rungs: Rungs, seed: int) -> Tried:
    began = perf_counter()
    trial = study.ask(place)
    settings = study.drawn(trial)
    learner = replace(cast(Any, chief), **settings)
    values: list[float] = []
    worth, pruned = 0.0, False
    for rung in rungs.steps:
        values.append(rung.value(learner, seed, K))
        worth = steps_of(trial, rungs, values)
        pruned = len(values) < len(rungs.steps) and trial.should_prune()
        if pruned:
            break
    return study.end(trial, settings, worth, pruned, perf_counter() - began)


def _digest(data: TrainingData, wanted: Wanted, space: Space) -> str:
    """What two calls must share to compare their trials: the data, how they are judged, and what is tried."""
    made = blake2b(repr((wanted.model, wanted.held, wanted.folds, wanted.exclude_seen, wanted.seed, space)).encode())
    for name in COLUMNS:
        made.update(getattr(data.interactions, name).tobytes())
    return made.hexdigest()[:16]
