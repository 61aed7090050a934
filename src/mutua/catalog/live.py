"""Attributes that change while they are read: each upsert costs what it changes, however many rows there are.

A row that changes is written in place: a table is good until the next change is applied, on the thread that applies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mutua.catalog.columns import Rows, built
from mutua.catalog.facts import Facts
from mutua.catalog.growing import Growing
from mutua.catalog.table import AttributeTable, Column

Mark = tuple[int, int]
MOST_CHANGES = 10_000
"""Changes that are remembered; who is further behind reads the whole table."""


class LiveTable:
    """The newest word on every attribute of n rows, as `Facts.newest` finds it; moved by every upsert.

    Args:
        facts: all that was said so far; size: rows so far.
    """

    def __init__(self, facts: Mapping[str, Facts], size: int) -> None:
        self._columns = {name: Growing(name, said, size) for name, said in facts.items()}
        self._changes: list[int] = []
        self._epoch = 0
        self.table = AttributeTable(size, _Standing(self._columns))

    def say(self, row: int, attributes: Mapping[str, Any], time: int) -> bool:
        """Writes what a newer event says, and returns False where only the log can tell what stands now.

        That is so for a withdrawn word (another source's may stand) and for one older than what is known.

        Args:
            row: inner index; time: of the event, microseconds UTC.

        Cost: O(attributes).
        """
        self.grow(row + 1)
        columns = [(self._columns.get(name), value) for name, value in attributes.items()]
        if any(value is None or (column is not None and time < column.latest(row)) for column, value in columns):
            return False
        for name, value in attributes.items():
            self._write(name, row, value, time)
        self._note((row,))
        return True

    def correct(self, rows: Sequence[int], facts: Mapping[str, Facts]) -> None:
        """Writes rows anew from all that was said of them; O(rows · attributes)."""
        self.grow(max(rows, default=-1) + 1)
        for name in {*self._columns, *facts}:
            said = facts.get(name)
            newest = {} if said is None else _by_row(said.newest())
            latest = {} if said is None else _latest(said)
            for row in rows:
                self._write(name, row, newest.get(row), latest.get(row))
        self._note(rows)

    def grow(self, size: int) -> None:
        """Makes room for rows of which nothing is known yet."""
        before = self.table.size
        if size > before:
            self.table = AttributeTable(size, _Standing(self._columns))
            for column in self._columns.values():
                column.size = size
            self._note(range(before, size))

    @property
    def mark(self) -> Mark:
        """What `since` takes: how far the changes have come."""
        return self._epoch, len(self._changes)

    def since(self, mark: Mark) -> Rows | None:
        """Returns the rows that changed after a mark, int32, ascending; None where columns came, went or changed kind.

        None too where the mark is too old; who is told None looks at the whole table.
        """
        epoch, count = self.mark
        return np.unique(np.array(self._changes[mark[1] : count], np.int32)) if mark[0] == epoch else None

    def says(self, row: int, names: Sequence[str]) -> bool:
        """Returns whether a row has a value of any of these attributes."""
        return any(name in self._columns and self._columns[name].value(row) is not None for name in names)

    def rows(self, rows: Rows, names: Sequence[str]) -> AttributeTable:
        """Returns some attributes of some rows as a table of their own, its columns of the same kinds."""
        found = {name: column for name in names if (column := self._columns.get(name)) is not None and column.standing}
        return AttributeTable(len(rows), {name: _taken(column, rows) for name, column in found.items()})

    def _write(self, name: str, row: int, value: Any, time: int | None) -> None:
        column = self._columns.get(name)
        if column is None:
            if value is None and time is None:
                return
            column = self._columns[name] = Growing(name, None, self.table.size)
        was = column.kind if column.standing else None
        column.write(row, value, time)
        if was != (column.kind if column.standing else None):
            self._start_over()

    def _note(self, rows: Sequence[int]) -> None:
        self._changes.extend(rows)
        if len(self._changes) > MOST_CHANGES:
            self._start_over()

    def _start_over(self) -> None:
        self._changes.clear()
        self._epoch += 1


class _Standing(Mapping[str, Column]):
    """The columns that hold anything, made when they are asked for."""

    def __init__(self, columns: Mapping[str, Growing]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> Column:
        found = self._columns[name]
        if not found.standing:
            raise KeyError(name)
        return found.column()

    def __iter__(self) -> Iterator[str]:
        return (name for name, column in self._columns.items() if column.standing)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _taken(column: Growing, rows: Rows) -> Column:
    values = [column.value(row) for row in rows.tolist()]
    places = [place for place, value in enumerate(values) if value is not None]
    said = [value for value in values if value is not None]
    return built(column.kind, np.array(places, np.int32), said, len(rows))


def _by_row(newest: Facts) -> dict[int, Any]:
    return dict(zip(newest.row.tolist(), newest.values, strict=True))


def _latest(said: Facts) -> dict[int, int]:
    found: dict[int, int] = {}
    for row, time in zip(said.row.tolist(), said.time.tolist(), strict=True):
        found[row] = max(time, found.get(row, time))
    return found
