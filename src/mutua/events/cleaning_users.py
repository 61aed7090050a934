"""Users who act like machines: more events a day than people make, or a rhythm that people do not keep."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY, HOUR
from mutua.events.cleaning import BOT_RATE, BOT_RHYTHM, CleaningRules
from mutua.events.kernels import move_users, watch_users

_DAY_CELLS = 2**22
_FEWEST_USERS = 5
_SMALLEST_DEVIATION = 0.5
_Words = npt.NDArray[np.uint64]


@dataclass
class UserWatch:
    """Counts, in the order of the file, what tells machines from people; about 100 bytes a user.

    Days are counted in a table of fixed size, where few of them share a cell.
    """

    rules: CleaningRules
    table: _Words = field(default_factory=lambda: np.zeros(1024, np.uint64))
    columns: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((5, 1024), np.int64))
    days: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(_DAY_CELLS, np.int32))
    users: int = 0

    def see(self, keys: _Words, times: npt.NDArray[np.int64]) -> None:
        """Counts rows: digests of their users (uint64 [n]) and their times (int64 [n], µs)."""
        size = len(self.table)
        while size < 2 * (self.users + len(keys)):
            size *= 2
        if size > len(self.table):
            table, columns = np.zeros(size, np.uint64), np.zeros((5, size), np.int64)
            move_users(self.table, self.columns, table, columns)
            self.table, self.columns = table, columns
        self.users += watch_users(keys | np.uint64(1), times, DAY, HOUR, self.table, *self.columns, self.days)

    def suspects(self) -> tuple[dict[int, int], tuple[str, ...]]:
        """Returns the bits of the rules by digest of user, and notes on rules that stepped back."""
        if self.users < _FEWEST_USERS:
            return {}, ()
        *_, longest_runs, busiest = self.columns
        found: dict[int, int] = {}
        notes = []
        for name, bit, mask in (
            ("bot-rate", BOT_RATE, busiest > self._too_many() if self.rules.bot_rates else np.zeros(0, np.bool_)),
            ("bot-rhythm", BOT_RHYTHM, longest_runs >= self.rules.bot_equal_gaps if self.rules.bot_rhythms else None),
        ):
            keys = self.table[mask].tolist() if mask is not None and len(mask) else []
            if len(keys) > max(1, self.rules.step_back_share * self.users):
                notes.append(f"{name} not applied: it would mark {len(keys)} of {self.users} users, so the data is so")
                continue
            for key in keys:
                found[key] = found.get(key, 0) | bit
        return found, tuple(notes)

    def _too_many(self) -> float:
        logs = np.log(self.days[self.days > 0])
        median = float(np.median(logs))
        deviation = max(_SMALLEST_DEVIATION, 1.4826 * float(np.median(np.abs(logs - median))))
        return max(self.rules.bot_events_per_day, float(np.exp(median + self.rules.bot_deviations * deviation)))
