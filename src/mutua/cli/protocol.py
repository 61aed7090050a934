"""The options of a protocol, which `evaluate` and `lab run` share."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call
from mutua.cli.screen import Screen, Step
from mutua.lab import tables
from mutua.lab.document import Document
from mutua.lab.protocols import PROTOCOLS
from mutua.lab.run import Progress

Protocol = Annotated[str, typer.Option(help=f"{', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}.")]
Models = Annotated[list[str] | None, typer.Option("--model", help="Models, between commas or repeated.")]
At = Annotated[str | None, typer.Option(help="The moment of the cut, as RFC 3339.")]
Fraction = Annotated[
    float, typer.Option(help="Share that is held out, the newest events; by-user: of each user's items.")
]
Cutoffs = Annotated[str, typer.Option(help="The values of k.")]
TargetType = Annotated[str | None, typer.Option(help="The only type of event that counts as a hit.")]
ExcludeSeen = Annotated[str, typer.Option(help="Whether items seen already are left out: yes, no or auto.")]
Budget = Annotated[str, typer.Option(help="Time for choosing and learning each model: 60s; 0: no search.")]
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
