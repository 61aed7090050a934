"""The rules of cleaning: what each looks for, its bit in an event's mark, its switch and its thresholds.

A rule marks, it never drops: a marked event stays in the log at weight 0, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

EXACT_DUPLICATE = 1
EQUAL_ROW = 2
NEAR_DUPLICATE = 4
IMPOSSIBLE_TIME = 8
BOT_RATE = 16
BOT_RHYTHM = 32
OUTLIER_VALUE = 64

RULES: Mapping[str, int] = {
    "exact-duplicate": EXACT_DUPLICATE,
    "equal-row": EQUAL_ROW,
    "near-duplicate": NEAR_DUPLICATE,
    "impossible-time": IMPOSSIBLE_TIME,
    "bot-rate": BOT_RATE,
    "bot-rhythm": BOT_RHYTHM,
    "outlier-value": OUTLIER_VALUE,
}
"""Bit of the mark by name of the rule. Bits are kept in the log and never change their meaning."""

_Positive = Annotated[float, msgspec.Meta(gt=0)]


class CleaningRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rules run, and how far is too far.

    Args:
        exact_duplicates: rows of equal content and time under different ids of the sender's.
        equal_rows: equal rows without ids; off, since two equal milks in one basket are two purchases.
        near_duplicates: the same user, item, type and value again, later by at most `near_seconds`.
        near_seconds: longest gap that is still the same act (a double click, a retry).
        impossible_times: times before 1990 in a file whose times are dates.
        bot_rates: users with a day of more events than `bot_events_per_day` and than `bot_deviations` robust standard
            deviations (on the logarithm) above the median of all users' days.
        bot_rhythms: users with `bot_equal_gaps` events at equal gaps in a row.
        outlier_values: values more than `outlier_deviations` robust standard deviations (on the logarithm) above their
            type's median, and more than `outlier_factor` times it.
        step_back_share: a rule that would mark the events of more than this share of users or rows has not found
            exceptions but how the data is; it marks nothing and is reported.
    """

    exact_duplicates: bool = True
    equal_rows: bool = False
    near_duplicates: bool = True
    near_seconds: _Positive = 1.0
    impossible_times: bool = True
    bot_rates: bool = True
    bot_events_per_day: _Positive = 1_000.0
    bot_deviations: _Positive = 6.0
    bot_rhythms: bool = True
    bot_equal_gaps: Annotated[int, msgspec.Meta(ge=10)] = 100
    outlier_values: bool = True
    outlier_deviations: _Positive = 10.0
    outlier_factor: _Positive = 1_000.0
    step_back_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05


@dataclass(frozen=True)
class Cleaned:
    """What cleaning found in one file: events by rule (only rules that marked any), and notes on rules that did not
    apply."""

    marked: Mapping[str, int]
    notes: tuple[str, ...] = ()


def names_of(mark: int) -> tuple[str, ...]:
    """Returns the names of the rules in a mark.

    Example:
        >>> names_of(NEAR_DUPLICATE | BOT_RATE)
        ('near-duplicate', 'bot-rate')
    """
    return tuple(name for name, bit in RULES.items() if mark & bit)
