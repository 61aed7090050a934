"""`mutua learn`: a model from the log, put in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, cast

import typer

from mutua.cli import reading
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.models.base import Learner
from mutua.training import Learned


def learn(
    call: Call,
    model: Annotated[str | None, typer.Option(help="A model, with settings if wanted: ease:ridge=200.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time for choosing hyper-parameters: 60s, 2min; 0: no search.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Show what was tried.")] = False,
) -> None:
    """Learn a model from the log; hyper-parameters are chosen on a part of it that is held out for that."""
    with call.open() as shop, call.screen.stage("learning"):
        done = shop.learn(model, budget=None if budget is None else reading.seconds(budget))
    tried = table("settings", done.metric, "seconds", numbers=2)
    for trial in done.trials:
        tried.add_row(described(trial.learner), f"{trial.value:.4f}", f"{trial.seconds:.1f}")
    call.screen.answer(as_json(done), told(done), *([tried] if report and done.trials else []))


def as_json(done: Learned) -> dict[str, Any]:
    """Returns what learning brought as JSON values."""
    return {
        "version": done.version,
        "model": done.learner.name,
        "settings": settings_of(done.learner),
        "metric": done.metric,
        "complete": done.complete,
        "trials": [
            {"settings": settings_of(trial.learner), "value": trial.value, "seconds": trial.seconds}
            for trial in done.trials
        ],
        "events": done.events,
        "users": done.users,
        "items": done.items,
        "seconds": done.seconds,
        "ratings": done.ratings,
        "purged": done.purged,
    }


def told(done: Learned) -> str:
    """Returns what learning brought in words."""
    what = f"{done.events:,} events of {done.users:,} users on {done.items:,} items in {done.seconds:.1f} s"
    chosen = f"; {len(done.trials)} settings tried" if done.trials else ""
    return f"Version {done.version} of {done.learner.name} is in force, learned from {what}{chosen}."


def settings_of(learner: Learner) -> dict[str, Any]:
    """Returns the hyper-parameters of a learner by name."""
    return asdict(cast(Any, learner))


def described(learner: Learner) -> str:
    """Returns a learner as the command line writes it."""
    listed = ",".join(f"{name}={value}" for name, value in settings_of(learner).items())
    return f"{learner.name}:{listed}" if listed else learner.name


app = single(learn)
