"""Interests: what a history says a person cares for, by category, brand, price band and tag, with its evidence.

The weight of a label is the sum of h_u(t) over the items that carry it, once with a long and once with a short
half-life; side by side they show what rises and what falls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable, Column, Labels, Sets
from mutua.core.clock import DAY
from mutua.profiles import fold
from mutua.profiles.encoder import HALF_LIVES, Encoder
from mutua.profiles.history import History
from mutua.profiles.views import Views

LONG = 90 * DAY
SHORT = 2 * DAY
MOST = 10
MOST_EVIDENCE = 5
QUIET = 0.05
"""Below this part of the long-term weight, the short term is silent and nothing rises or falls."""
LEAST_CHANGE = 0.05
"""Share by which an interest must have moved to be called rising or falling."""

Ints = npt.NDArray[np.intp]
Pairs = tuple[Ints, Ints]


@dataclass(frozen=True)
class Interest:
    """One label and how much it means to a user.

    Args:
        kind: the column (category, brand, price band, tags …); label: its level.
        long, short: shares among the positive labels of the kind over the long and the short half-life; positive
            shares sum to 1, what a user turned away from has a negative one.
        events: events of the window on its items; last: time of the newest, microseconds UTC, −1 if none.
        sequences: positions in the log of its weightiest events, newest first among equals.
        items: its weightiest items (inner index, long-term weight).
    """

    kind: str
    label: str
    long: float
    short: float
    events: int
    last: int
    sequences: tuple[int, ...]
    items: tuple[tuple[int, float], ...]

    @property
    def change(self) -> float:
        """Short-term share minus long-term share."""
        return self.short - self.long


@dataclass(frozen=True)
class Interests:
    """The interests of one user, strongest first within a kind.

    Args:
        kinds: by column.
        quiet: whether the short term says too little to speak of rising and falling.
    """

    kinds: Mapping[str, tuple[Interest, ...]]
    quiet: bool

    def rising(self) -> tuple[Interest, ...]:
        """Returns the interests whose short-term share is clearly above the long-term one, greatest change first."""
        return self._moved(1.0)

    def falling(self) -> tuple[Interest, ...]:
        """Returns the interests whose short-term share is clearly below the long-term one, greatest change first."""
        return self._moved(-1.0)

    def _moved(self, sign: float) -> tuple[Interest, ...]:
        every = [interest for interests in self.kinds.values() for interest in interests if not self.quiet]
        moved = [interest for interest in every if sign * interest.change >= LEAST_CHANGE]
        return tuple(sorted(moved, key=lambda interest: -sign * interest.change))


def fading(type_weights: npt.ArrayLike, half_life: float) -> Encoder:
    """Returns the encoder whose events fade by one half-life of the grid, microseconds; the nearest rate is taken."""
    shares = np.zeros(len(HALF_LIVES))
    shares[np.abs(1.0 / HALF_LIVES - 1.0 / half_life).argmin()] = 1.0
    return Encoder.of(type_weights, shares=shares)


def interests_of(
    history: History,
    items: AttributeTable,
    type_weights: npt.ArrayLike,
    now: int,
    *,
    kinds: Sequence[str] | None = None,
    long: float = LONG,
    short: float = SHORT,
    most: int = MOST,
) -> Interests:
    """Returns the interests that `history` shows at `now` (microseconds UTC).

    Args:
        items: the catalogue; `catalog.bands.with_price_bands` adds price bands.
        type_weights: weight by type index, negative for dislike and return.
        kinds: columns of labels or sets to look at; default: all of them.
        long, short: half-lives of the grid, microseconds.
        most: interests a kind.

    Cost: O(events); a few milliseconds for 650 rows and three columns: for people to read, not for the request path.
    """
    slow = fading(type_weights, long)
    lasting = fold.view(history, slow, now)
    recent = fold.view(history, fading(type_weights, short), now)
    weigher = _Weigher(history, lasting, recent, fold.evidence(history, slow, now).weight)
    names = items.columns if kinds is None else [kind for kind in kinds if kind in items.columns]
    found = {name: weigher.interests(name, items.columns[name], most) for name in names}
    mass = np.maximum(lasting.weight, 0).sum()
    quiet = bool(np.maximum(recent.weight, 0).sum() <= QUIET * mass)
    return Interests({name: interests for name, interests in found.items() if interests}, quiet)


@dataclass(frozen=True, eq=False)
class _Weigher:
    """One history with the weights of its items and events at an instant."""

    history: History
    lasting: Views
    recent: Views
    event_weight: npt.NDArray[np.float64]

    def interests(self, kind: str, column: Column, most: int) -> tuple[Interest, ...]:
        if not isinstance(column, Labels | Sets):
            return ()
        carrier, label = labels_of(column, self.lasting.item)
        event, event_label = labels_of(column, self.history.item)
        size = len(column.levels)
        long = _shares(label, self.lasting.weight[carrier], size)
        short = _shares(label, self.recent.weight[carrier], size)
        counts = np.bincount(event_label, minlength=size)
        strongest = np.argsort(-np.maximum(np.abs(long), np.abs(short)), kind="stable")[:most]
        carried = np.bincount(label, minlength=size) > 0
        found = []
        for code in strongest[carried[strongest]]:
            behind = event[event_label == code]
            found.append(
                Interest(
                    kind=kind,
                    label=column.levels[code],
                    long=float(long[code]),
                    short=float(short[code]),
                    events=int(counts[code]),
                    last=int(self.history.time[behind].max(initial=-1)),
                    sequences=self._weightiest_events(behind),
                    items=self._weightiest_items(carrier[label == code]),
                )
            )
        return tuple(sorted(found, key=lambda interest: (-interest.long, -interest.short, interest.label)))

    def _weightiest_events(self, rows: Ints) -> tuple[int, ...]:
        order = np.lexsort((-self.history.time[rows], -np.abs(self.event_weight[rows])))[:MOST_EVIDENCE]
        return tuple(self.history.sequence[rows[order]].tolist())

    def _weightiest_items(self, rows: Ints) -> tuple[tuple[int, float], ...]:
        order = np.lexsort((self.lasting.item[rows], -np.abs(self.lasting.weight[rows])))[:MOST_EVIDENCE]
        chosen = rows[order]
        return tuple(zip(self.lasting.item[chosen].tolist(), self.lasting.weight[chosen].tolist(), strict=True))


def labels_of(column: Labels | Sets, items: npt.NDArray[np.int32]) -> Pairs:
    """Returns, for every label that one of `items` carries, the position in `items` and the label's code."""
    if isinstance(column, Labels):
        inside = np.flatnonzero(items < len(column.codes))
        codes = column.codes[items[inside]]
        return inside[codes >= 0], codes[codes >= 0].astype(np.intp)
    inside = np.flatnonzero(items < column.matrix.shape[0])
    rows = column.matrix[items[inside]].tocoo()
    return inside[rows.row], rows.col.astype(np.intp)


def _shares(label: Ints, weight: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float64]:
    totals = np.bincount(label, weight.astype(np.float64), size).astype(np.float64)
    positive = np.maximum(totals, 0.0).sum()
    return totals / positive if positive > 0 else np.zeros(size)
