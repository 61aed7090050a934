"""Why an item has its score: exact terms that sum to it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from mutua.models.base import Model
from mutua.profiles import fold
from mutua.slates import Reason, Slate
from mutua.snapshot import Snapshot


@dataclass(frozen=True)
class Explanation:
    """A score taken apart.

    Args:
        item: inner index.
        score: linear relevance, the sum of the reasons' amounts.
        reasons: largest absolute amount first.
        exact: whether removing the events of a reason changes the score by exactly its amount; where False, the
            amounts still sum to the score but are attributions of a model that is not linear in the history.
        now: scoring time, microseconds UTC.
    """

    item: int
    score: float
    reasons: tuple[Reason, ...]
    exact: bool
    now: int


def explain(model: Model, snapshot: Snapshot, item: int) -> Explanation:
    """Returns the explanation of one item for the snapshot's user."""
    views = fold.view(snapshot.history, model.encoder, snapshot.now, snapshot.attributes)
    evidence = fold.evidence(snapshot.history, model.encoder, snapshot.now)
    reasons = model.explain(views, evidence, item)
    score = float(model.score(views)[0, item])
    return Explanation(item, score, reasons, model.linear, snapshot.now)


def explained_slate(slate: Slate, model: Model, snapshot: Snapshot) -> Slate:
    """Returns the slate with the reasons of every item that the model scored."""
    entries = []
    for entry in slate.items:
        item = snapshot.items.get(entry.item)
        known = item is not None and item < model.n_items
        entries.append(
            replace(entry, reasons=explain(model, snapshot, item).reasons) if known and item is not None else entry
        )
    return replace(slate, items=tuple(entries))
