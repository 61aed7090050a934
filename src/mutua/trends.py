"""What is in demand now: target events by item, each counting half after some hours; moved by every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mutua.catalog.growing import padded
from mutua.core.clock import HOUR
from mutua.events.acts import Acts
from mutua.store.sqlite.store import SqliteStore

HALF_LIFE = 6 * HOUR
LONGEST = 64 * HALF_LIFE
"""After which counts are kept as of a later moment."""
DUST = 1e-9
RECENT = 100_000
"""Events of the log that are counted at the start."""
Trend = tuple[str, float]
Mask = npt.NDArray[np.bool_]
Inner = npt.NDArray[np.int32]


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
        self._counts = np.zeros(0)
        wanted = np.array(store.names.types.targets(), np.bool_)[kind]
        self._count(item[wanted], time[wanted])

    def moved(self, acts: Acts) -> None:
        """Counts what was recorded; about 0.1 µs an event and 10 µs a call."""
        wanted = np.array(acts.wanted, np.bool_)
        item, time = np.array(acts.items, np.int32)[wanted], np.array(acts.times, np.int64)[wanted]
        if time.max(initial=0) > self._start + LONGEST:
            self._start_again(int(time.max()))
        self._count(item, time)

    def best(self, n: int, banned: Mask | None = None) -> Sequence[tuple[int, float]]:
        """Returns up to n inner items and their decayed counts as of now, most in demand first, ties by item.

        Args:
            banned: bool [items], those to leave out.
        """
        moment = max(self._now(), self._start)
        if moment > self._start + LONGEST:
            self._start_again(moment)
        counted = self._counts > 0
        if banned is not None:
            shared = min(len(banned), len(counted))
            counted[:shared] &= ~banned[:shared]
        found = np.flatnonzero(counted)
        if len(found) > n:
            least = np.partition(self._counts[found], -n)[-n]
            found = found[self._counts[found] >= least]
        best = found[np.lexsort((found, -self._counts[found]))[:n]]
        fade = 2.0 ** ((self._start - moment) / HALF_LIFE)
        return list(zip(best.tolist(), (self._counts[best] * fade).tolist(), strict=True))

    def top(self, n: int, banned: Mask | None = None) -> Sequence[Trend]:
        """Returns what `best` does, in outer ids."""
        outer = self._store.names.vocabulary("items").outer
        return [(name, count) for item, count in self.best(n, banned) if (name := outer(item)) is not None]

    def _count(self, item: Inner, time: npt.NDArray[np.int64]) -> None:
        self._counts = padded(self._counts, int(item.max(initial=-1)) + 1, 0.0)
        np.add.at(self._counts, item, np.exp2((time - self._start) / HALF_LIFE))

    def _start_again(self, time: int) -> None:
        """Counts as of a later moment, so that no number grows too large; what has faded away is dropped."""
        self._counts *= 2.0 ** ((self._start - time) / HALF_LIFE)
        self._counts[self._counts <= DUST] = 0.0
        self._start = time
