"""`mutua evaluate`: how well models foresee held-out events of the store."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from mutua.cli import protocol as shared
from mutua.cli import reading
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.feedback.comparing import Comparison, as_json
from mutua.lab.protocols import Options


def evaluate(
    call: Call,
    protocol: shared.Protocol = "holdout",
    model: shared.Models = None,
    at: shared.At = None,
    fraction: shared.Fraction = shared.DEFAULT_FRACTION,
    cutoffs: shared.Cutoffs = shared.DEFAULT_CUTOFFS,
    target_type: shared.TargetType = None,
    exclude_seen: shared.ExcludeSeen = "auto",
    budget: shared.Budget = shared.DEFAULT_BUDGET,
    refit_every: shared.RefitEvery = 0,
    experiment: Annotated[
        str | None, typer.Option(help="Compare the variants of this experiment instead, by their users' feedback.")
    ] = None,
) -> None:
    """Compare models on the store's own log; every model learns from what is before the cut alone."""
    if experiment is not None:
        with call.open() as shop:
            found = shop.evaluate(experiment)
        call.screen.answer(as_json(found), shown(found), *found.notes)
        return
    options = Options(
        protocol,
        call.url,
        reading.names(model or [call.settings.learn.model]),
        at=at,
        fraction=fraction,
        cutoffs=reading.cutoffs(cutoffs),
        target_type=target_type,
        exclude_seen=exclude_seen,
        seed=call.settings.seed,
        budget=reading.seconds(budget),
        refit_every=refit_every,
    )
    with call.open() as shop, call.screen.stage("evaluating"):
        document = shop.evaluate(options)
    shared.answer(call, document)


def shown(found: Comparison) -> RenderableType:
    """Returns a comparison as a table."""
    made = table("variant", "figure", "value", "95 %", "difference", "95 %", "p (Holm)", numbers=5)
    for name, branch in found.variants.items():
        made.add_row(name, "users, slates, lists seen", f"{branch.users}, {branch.slates}, {branch.impressions}")
        for metric, value in branch.metrics.items():
            row = ["", metric, f"{value.value:.4g}", f"{value.low:.4g} to {value.high:.4g}"]
            if (other := branch.differences.get(metric)) is not None:
                moved = other.difference
                row += [f"{moved.value:+.4g}", f"{moved.low:+.4g} to {moved.high:+.4g}", f"{other.p_holm:.3g}"]
            made.add_row(*row)
    return made


app = single(evaluate)
