"""Cleaning a file while it is recorded: what a row shows at once, and what only the whole file shows at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.core.clock import SECOND
from mutua.events.cleaning import (
    EQUAL_ROW,
    EXACT_DUPLICATE,
    IMPOSSIBLE_TIME,
    NEAR_DUPLICATE,
    OUTLIER_VALUE,
    CleaningRules,
)
from mutua.events.cleaning_users import UserWatch
from mutua.events.cleaning_values import ValueWatch
from mutua.events.kernels import near_duplicates
from mutua.events.kinds import Interaction
from mutua.events.rows import Digested
from mutua.events.times import EARLIEST_CALENDAR
from mutua.events.trail import Rows

_SLOTS = 2**21
Bits = npt.NDArray[np.int32]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Suspects:
    """What the whole file showed: bits by digest of user, the largest usual value by type, notes on rules that
    stepped back."""

    users: Mapping[int, int]
    bounds: Mapping[str, float]
    notes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.users or self.bounds)

    def bits(self, rows: Rows, types: Sequence[str]) -> Bits:
        """Returns int32 [n], the bits that rows get; `types` names the types that they index."""
        bits = np.zeros(len(rows), np.int32)
        if self.users:
            known = np.sort(np.fromiter(self.users, np.uint64, len(self.users)))
            marks = np.array([self.users[int(key)] for key in known], np.int32)
            place = np.minimum(np.searchsorted(known, rows["user"]), len(known) - 1)
            bits |= np.where(known[place] == rows["user"], marks[place], 0).astype(np.int32)
        if self.bounds and len(types):
            bounds = np.array([self.bounds.get(name, np.inf) for name in types])
            bits[rows["value"] > bounds[rows["type"]]] |= OUTLIER_VALUE
        return bits


@dataclass
class Cleaner:
    """Applies the rules to the rows of one file, in its order.

    Args:
        rules: which rules, and how far is too far.
        calendar: whether the file's times are dates.
    """

    rules: CleaningRules
    calendar: bool = True
    users: UserWatch = field(init=False)
    values: ValueWatch = field(init=False)
    last_keys: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(_SLOTS, np.uint64))
    last_times: _Ints = field(default_factory=lambda: np.zeros(_SLOTS, np.int64))

    def __post_init__(self) -> None:
        self.users, self.values = UserWatch(self.rules), ValueWatch(self.rules)

    def marks(self, frame: pl.DataFrame, digests: Digested, ordinals: _Ints, given_time: pl.Series | None) -> Bits:
        """Returns int32 [n], the bits of the rules that a row shows by itself or beside earlier ones.

        Args:
            frame: columns of `BATCH_SCHEMA`, `id` null where the file gave none.
            digests: of its rows; ordinals: int64 [n], earlier rows of the same content.
            given_time: int64 µs as the file gave it, null where it gave none.
        """
        acts = (frame["kind"] == Interaction.number).to_numpy()
        named = frame["id"].is_not_null().to_numpy()
        again = acts & (ordinals > 0)
        bits = np.zeros(frame.height, np.int32)
        bits[again & ~named & self.rules.equal_rows] |= EQUAL_ROW
        if given_time is not None:
            timed = np.flatnonzero(acts & given_time.is_not_null().to_numpy())
            bits[timed[(again & named)[timed]] if self.rules.exact_duplicates else []] |= EXACT_DUPLICATE
            bits[timed] |= self._timed(digests, timed, given_time.fill_null(0).to_numpy()[timed])
        if self.rules.outlier_values and frame["value"].null_count() < frame.height:
            self.values.see(frame["type"], frame["value"])
        return bits

    def _timed(self, digests: Digested, rows: npt.NDArray[np.intp], times: _Ints) -> Bits:
        bits = np.zeros(len(rows), np.int32)
        if self.rules.impossible_times and self.calendar:
            bits[times < EARLIEST_CALENDAR] |= IMPOSSIBLE_TIME
        if self.rules.near_duplicates:
            nearest = int(self.rules.near_seconds * SECOND)
            close = near_duplicates(digests.key[rows], times, nearest, self.last_keys, self.last_times)
            bits[close] |= NEAR_DUPLICATE
        if self.rules.bot_rates or self.rules.bot_rhythms:
            self.users.see(digests.user[rows, 0], times)
        return bits

    def suspects(self) -> Suspects:
        """Returns what the file as a whole shows, to be marked in the log now."""
        users, notes = self.users.suspects()
        return Suspects(users, self.values.bounds(), notes)
