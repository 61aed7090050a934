"""The tail of a history: events that left the exact window, as decaying sums by item and type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mutua.profiles import kernels
from mutua.profiles.encoder import HALF_LIVES


@dataclass(frozen=True, eq=False)
class Tail:
    """What left the window, as sums by item and type, one row a pair.

    Args:
        time: time of the newest folded event, microseconds UTC; 0 for none.
        item: int32 [m]; type: int16 [m].
        sums: float64 [m, 3, 6]: decayed count, decayed sum of values, decayed count of events with a value,
            each over `HALF_LIVES`, as they stood at the row's `last`.
        count: float64 [m], events; valued: float64 [m, 2], events with a value and the sum of their values.
        last: int64 [m], time of the row's newest event.
        sequence: newest sequence number that was folded, 0 for none.
    """

    time: int
    item: npt.NDArray[np.int32]
    type: npt.NDArray[np.int16]
    sums: npt.NDArray[np.float64]
    count: npt.NDArray[np.float64]
    valued: npt.NDArray[np.float64]
    last: npt.NDArray[np.int64]
    sequence: int

    def __len__(self) -> int:
        return len(self.item)

    @property
    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The columns of the m rows: item, type, sums, count, valued, last."""
        return self.item, self.type, self.sums, self.count, self.valued, self.last

    def fold(
        self,
        item: npt.NDArray[np.int32],
        type: npt.NDArray[np.int16],
        value: npt.NDArray[np.float32],
        time: npt.NDArray[np.int64],
        sequence: npt.NDArray[np.int64],
    ) -> Tail:
        """Returns the tail grown by events (columns [e], at least one); one by one or at once gives equal bits.

        Cost: O(rows + events).
        """
        known = len(self.item)
        room = tuple(np.empty((known + len(item), *column.shape[1:]), column.dtype) for column in self.columns)
        found = kernels.fold_into_tail(item, type, value, time, HALF_LIVES, self.columns, room)
        items, types, sums, count, valued, last = room if found == len(room[0]) else (c[:found].copy() for c in room)
        newest, latest = max(self.sequence, *sequence.tolist()), max(self.time, *time.tolist())
        return Tail(latest, items, types, sums, count, valued, last, newest)


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
