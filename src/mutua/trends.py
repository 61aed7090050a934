"""What is in demand now: target events by item, each counting half after some hours; moved by every event."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mutua.core.clock import HOUR
from mutua.events.kinds import AnyEvent, Interaction
from mutua.store.sqlite.store import SqliteStore

HALF_LIFE = 6 * HOUR
RECENT = 100_000
"""Events of the log that are counted at the start."""
Trend = tuple[str, float]


class Trends:
    """Decayed counts of target events by inner item.

    A count is kept as of one fixed moment, the start: what happens later counts more, instead of all else fading.

    Args:
        now: the scoring time, microseconds UTC.
    """

    def __init__(self, store: SqliteStore, now: Callable[[], int]) -> None:
        self._store, self._now, self._start = store, now, now()
        item, kind, time = store.log.latest(RECENT)
        wanted = np.array(store.names.types.targets(), np.bool_)[kind]
        weight = np.exp2((time[wanted] - self._start) / HALF_LIFE)
        counts = np.bincount(item[wanted], weight)
        self._counts: dict[int, float] = {int(found): float(counts[found]) for found in np.flatnonzero(counts)}

    def moved(self, events: Iterable[AnyEvent]) -> None:
        """Counts events that were recorded."""
        moment, types, items = self._now(), self._store.names.types, self._store.names.vocabulary("items")
        acts = [event for event in events if isinstance(event, Interaction)]
        kinds = {name: types.index(name) for name in {event.type for event in acts}}
        targets = types.targets()
        wanted = {name for name, kind in kinds.items() if targets[kind]}
        counted = Counter((event.item, event.time) for event in acts if event.type in wanted)
        for (outer, time), count in counted.items():
            item = items.get(outer)
            if item is not None:
                weight = self._weight(moment if time is None else time)
                self._counts[item] = self._counts.get(item, 0.0) + count * weight

    def best(self, n: int) -> Sequence[tuple[int, float]]:
        """Returns up to n inner items and their decayed counts as of now, most in demand first, ties by item."""
        found = heapq.nlargest(n, self._counts.items(), key=lambda entry: (entry[1], -entry[0]))
        fade = 1.0 / self._weight(self._now())
        return [(item, count * fade) for item, count in found]

    def top(self, n: int) -> Sequence[Trend]:
        """Returns up to n items in outer ids and their decayed counts as of now, most in demand first."""
        outer = self._store.names.vocabulary("items").outer
        return [(name, count) for item, count in self.best(n) if (name := outer(item)) is not None]

    def _weight(self, time: int) -> float:
        return float(2.0 ** ((time - self._start) / HALF_LIFE))
