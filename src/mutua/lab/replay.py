"""Prequential replay: walk the log in time order, recommend before each event, then let the profile learn from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY, HOUR, MINUTE, format_span
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.lab import kernels
from mutua.lab.evaluate import WARM
from mutua.lab.prefixes import FROZEN, Prefixes, items_had, views_at, visible
from mutua.learning.itemsets import ItemSets
from mutua.learning.ranking import rank
from mutua.models.base import Model, ReadsAttributes, TrainingData

Ranks = npt.NDArray[np.int32]
DELAYS = (0, MINUTE, HOUR, DAY, FROZEN)
POPULARITY, LIVE_POPULARITY = "popularity", "live popularity"


@dataclass(frozen=True, eq=False)
class Replayed:
    """The rank of every foreseen event under each delay of the profile, and under popularity.

    Args:
        user: int32 [e]; group: int32 [e], index into `ACTIVITY` by the user's events before the cut.
        ranks: int32 [e] by line: a delay as text, `popularity` as counted when the model was learned, `live popularity`
            as counted up to the event.
        fits: how often the model was learned.
    """

    user: npt.NDArray[np.int32]
    group: npt.NDArray[np.int32]
    ranks: Mapping[str, Ranks]
    fits: int
    fit_seconds: float
    score_seconds: float


def label(delay: int) -> str:
    """Returns a delay as text.

    Example:
        >>> label(0), label(HOUR), label(FROZEN)
        ('0 seconds', '1 hour', 'frozen')
    """
    return "frozen" if delay == FROZEN else format_span(delay)


def replay(
    learn: Callable[[TrainingData], Model],
    data: TrainingData,
    cut: int,
    *,
    delays: Sequence[int] = DELAYS,
    refit_every: int = 0,
    exclude_seen: bool = True,
) -> Replayed:
    """Returns how a model foresees the events from `cut` on.

    Args:
        learn: learns from the events before the cut, and again before every later block of events.
        data: the whole log.
        cut: place in the canonical order of the log from which events are foreseen.
        delays: microseconds after which an event reaches the profile, or `FROZEN`.
        refit_every: events after which the model learns again; 0: never.
        exclude_seen: whether only a user's first target event on an item is foreseen, and items with an earlier one
            are not offered. What was seen is known at once under every delay, so that all foresee the same events.

    Raises:
        NotEnoughData: code `data.too-few`; no target event to foresee.
    """
    walk = _Walk.of(data, cut, delays, exclude_seen)
    end = len(walk.rows)
    bounds = [*range(cut, end, refit_every), end] if refit_every else [cut, end]
    fit_seconds = score_seconds = 0.0
    for low, high in pairwise(bounds):
        begun = time.perf_counter()
        past = walk.rows.take(walk.place < low)
        model = learn(replace(data, interactions=past, now=int(past.time.max(initial=0))))
        fit_seconds += time.perf_counter() - begun
        static = np.bincount(past.item[past.is_target], minlength=data.n_items)
        live = static.copy()
        for block, walked in walk.blocks(low, high):
            targets, banned = walk.questions(block)
            begun = time.perf_counter()
            walk.foresee(model, data.users, block, targets, banned)
            score_seconds += time.perf_counter() - begun
            walk.count(block, walked, banned, static, live)
    user = walk.rows.user[walk.position]
    events = np.bincount(walk.rows.user[walk.place < cut], minlength=walk.rows.n_users)
    group = np.where(events >= WARM, 2, np.where(events > 0, 1, 0)).astype(np.int32)
    return Replayed(user, group[user], walk.ranks, len(bounds) - 1, fit_seconds, score_seconds)


@dataclass(frozen=True, eq=False)
class _Walk:
    """A log prepared to be walked over.

    Args:
        rows: grouped by user, none marked; order: its rows in canonical order; place: the inverse of `order`.
        asked: bool by row, whether it is foreseen; position: these rows in canonical order.
        known: by delay, what the profile knows before each of them; had: all that came before.
        ranks: what is filled in.
    """

    rows: Interactions
    order: npt.NDArray[np.intp]
    place: npt.NDArray[np.int64]
    asked: npt.NDArray[np.bool_]
    position: npt.NDArray[np.intp]
    known: Mapping[int, Prefixes]
    had: Prefixes
    exclude_seen: bool
    ranks: dict[str, Ranks]

    @classmethod
    def of(cls, data: TrainingData, cut: int, delays: Sequence[int], exclude_seen: bool) -> _Walk:
        rows = data.interactions.take(data.interactions.weight > 0).by_user()
        order = np.lexsort((rows.sequence, rows.time))
        place = np.empty(len(rows), np.int64)
        place[order] = np.arange(len(rows))
        asked = (place >= cut) & rows.is_target & (~_again(rows) if exclude_seen else True)
        position = order[asked[order]]
        if not len(position):
            raise NotEnoughData(
                f"no event to foresee among {max(0, len(rows) - cut)} after the cut",
                "a target event after the cut" + (" on an item that is new to its user" if exclude_seen else ""),
                "cut earlier, name another target type, or do not exclude seen items",
            )
        known = {delay: visible(rows, position, delay, place < cut) for delay in delays}
        had = visible(rows, position, 0, place < cut)
        lines = (*map(label, delays), POPULARITY, LIVE_POPULARITY)
        ranks = {line: np.empty(len(position), np.int32) for line in lines}
        return cls(rows, order, place, asked, position, known, had, exclude_seen, ranks)

    def blocks(self, low: int, high: int) -> Iterator[tuple[slice, npt.NDArray[np.intp]]]:
        """Yields blocks of foreseen events between two places of the order, and the rows walked over with each."""
        first, stop = (int(end) for end in np.searchsorted(self.place[self.position], [low, high]))
        reached = low
        for begin, end in self.had.rows(first, stop).stretches():
            block = slice(first + begin, first + end)
            last = high if block.stop == stop else int(self.place[self.position[block.stop]])
            yield block, self.order[reached:last]
            reached = last

    def questions(self, block: slice) -> tuple[ItemSets, ItemSets]:
        """Returns the item to find and the items not to offer before each event of a block."""
        size = block.stop - block.start
        targets = ItemSets(np.arange(size + 1), self.rows.item[self.position[block]])
        had = self.had.rows(block.start, block.stop)
        return targets, items_had(self.rows, had) if self.exclude_seen else ItemSets.empty(size)

    def foresee(self, model: Model, users: AttributeTable, block: slice, targets: ItemSets, banned: ItemSets) -> None:
        """Fills in the ranks of a block by `model`, under every delay."""
        who = self.rows.user[self.position[block]]
        encoded = model.encode(users, who) if isinstance(model, ReadsAttributes) else None
        for delay, known in self.known.items():
            views = views_at(self.rows, known.rows(block.start, block.stop), model.encoder, encoded)
            self.ranks[label(delay)][block] = rank(model, views, targets, banned).placements.rank

    def count(
        self,
        block: slice,
        walked: npt.NDArray[np.intp],
        banned: ItemSets,
        static: npt.NDArray[np.int64],
        live: npt.NDArray[np.int64],
    ) -> None:
        """Fills in the ranks of a block by popularity and moves the live counts on."""
        events = self.rows.item[walked], self.asked[walked]
        for line, counts, counted in (
            (POPULARITY, static, np.zeros(len(walked), np.bool_)),
            (LIVE_POPULARITY, live, self.rows.is_target[walked]),
        ):
            kernels.ranks_by_running_count(*events, counted, banned.start, banned.item, counts, self.ranks[line][block])


def _again(rows: Interactions) -> npt.NDArray[np.bool_]:
    """Whether an earlier target row of the same user has the same item, by row of a log grouped by user."""
    targets = np.flatnonzero(rows.is_target)
    pairs = rows.user[targets].astype(np.int64) * rows.n_items + rows.item[targets]
    again = np.ones(len(rows), np.bool_)
    again[targets[np.unique(pairs, return_index=True)[1]]] = False
    return again & rows.is_target
