"""`mutua lab`: experiments on files, no store needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mutua.cli import protocol as shared
from mutua.cli import reading
from mutua.cli.call import Call, group
from mutua.lab.protocols import Options
from mutua.lab.run import run as run_lab


def run(
    call: Call,
    protocol: shared.Protocol,
    data: Annotated[Path, typer.Option(help="A file or folder; for lightgcn the folder of train.txt and test.txt.")],
    model: shared.Models = None,
    mapping: Annotated[str, typer.Option("--map", help="The columns; guessed if left out.")] = "",
    more: Annotated[list[Path] | None, typer.Option(help="A further file, of users or items.")] = None,
    at: shared.At = None,
    fraction: shared.Fraction = shared.DEFAULT_FRACTION,
    cutoffs: shared.Cutoffs = shared.DEFAULT_CUTOFFS,
    target_type: shared.TargetType = None,
    exclude_seen: shared.ExcludeSeen = "auto",
    budget: shared.Budget = shared.DEFAULT_BUDGET,
    refit_every: shared.RefitEvery = 0,
) -> None:
    """Run models under one protocol on any file, into one document."""
    options = Options(
        protocol,
        data,
        reading.names(model or ["default"]),
        mapping,
        tuple(more or ()),
        at=at,
        fraction=fraction,
        cutoffs=reading.cutoffs(cutoffs),
        target_type=target_type,
        exclude_seen=exclude_seen,
        seed=call.settings.seed,
        budget=reading.seconds(budget),
        refit_every=refit_every,
    )
    with call.screen.stage("running") as step:
        document = run_lab(options, shared.progress_of(step, call.screen))
    shared.answer(call, document)


app = group(run, about="Experiments on files.")
