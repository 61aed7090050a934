"""Histories as they stood just before given events: what a profile could have known, by its delay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mutua.events.interactions import Interactions
from mutua.learning.itemsets import ItemSets
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Floats, Views

Longs = npt.NDArray[np.int64]
FROZEN = -1
"""The delay of a profile that learns nothing after the cut."""
LONGEST = 2_000
"""Events of a history that a view is made of at most, the newest ones."""
ROOM = 1 << 21
"""Events that are folded at once."""


@dataclass(frozen=True, eq=False)
class Prefixes:
    """For each of e moments, the stretch `low:high` of rows that a profile knows.

    Args:
        low, high: int64 [e], positions in a log that is grouped by user.
        moment: int64 [e], microseconds UTC.
    """

    low: Longs
    high: Longs
    moment: Longs

    def __len__(self) -> int:
        return len(self.low)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Yields ranges of moments, in order, whose prefixes hold at most `ROOM` events together, or one moment."""
        total = np.cumsum(self.high - self.low)
        first = 0
        while first < len(self):
            used = total[first - 1] if first else 0
            stop = max(first + 1, int(np.searchsorted(total, used + ROOM, side="right")))
            yield first, stop
            first = stop

    def rows(self, first: int, stop: int) -> Prefixes:
        """Returns moments `first` to `stop` (exclusive)."""
        return Prefixes(self.low[first:stop], self.high[first:stop], self.moment[first:stop])


def visible(rows: Interactions, position: Longs, delay: int, before_cut: npt.NDArray[np.bool_]) -> Prefixes:
    """Returns what each user's profile knew just before the rows at `position`.

    Args:
        rows: grouped by user, each user's in canonical order, none marked.
        position: int64 [e], the rows to be foreseen.
        delay: microseconds after which an event reaches the profile. At 0 the order of the log decides between events
            of one instant; at d > 0 an event is known when its time is at least d earlier; `FROZEN` knows only the
            rows under `before_cut`.
        before_cut: bool [n], by row.
    """
    user, moment = rows.user[position], rows.time[position]
    start = np.searchsorted(rows.user, user)
    if delay == 0:
        high = position
    elif delay == FROZEN:
        counted = np.concatenate(([0], np.cumsum(before_cut)))
        high = np.minimum(start + counted[position] - counted[start], position)
    else:
        high = _until(rows, user, moment - delay)
    high = np.maximum(high, start).astype(np.int64)
    return Prefixes(np.maximum(start, high - LONGEST).astype(np.int64), high, moment)


def views_at(rows: Interactions, prefixes: Prefixes, encoder: Encoder, attributes: Floats | None = None) -> Views:
    """Returns one view a moment, of the events that its profile knows.

    Args:
        attributes: float32 [e, a], passed on to the model.
    """
    return fold.views(_copied(rows, prefixes), encoder, prefixes.moment, attributes=attributes)


def items_had(rows: Interactions, prefixes: Prefixes) -> ItemSets:
    """Returns the items with a target event in each prefix."""
    had = _copied(rows, prefixes)
    had = had.take(had.is_target)
    return ItemSets.of(had.user, had.item, len(prefixes))


def _copied(rows: Interactions, prefixes: Prefixes) -> Interactions:
    """Returns the rows of all prefixes one after the other, the place of the moment in the place of the user."""
    counts = prefixes.high - prefixes.low
    end = np.cumsum(counts)
    place = np.arange(int(end[-1]) if len(end) else 0) + np.repeat(prefixes.low - (end - counts), counts)
    moment = np.repeat(np.arange(len(prefixes), dtype=np.int32), counts)
    return replace(rows.take(place), user=moment, n_users=len(prefixes))


def _until(rows: Interactions, user: npt.NDArray[np.int32], time: Longs) -> npt.NDArray[np.intp]:
    """Returns for each (user, time) the position behind that user's last row of this time or earlier."""
    users, times = np.concatenate((rows.user, user)), np.concatenate((rows.time, time))
    asked = np.arange(len(users)) >= len(rows)
    order = np.lexsort((asked, times, users))
    behind = np.empty(len(users), np.intp)
    behind[order] = np.cumsum(~asked[order])
    return behind[len(rows) :]
