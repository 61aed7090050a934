"""`mutua learn`: a model from the log, put in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, cast

import typer

from mutua.cli import reading
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.models.base import Learner
from mutua.models.registry import described
from mutua.training import Learned


def learn(
    call: Call,
    model: Annotated[str | None, typer.Option(help="A model, with settings if wanted: ease:ridge=200.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time for choosing hyper-parameters: 60s, 2min; 0: no search.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Put it in force though it is worse, or another version is pinned.")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Show what was tried.")] = False,
) -> None:
    """Learn a model from the log; hyper-parameters are chosen on a part of it that is held out for that."""
    with call.open() as shop, call.screen.stage("learning") as step:
        done = shop.learn(
            model,
            budget=None if budget is None else reading.seconds(budget),
            force=force,
            progress=lambda doing, at, of: step(at, of),  # noqa: ARG005
        )
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
        "serves": done.serves,
        "verdict": done.verdict.as_json(),
    }


def told(done: Learned) -> str:
    """Returns what learning brought in words."""
    what = f"{done.events:,} events of {done.users:,} users on {done.items:,} items in {done.seconds:.1f} s"
    chosen = f"; {len(done.trials)} settings tried" if done.trials else ""
    force = "is in force" if done.serves else "is NOT in force"
    judged = f" On the newest hours: {done.verdict.decision}, {done.verdict.why}."
    version = f"Version {done.version} of {done.learner.name}"
    return f"{version} {force}, learned from {what}{chosen}.{judged}{_why_not(done)}"


def _why_not(done: Learned) -> str:
    if done.serves:
        return ""
    pinned = " Another version is pinned." if not done.verdict.worse else ""
    return f"{pinned} `mutua models rollback {done.version}` puts it in force; `mutua learn --force` would have."


def settings_of(learner: Learner) -> dict[str, Any]:
    """Returns the hyper-parameters of a learner by name."""
    return asdict(cast(Any, learner))


app = single(learn)
