"""Goals and what was seen of them: the rows of the table of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One row: what was measured, its target, what was seen, and whether that meets it (None: no target, or not run).

    Args:
        value: the number that was judged; None where nothing was measured.
        aim_met: whether the aim beyond the target is met; None where there is none.
    """

    what: str
    target: str
    seen: str
    met: bool | None
    value: float | None = None
    aim_met: bool | None = None


class Measured(TypedDict):
    """What a benchmark returns: its rows, the seeds and repeats behind them, and all else that it saw."""

    figures: list[Figure]
    seeds: list[int]
    repeats: int
    details: dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """What a figure should be.

    Args:
        must: the bound to meet; None where a figure is only shown.
        aim: a better value that is hoped for.
        most: whether `must` and `aim` are the most allowed rather than the least.
        form: how numbers are written; unit: what follows them.
    """

    what: str
    must: float | None = None
    aim: float | None = None
    most: bool = False
    form: str = ".4f"
    unit: str = ""

    @property
    def target(self) -> str:
        """The target in words, such as `≥ .1920; aim .1970`."""
        sign = "≤" if self.most else "≥"
        said = [f"{sign} {self.written(self.must)}"] if self.must is not None else []
        return "; ".join(said + ([f"aim {self.written(self.aim)}"] if self.aim is not None else [])) or "shown"

    def seen(self, value: float, note: str = "") -> Figure:
        """Returns the row for a measured value.

        Args:
            note: what belongs to it, such as an interval.
        """
        words = self.written(value) + (f" {note}" if note else "")
        return Figure(self.what, self.target, words, self._holds(value, self.must), value, self._holds(value, self.aim))

    def not_run(self, why: str) -> Figure:
        """Returns the row for a figure that could not be measured."""
        return Figure(self.what, self.target, f"not run: {why}", None)

    def written(self, value: float) -> str:
        """Returns a number in this figure's form."""
        return f"{value:{self.form}}{self.unit}"

    def _holds(self, value: float, bound: float | None) -> bool | None:
        if bound is None:
            return None
        return bool(value <= bound if self.most else value >= bound)


def span(low: float, high: float, form: str = ".4f") -> str:
    """Returns an interval as text."""
    return f"[{low:{form}}, {high:{form}}]"


def all_not_run(goals: Sequence[Goal], why: str) -> list[Figure]:
    """Returns the rows of figures none of which could be measured."""
    return [goal.not_run(why) for goal in goals]
