"""`mutua evaluate`: how well models foresee held-out events of the store."""

from __future__ import annotations

from mutua.cli import protocol as shared
from mutua.cli import reading
from mutua.cli.call import Call, single
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
) -> None:
    """Compare models on the store's own log; every model learns from what is before the cut alone."""
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


app = single(evaluate)
