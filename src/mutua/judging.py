"""Whether a new model foresees the newest hours worse than the one in force: a model that does is not put in force.

Neither has seen those hours. Both are asked before each of their events, with profiles as live as they were, for the
item that came; what counts is its reciprocal rank among all items.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.core.clock import HOUR
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.lab.prefixes import items_had, views_at, visible
from mutua.learning.itemsets import ItemSets
from mutua.learning.ranking import rank
from mutua.metrics import MISSED
from mutua.metrics.bootstrap import paired
from mutua.models.base import Model, ReadsAttributes

Decision = Literal["better", "no worse", "worse", "not judged"]
Values = npt.NDArray[np.float64]

FEWEST_EVENTS, FEWEST_USERS = 100, 20
"""Below these nothing is judged: an interval over so few says nothing."""
MOST_EVENTS = 4_000
"""Events that both models are asked about at most, drawn at random."""


@dataclass(frozen=True)
class Verdict:
    """How a new model did beside the one in force.

    Args:
        decision: `worse` where the whole interval of the difference lies below what is tolerated, `better` where it
            lies above 0, `not judged` where there was nothing to judge by.
        why: in words.
        old, new: mean reciprocal rank, by user.
        low, high: interval of new − old over users, 95 %.
        events, users: that they were asked about.
    """

    decision: Decision
    why: str
    old: float = 0.0
    new: float = 0.0
    low: float = 0.0
    high: float = 0.0
    events: int = 0
    users: int = 0

    @property
    def worse(self) -> bool:
        """Whether the new model is not to be put in force."""
        return self.decision == "worse"

    def as_json(self) -> dict[str, Any]:
        """Returns the verdict as JSON values."""
        return asdict(self)


def unjudged(why: str) -> Verdict:
    """Returns the verdict where nothing could be told."""
    return Verdict("not judged", why)


def cut_of(rows: Interactions, seen: int, hours: float) -> int | None:
    """Returns the time from which events are held out, microseconds UTC; None where too few are.

    Args:
        seen: sequence number up to which the model in force has learned.
        hours: at most so many of the newest hours.
    """
    before = rows.sequence <= seen
    known = int(rows.time[before].max()) + 1 if before.any() else 0
    cut = max(int(rows.time.max(initial=0)) - int(hours * HOUR), known)
    held = (rows.time >= cut) & rows.is_target & (rows.weight > 0)
    enough = np.count_nonzero(held) >= FEWEST_EVENTS and len(np.unique(rows.user[held])) >= FEWEST_USERS
    return cut if enough and bool((rows.time < cut).any()) else None


def judged(
    old: Model,
    new: Model,
    rows: Interactions,
    users: AttributeTable,
    cut: int,
    *,
    exclude_seen: bool,
    tolerance: float,
    seed: int,
) -> Verdict:
    """Returns how `new` foresees the events from `cut` on, beside `old`.

    Args:
        rows: all events, grouped by user; users: their attributes.
        exclude_seen: whether only items that are new to their users count.
        tolerance: share of the old figure that the new one may lose.

    Cost: one full ranking by each model for every event asked about.
    """
    known = rows.take(rows.weight > 0).by_user()
    asked = np.flatnonzero((known.time >= cut) & known.is_target)
    if len(asked) > MOST_EVENTS:
        asked = np.sort(stream(seed, "judging").choice(asked, MOST_EVENTS, replace=False))
    figures = [_foreseen(model, known, users, asked, exclude_seen) for model in (new, old)]
    _, owner = np.unique(known.user[asked], return_inverse=True)
    counts = np.bincount(owner)
    ours, theirs = (np.bincount(owner, found) / counts for found in figures)
    difference = paired(ours, theirs, seed).difference
    decision: Decision = "no worse"
    if difference.high < -tolerance * float(theirs.mean()):
        decision = "worse"
    elif difference.low > 0:
        decision = "better"
    why = f"mean reciprocal rank {ours.mean():.4f} against {theirs.mean():.4f} of the model in force"
    interval = (float(difference.low), float(difference.high))
    return Verdict(decision, why, float(theirs.mean()), float(ours.mean()), *interval, len(asked), len(counts))


def _foreseen(
    model: Model, rows: Interactions, users: AttributeTable, asked: npt.NDArray[np.intp], exclude_seen: bool
) -> Values:
    """The reciprocal rank of each event asked about, 0 where the model does not cover its item."""
    moments = visible(rows, asked.astype(np.int64), 0, np.zeros(len(rows), np.bool_))
    found = np.zeros(len(asked))
    for first, stop in moments.stretches():
        known, who = moments.rows(first, stop), rows.user[asked[first:stop]]
        encoded = model.encode(users, who) if isinstance(model, ReadsAttributes) else None
        targets = ItemSets(np.arange(stop - first + 1), rows.item[asked[first:stop]])
        banned = items_had(rows, known) if exclude_seen else ItemSets.empty(stop - first)
        ranks = rank(model, views_at(rows, known, model.encoder, encoded), targets, banned).placements.rank
        found[first:stop] = np.where(ranks == MISSED, 0.0, 1.0 / (ranks.astype(np.float64) + 1.0))
    return found
