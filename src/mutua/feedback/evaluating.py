"""From a store to the comparison of an experiment's variants."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from mutua.errors import NotEnoughData, StoreError
from mutua.events.kinds import AnyEvent, Impression, Interaction
from mutua.feedback.comparing import Comparison, compared
from mutua.feedback.experiments import BETWEEN, Experiment
from mutua.feedback.joining import joined
from mutua.store.codec import decode
from mutua.store.slates import SlateLog
from mutua.store.sqlite.store import SqliteStore


def evaluated(store: SqliteStore, name: str, experiment: Experiment | None, seed: int = 0) -> Comparison:
    """Returns the comparison of an experiment's variants, from the log of slates and the log of events.

    Args:
        experiment: as declared; None for one that is over, whose slates still name its variants.

    Raises:
        NotEnoughData: code `data.too-few`; no slate of this experiment is kept.

    Cost: reads the slates of the experiment, and twice the events since the first of them.
    """
    variants = {} if experiment is None else experiment.variants
    click, goal = ("click", "purchase") if experiment is None else (experiment.click, experiment.goal)
    types = store.names.types

    def since(start: int) -> Iterator[AnyEvent]:
        for batch in store.log.read(kinds=[Interaction.number, Impression.number]):
            yield from decode(batch.filter(pl.col("time") >= start))

    def counts_as(wanted: str, given: str) -> bool:
        return given == wanted or (types.known(given) is not None and types.known(given) == types.known(wanted))

    try:
        log = SlateLog.open(store.address)
    except StoreError as reason:
        raise _nothing(name) from reason
    try:
        found = joined(
            log.of_variants(f"{name}{BETWEEN}"),
            since,
            store.names.users.get,
            is_click=lambda given: counts_as(click, given),
            is_goal=lambda given: counts_as(goal, given),
        )
    finally:
        log.close()
    if not found.units:
        raise _nothing(name)
    shares = {variant: one.share for variant, one in variants.items()}
    return compared(name, found, tuple(variants), shares, seed)


def _nothing(name: str) -> NotEnoughData:
    return NotEnoughData(
        f"no slate of experiment {name[:60]!r}",
        "slates that a server answered while it was declared",
        "serve some; they are kept 30 days",
    )
