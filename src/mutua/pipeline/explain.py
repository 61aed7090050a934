"""Why an item has its score: exact terms that sum to it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from mutua.models.base import Model
from mutua.profiles import fold
from mutua.profiles.views import Evidence, Views
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
    """Returns the explanation of one inner item, below `model.n_items`, for the snapshot's user."""
    views, evidence = _folded(model, snapshot)
    reasons = model.explain(views, evidence, item)
    score = float(model.score(views)[0, item])
    return Explanation(item, score, reasons, model.linear, snapshot.now)


def explained_slate(slate: Slate, model: Model | None, snapshot: Snapshot) -> Slate:
    """Returns the slate with the reasons of every item that was scored; popularity is all where there is no model."""
    if model is None:
        entries = [replace(entry, reasons=(Reason("popularity", entry.score),)) for entry in slate.items]
        return replace(slate, items=tuple(entries))
    views, evidence = _folded(model, snapshot)
    items = [snapshot.items.get(entry.item) for entry in slate.items]
    reasons = [() if i is None or i >= model.n_items else model.explain(views, evidence, i) for i in items]
    explained = zip(slate.items, reasons, strict=True)
    return replace(slate, items=tuple(replace(entry, reasons=found) for entry, found in explained))


def _folded(model: Model, snapshot: Snapshot) -> tuple[Views, Evidence]:
    views = fold.view(snapshot.history, model.encoder, snapshot.now, snapshot.attributes)
    return views, fold.evidence(snapshot.history, model.encoder, snapshot.now)
