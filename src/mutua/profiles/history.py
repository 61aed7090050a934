"""A user's history: the most recent events exactly, older ones as decaying sums. Bounded however long a user stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mutua.profiles.encoder import HALF_LIVES

WINDOW = 500
"""Events kept exactly."""


@dataclass(frozen=True, eq=False)
class Tail:
    """What left the window, as sums by item and type, one row a pair.

    Args:
        time: int64 scalar, microseconds UTC, the instant at which the decayed sums are valid.
        item: int32 [m]; type: int16 [m].
        sums: float64 [m, 3, 6]: decayed count, decayed sum of values, decayed count of events with a value,
            each over `HALF_LIVES`.
        count: float64 [m], events; valued: float64 [m, 2], events with a value and the sum of their values.
        last: int64 [m], time of the newest folded event.
        sequence: int64 scalar, newest sequence number that was folded.
    """

    time: int
    item: npt.NDArray[np.int32]
    type: npt.NDArray[np.int16]
    sums: npt.NDArray[np.float64]
    count: npt.NDArray[np.float64]
    valued: npt.NDArray[np.float64]
    last: npt.NDArray[np.int64]
    sequence: int


NO_TAIL = Tail(
    time=0,
    item=np.empty(0, np.int32),
    type=np.empty(0, np.int16),
    sums=np.empty((0, 3, len(HALF_LIVES))),
    count=np.empty(0),
    valued=np.empty((0, 2)),
    last=np.empty(0, np.int64),
    sequence=0,
)


@dataclass(frozen=True, eq=False)
class History:
    """One user's unmarked interactions in canonical order (time, then sequence).

    Args:
        item: int32 [n]; type: int16 [n]; value: float32 [n], NaN where none; time: int64 [n], microseconds UTC.
        sequence: int64 [n], position in the log.
        tail: older events as sums.
    """

    item: npt.NDArray[np.int32]
    type: npt.NDArray[np.int16]
    value: npt.NDArray[np.float32]
    time: npt.NDArray[np.int64]
    sequence: npt.NDArray[np.int64]
    tail: Tail = NO_TAIL

    def __len__(self) -> int:
        return len(self.item)

    @property
    def version(self) -> int:
        """The newest sequence number in it, 0 for an empty history."""
        return max(int(self.sequence.max(initial=0)), self.tail.sequence)

    def add(self, item: int, type: int, value: float, time: int, sequence: int, window: int = WINDOW) -> History:
        """Returns the history with one more event, wherever its time puts it; about 10 µs."""
        place = int(np.searchsorted(self.time, time, side="right"))
        while place > 0 and self.time[place - 1] == time and self.sequence[place - 1] > sequence:
            place -= 1
        grown = History(
            item=_inserted(self.item, place, item),
            type=_inserted(self.type, place, type),
            value=_inserted(self.value, place, value),
            time=_inserted(self.time, place, time),
            sequence=_inserted(self.sequence, place, sequence),
            tail=self.tail,
        )
        return grown.bounded(window)

    def bounded(self, window: int = WINDOW) -> History:
        """Returns the history with all but the newest `window` events folded into the tail."""
        extra = len(self) - window
        if extra <= 0:
            return self
        tail = self.tail
        for row in range(extra):
            tail = _folded(
                tail,
                int(self.item[row]),
                int(self.type[row]),
                float(self.value[row]),
                int(self.time[row]),
                int(self.sequence[row]),
            )
        return replace(self.take(np.arange(extra, len(self))), tail=tail)

    def without(self, sequences: npt.NDArray[np.int64]) -> History:
        """Returns the history with the named events of the window taken out."""
        return self.take(np.flatnonzero(~np.isin(self.sequence, sequences)))

    def take(self, rows: npt.NDArray[np.intp]) -> History:
        """Returns the history with only these rows of the window; the tail stays."""
        return History(
            self.item[rows], self.type[rows], self.value[rows], self.time[rows], self.sequence[rows], self.tail
        )


EMPTY = History(
    np.empty(0, np.int32),
    np.empty(0, np.int16),
    np.empty(0, np.float32),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
)


def _inserted(column: npt.NDArray[Any], place: int, value: float) -> npt.NDArray[Any]:
    grown = np.empty(len(column) + 1, column.dtype)
    grown[:place] = column[:place]
    grown[place] = value
    grown[place + 1 :] = column[place:]
    return grown


def _folded(tail: Tail, item: int, type: int, value: float, time: int, sequence: int) -> Tail:
    """Adds one event: the sums move to the later of both times, then grow by the event's decayed part."""
    instant = max(tail.time, time)
    sums = tail.sums * np.exp2(-(instant - tail.time) / HALF_LIVES)
    part = np.exp2(-(instant - time) / HALF_LIVES)
    valued = float(np.isfinite(value))
    given = value if valued else 0.0
    found = np.flatnonzero((tail.item == item) & (tail.type == type))
    if not len(found):
        sums = np.concatenate((sums, np.zeros((1, *sums.shape[1:]))))
        tail = replace(
            tail,
            item=np.append(tail.item, np.int32(item)),
            type=np.append(tail.type, np.int16(type)),
            count=np.append(tail.count, 0.0),
            valued=np.concatenate((tail.valued, np.zeros((1, 2)))),
            last=np.append(tail.last, np.int64(0)),
        )
        found = np.array([len(tail.item) - 1])
    row = int(found[0])
    sums[row] += np.outer((1.0, given, valued), part)
    count, totals, last = tail.count.copy(), tail.valued.copy(), tail.last.copy()
    count[row] += 1.0
    totals[row] += (valued, given)
    last[row] = max(last[row], time)
    return replace(
        tail, time=instant, sums=sums, count=count, valued=totals, last=last, sequence=max(tail.sequence, sequence)
    )
