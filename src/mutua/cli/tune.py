"""`mutua tune`: the settings of a model, searched for within a budget; a search that was broken off goes on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer

from mutua.cli import reading
from mutua.cli.call import Call, single
from mutua.cli.learn import as_json as learned_json
from mutua.cli.learn import settings_of
from mutua.cli.learn import told as learned_text
from mutua.cli.screen import table
from mutua.errors import UsageError
from mutua.lab.protocols import FREQUENT
from mutua.models.base import TrainingData
from mutua.models.registry import described
from mutua.store.sqlite.lock import WriterLock
from mutua.training import training_data
from mutua.tuning import plots, trackers
from mutua.tuning.rungs import Held
from mutua.tuning.tune import tune as search
from mutua.tuning.wanted import METRIC, Tried, Tuned, Wanted

SHOWN = 10


def tune(
    call: Call,
    model: Annotated[
        str | None, typer.Option(help="A model; settings stated with it stay: default:memory=fading.")
    ] = None,
    budget: Annotated[str, typer.Option(help="Time for all trials: 60s, 10min.")] = "60s",
    trials: Annotated[
        int, typer.Option(min=0, help="Trials at most, those of earlier calls included; 0: no bound.")
    ] = 0,
    held: Annotated[str, typer.Option(help="What is held out to judge by: time, folds or auto.")] = "auto",
    folds: Annotated[int, typer.Option(min=2, help="How many, where folds are held out.")] = 4,
    fraction: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of events, the newest, that is not read: kept for the test.")
    ] = 0.2,
    pictures: Annotated[Path | None, typer.Option("--plots", help="A folder for pictures of the search.")] = None,
    tensorboard: Annotated[Path | None, typer.Option(help="A folder for TensorBoard's event files.")] = None,
    wandb: Annotated[Path | None, typer.Option(help="A folder for an offline run of Weights & Biases.")] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Learn with the settings found, and put that in force.")
    ] = False,
) -> None:
    """Search for a model's settings; every trial is kept beside the store, so that the search can go on."""
    with ExitStack() as held_open, call.open_store() as store:
        data = before_the_test(training_data(store), fraction)
        wanted = Wanted(
            model or call.settings.learn.model,
            reading.seconds(budget),
            trials,
            cast(Held, held),
            folds,
            data.interactions.share_of_returns < FREQUENT,
            call.settings.seed,
        )
        listeners = [
            held_open.enter_context(tracker(folder))
            for tracker, folder in ((trackers.tensorboard, tensorboard), (trackers.wandb, wandb))
            if folder is not None
        ]
        path = store.address.studies
        if path is not None:
            held_open.callback(WriterLock(path.with_name(f"{path.name}.lock")).release)
        step = held_open.enter_context(call.screen.stage("tuning"))

        def told(tried: Tried) -> None:
            for listener in listeners:
                listener(tried)
            step(tried.number, tried.number + 1)
            call.screen.note(f"trial {tried.number}: {tried.value:.4f}{' (ended early)' if tried.pruned else ''}")

        found = search(data, wanted, path, told)
    drawn = [] if pictures is None else drawings(found, pictures)
    document: dict[str, Any] = {**as_json(found), "plots": drawn}
    words = [text(found)]
    if learn:
        with call.open() as shop:
            done = shop.learn(found.line, budget=0.0)
        document["learned"] = learned_json(done)
        words.append(learned_text(done))
    call.screen.answer(document, best(found), *words)
    call.screen.copied(f"mutua learn --model {found.line}")


def before_the_test(data: TrainingData, fraction: float) -> TrainingData:
    """Returns the data without the newest `fraction` of events, which `mutua evaluate` tests on by default.

    Raises:
        UsageError: code `usage`; nothing would be left.
    """
    rows = data.interactions
    order = np.lexsort((rows.sequence, rows.time))
    kept = order[: int(np.ceil(len(rows) * (1.0 - fraction)))] if fraction else order
    if fraction and rows.has_time:
        kept = kept[rows.time[kept] < rows.time[order[min(len(kept), len(rows) - 1)]]]
    if not len(kept):
        raise UsageError(f"fraction {fraction} of {len(rows)} events", "some events to tune on", "keep fewer back")
    part = rows.take(kept).by_user()
    return TrainingData(part, data.users, data.items, int(part.time.max()))


def drawings(found: Tuned, folder: Path) -> list[str]:
    """Writes the pictures that there is something to show in, and returns their paths."""
    made = [plots.history(found, folder / "history.png")]
    if found.importance:
        made.append(plots.importance(found, folder / "importance.png"))
    return [str(path) for path in made]


def best(found: Tuned) -> Any:
    """Returns the best trials as a table."""
    shown = table("trial", "settings", METRIC, "steps", "seconds", numbers=3)
    for one in sorted(found.tried, key=lambda one: (one.pruned, -one.value))[:SHOWN]:
        learner = replace(cast(Any, found.learner), **one.settings)
        shown.add_row(
            str(one.number), described(learner), f"{one.value:.4f}", str(len(one.steps)), f"{one.seconds:.1f}"
        )
    return shown


def text(found: Tuned) -> str:
    """Returns what was found in words."""
    early = sum(one.pruned for one in found.tried)
    earlier = f", {found.resumed} of them by earlier calls" if found.resumed else ""
    counts = f"{len(found.tried)} trials{earlier}, {early} ended early"
    return f"{METRIC} {found.value:.4f} on what was held out ({found.held}); {counts}."


def as_json(found: Tuned) -> dict[str, Any]:
    """Returns what was found as JSON values."""
    return {
        "model": found.learner.name,
        "settings": settings_of(found.learner),
        "line": found.line,
        "metric": METRIC,
        "value": found.value,
        "held": found.held,
        "resumed": found.resumed,
        "trials": [asdict(one) for one in found.tried],
        "importance": found.importance,
        "seconds": found.seconds,
    }


app = single(tune)
