"""What is in demand now: target events by item, each counting half after some hours; moved by every event."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mutua.core.clock import HOUR
from mutua.events.kinds import AnyEvent, Interaction
from mutua.store.sqlite.store import SqliteStore

HALF_LIFE = 6 * HOUR
LONGEST = 64 * HALF_LIFE
"""After which counts are kept as of a later moment."""
DUST = 1e-9
RECENT = 100_000
"""Events of the log that are counted at the start."""
Trend = tuple[str, float]
Mask = npt.NDArray[np.bool_]


class Trends:
    """Decayed counts of target events by inner item.

    A count is kept as of one moment, the start: what happens later counts more, instead of all else fading.

    Args:
        now: the scoring time, microseconds UTC.
    """

    def __init__(self, store: SqliteStore, now: Callable[[], int]) -> None:
        self._store, self._now = store, now
        item, kind, time = store.log.latest(RECENT)
        self._start = max(now(), int(time.max(initial=0)))
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

    def best(self, n: int, banned: Mask | None = None) -> Sequence[tuple[int, float]]:
        """Returns up to n inner items and their decayed counts as of now, most in demand first, ties by item.

        Args:
            banned: bool [items], those to leave out.
        """
        fade = 1.0 / self._weight(max(self._now(), self._start))
        wanted = (entry for entry in self._counts.items() if banned is None or not banned[entry[0]])
        found = heapq.nlargest(n, wanted, key=lambda entry: (entry[1], -entry[0]))
        return [(item, count * fade) for item, count in found]

    def top(self, n: int, banned: Mask | None = None) -> Sequence[Trend]:
        """Returns what `best` does, in outer ids."""
        outer = self._store.names.vocabulary("items").outer
        return [(name, count) for item, count in self.best(n, banned) if (name := outer(item)) is not None]

    def _weight(self, time: int) -> float:
        if time > self._start + LONGEST:
            self._start_again(time)
        return float(2.0 ** ((time - self._start) / HALF_LIFE))

    def _start_again(self, time: int) -> None:
        """Counts as of a later moment, so that no number grows too large; what has faded away is dropped."""
        fade = 2.0 ** ((self._start - time) / HALF_LIFE)
        self._counts = {item: count * fade for item, count in self._counts.items() if count * fade > DUST}
        self._start = time
