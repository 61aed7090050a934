"""What happened since the log was read: recorded interactions, noted in columns and found again by user."""

from __future__ import annotations

from collections.abc import Collection

from mutua.events.acts import Acts

Move = tuple[int, int, float, int, int]
"""One recorded interaction: item, type, value (NaN where none), time, sequence."""
NONE = -1


class Moves:
    """Notes in log order, each with the row of the note before it on the same user: no user needs a list of his own."""

    def __init__(self) -> None:
        self._newest: dict[int, int] = {}
        self._before: list[int] = []
        self._columns: tuple[list[int], list[int], list[float], list[int], list[int]] = ([], [], [], [], [])

    def __len__(self) -> int:
        return len(self._before)

    @property
    def users(self) -> Collection[int]:
        """Those of whom there are notes."""
        return self._newest.keys()

    def note(self, acts: Acts) -> None:
        """Notes interactions; about 0.2 µs each."""
        newest, before = self._newest, self._before
        for row, user in enumerate(acts.users, len(before)):
            before.append(newest.get(user, NONE))
            newest[user] = row
        mine = self._columns
        mine[0].extend(acts.items)
        mine[1].extend(acts.types)
        mine[2].extend(acts.values)
        mine[3].extend(acts.times)
        mine[4].extend(acts.sequences)

    def newest(self, user: int) -> int:
        """Returns the sequence number of the newest note on a user, −1 where there is none."""
        row = self._newest.get(user, NONE)
        return NONE if row == NONE else self._columns[-1][row]

    def of(self, user: int, after: int) -> list[Move]:
        """Returns the notes on a user above a sequence number, in log order."""
        items, types, values, times, sequences = self._columns
        found, row = list[Move](), self._newest.get(user, NONE)
        while row != NONE and sequences[row] > after:
            found.append((items[row], types[row], values[row], times[row], sequences[row]))
            row = self._before[row]
        return found[::-1]
