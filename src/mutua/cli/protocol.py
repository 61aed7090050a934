"""The options of a protocol, which `evaluate` and `lab run` share."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call
from mutua.cli.screen import Screen, Step
from mutua.lab import tables
from mutua.lab.document import Document
from mutua.lab.run import Progress

Protocol = Annotated[str, typer.Option(help="lightgcn, leave-one-out, holdout or replay.")]
Models = Annotated[list[str] | None, typer.Option("--model", help="Models, between commas or repeated.")]
At = Annotated[str | None, typer.Option(help="The moment of the cut, as RFC 3339.")]
Fraction = Annotated[float, typer.Option(help="Share of the newest events that is held out, instead of --at.")]
Cutoffs = Annotated[str, typer.Option(help="The values of k.")]
TargetType = Annotated[str | None, typer.Option(help="The only type of event that counts as a hit.")]
ExcludeSeen = Annotated[str, typer.Option(help="yes, no or auto: whether seen items may be recommended again.")]
Budget = Annotated[str, typer.Option(help="Time for choosing and learning each model: 60s; 0 as given.")]
RefitEvery = Annotated[int, typer.Option(help="Replay: events after which a model learns again; 0 never.")]
DEFAULT_CUTOFFS, DEFAULT_BUDGET, DEFAULT_FRACTION = "10,20", "60s", 0.2


def progress_of(step: Step, screen: Screen) -> Progress:
    """Returns what a run tells its progress to."""

    def told(name: str, place: int, count: int) -> None:
        step(place, count)
        screen.note(f"{name} ({place + 1} of {count})")

    return told


def answer(call: Call, document: Document) -> None:
    """Writes a document as JSON or as tables."""
    call.screen.answer(document, tables.text(document).rstrip("\n"), *document.data.notes)
