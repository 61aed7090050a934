"""What happened since the log was read: recorded interactions, noted in columns and found again by user."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from typing import Any

from mutua.events.acts import Acts

Move = tuple[int, int, float, int, int]
"""One recorded interaction: item, type, value (NaN where none), time, sequence."""
Columns = tuple[list[Any], ...]
"""Users, items, types, values, times, sequences, which rise."""
USERS, SEQUENCES = 0, 5
NONE = -1


class Moves:
    """Notes in log order, each with the row of the note before it on the same user: no user needs a list of his own."""

    def __init__(self) -> None:
        self._newest: dict[int, int] = {}
        self._before: list[int] = []
        self._columns: Columns = ([], [], [], [], [], [])

    def __len__(self) -> int:
        return len(self._before)

    @property
    def users(self) -> Collection[int]:
        """Those of whom there are notes."""
        return self._newest.keys()

    def note(self, acts: Acts) -> None:
        """Notes interactions; about 0.2 µs each."""
        self._extend((acts.users, acts.items, acts.types, acts.values, acts.times, acts.sequences))

    def after(self, sequence: int) -> Moves:
        """Returns the notes above a sequence number."""
        start = bisect_right(self._columns[SEQUENCES], sequence)
        found = Moves()
        found._extend(tuple(column[start:] for column in self._columns))
        return found

    def _extend(self, columns: Sequence[Sequence[Any]]) -> None:
        newest, before = self._newest, self._before
        for row, user in enumerate(columns[USERS], len(before)):
            before.append(newest.get(user, NONE))
            newest[user] = row
        for mine, more in zip(self._columns, columns, strict=True):
            mine.extend(more)

    def newest(self, user: int) -> int:
        """Returns the sequence number of the newest note on a user, −1 where there is none."""
        row = self._newest.get(user, NONE)
        return NONE if row == NONE else int(self._columns[SEQUENCES][row])

    def of(self, user: int, after: int) -> list[Move]:
        """Returns the notes on a user above a sequence number, in log order."""
        _, items, types, values, times, sequences = self._columns
        found, row = list[Move](), self._newest.get(user, NONE)
        while row != NONE and sequences[row] > after:
            found.append((items[row], types[row], values[row], times[row], sequences[row]))
            row = self._before[row]
        return found[::-1]
