"""A user's history: the most recent events exactly, older ones as decaying sums. Bounded however long a user stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mutua.profiles.tail import NO_TAIL as NO_TAIL
from mutua.profiles.tail import Tail as Tail

WINDOW = 500
"""Events kept exactly."""
SPARE = 16
"""Least number of free rows behind a history that grows."""


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
    _room: _Room | None = field(default=None, repr=False)
    _stop: int = field(default=0, repr=False)

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def version(self) -> int:
        """The newest sequence number in it, 0 for an empty history."""
        return max(int(self.sequence.max(initial=0)), self.tail.sequence)

    def add(self, item: int, type: int, value: float, time: int, sequence: int, window: int = WINDOW) -> History:
        """Returns the history with one more event, wherever its time puts it; about 4 µs for the newest event."""
        count = len(self.item)
        if count and (self.time.item(-1), self.sequence.item(-1)) > (time, sequence):
            return self._inserted(item, type, value, time, sequence).bounded(window)
        room, stop = self._room, self._stop
        if room is None or not room.claim(stop):
            room, stop = _Room.of(self), count
        room.item[stop], room.type[stop], room.value[stop] = item, type, value
        room.time[stop], room.sequence[stop] = time, sequence
        room.release(stop + 1)
        return self._seen(room, stop - count, stop + 1).bounded(window)

    def bounded(self, window: int = WINDOW) -> History:
        """Returns the history with all but the newest `window` events folded into the tail."""
        extra = len(self.item) - window
        if extra <= 0:
            return self
        tail = self.tail.fold(*(column[:extra] for column in self.columns))
        item, type, value, time, sequence = (column[extra:] for column in self.columns)
        return History(item, type, value, time, sequence, tail, self._room, self._stop)

    def without(self, sequences: npt.NDArray[np.int64]) -> History:
        """Returns the history with the named events of the window taken out."""
        return self.take(np.flatnonzero(~np.isin(self.sequence, sequences)))

    def take(self, rows: npt.NDArray[np.intp]) -> History:
        """Returns the history with only these rows of the window; the tail stays."""
        return History(
            self.item[rows], self.type[rows], self.value[rows], self.time[rows], self.sequence[rows], self.tail
        )

    @property
    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The columns of the n events: item, type, value, time, sequence."""
        return self.item, self.type, self.value, self.time, self.sequence

    def _inserted(self, item: int, type: int, value: float, time: int, sequence: int) -> History:
        place = int(np.searchsorted(self.time, time, side="right"))
        while place > 0 and self.time[place - 1] == time and self.sequence[place - 1] > sequence:
            place -= 1
        return History(
            _grown(self.item, place, item),
            _grown(self.type, place, type),
            _grown(self.value, place, value),
            _grown(self.time, place, time),
            _grown(self.sequence, place, sequence),
            self.tail,
        )

    def _seen(self, room: _Room, start: int, stop: int) -> History:
        return History(
            room.item[start:stop],
            room.type[start:stop],
            room.value[start:stop],
            room.time[start:stop],
            room.sequence[start:stop],
            self.tail,
            room,
            stop,
        )


class _Room:
    """Columns with free rows behind them, shared by the histories that grew from one another.

    A history is a stretch of the rows and never changes: only rows behind every history are written. `_free` holds
    the next free row, and nothing while somebody writes; taking it out is atomic, so two that grow one history at
    once never get the same row.
    """

    __slots__ = ("_free", "item", "sequence", "time", "type", "value")

    def __init__(self, size: int) -> None:
        self.item = np.empty(size, np.int32)
        self.type = np.empty(size, np.int16)
        self.value = np.empty(size, np.float32)
        self.time = np.empty(size, np.int64)
        self.sequence = np.empty(size, np.int64)
        self._free: list[int] = []

    @classmethod
    def of(cls, history: History) -> _Room:
        """Returns a room of its own for the events of `history`, its next row claimed."""
        count = len(history)
        room = cls(count + max(SPARE, count // 2))
        room.item[:count], room.type[:count], room.value[:count] = history.item, history.type, history.value
        room.time[:count], room.sequence[:count] = history.time, history.sequence
        return room

    def claim(self, row: int) -> bool:
        """Returns whether `row` was free and is now the caller's to write."""
        try:
            free = self._free.pop()
        except IndexError:
            return False
        if free == row and row < len(self.item):
            return True
        self._free.append(free)
        return False

    def release(self, free: int) -> None:
        """Offers row `free` to the next that grows."""
        self._free.append(free)


EMPTY = History(
    np.empty(0, np.int32),
    np.empty(0, np.int16),
    np.empty(0, np.float32),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
)


def _grown(column: npt.NDArray[Any], place: int, value: float) -> npt.NDArray[Any]:
    grown = np.empty(len(column) + 1, column.dtype)
    grown[:place] = column[:place]
    grown[place] = value
    grown[place + 1 :] = column[place:]
    return grown
