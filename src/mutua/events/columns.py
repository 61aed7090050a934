"""Rows of a table → interactions in outer ids; a row that cannot become one is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.core.clock import FUTURE_TOLERANCE, SECOND
from mutua.core.ids import checked_id
from mutua.errors import InvalidField, InvalidTime, InvalidValue, MutuaError
from mutua.events.batch import BATCH_SCHEMA
from mutua.events.kinds import Interaction
from mutua.events.limits import LARGEST_VALUE, TEXT_BYTES
from mutua.events.mapping import Column, Mapping
from mutua.events.parsing import checked_text, checked_time
from mutua.events.payloads import joined_objects, json_nested, json_objects
from mutua.events.readers.tables import Table, Unread
from mutua.events.texts import Texts
from mutua.events.times import Clock, micros_of

Mask = npt.NDArray[np.bool_]
DEFAULT_TYPE = "view"
_EXACT_WHOLE = 2.0**53


@dataclass(frozen=True)
class Batch:
    """Events of some rows of a file.

    Args:
        frame: columns of `BATCH_SCHEMA`; `id` null where the file gives none, `mark` 0.
        given_time: int64 µs as the file gives it, null where it gives none; None where no row has a time.
        refused: the rows that could not become events, with those that the reader could not split, by line.
        position: bytes of the file read so far.
    """

    frame: pl.DataFrame
    given_time: pl.Series | None
    refused: tuple[Unread, ...]
    position: int


@dataclass
class Checks:
    """Which rows of a table have a problem, the first of each kept."""

    problems: dict[int, MutuaError] = field(default_factory=dict)

    def refuse(self, rows: Mask, check: Callable[[int], object]) -> None:
        """Refuses the masked rows with the error that `check` raises for them."""
        for at in np.flatnonzero(rows).tolist():
            if at not in self.problems:
                try:
                    check(at)
                except MutuaError as error:
                    self.problems[at] = error

    def settled(self, table: Table, frame: pl.DataFrame, time: pl.Series | None) -> Batch:
        """Returns the batch of all rows without a problem."""
        refused = [Unread(int(table.lines[at]), table.raw(at), error) for at, error in self.problems.items()]
        if refused:
            good = np.ones(frame.height, np.bool_)
            good[list(self.problems)] = False
            keep = pl.Series(good)
            frame, time = frame.filter(keep), None if time is None else time.filter(keep)
        ordered = sorted([*table.unread, *refused], key=lambda row: row.line)
        return Batch(frame, time, tuple(ordered), table.position)


@dataclass(frozen=True)
class ToInteractions:
    """Makes interactions of tables.

    Args:
        mapping: which column is what, resolved against the file's columns.
        clock: how the file tells time; None where it does not.
        now: the clock, microseconds UTC: later times are refused, rows without a time column count up from it.
        source: who says so.
    """

    mapping: Mapping
    clock: Clock | None
    now: int
    source: str

    def __call__(self, table: Table, rows_before: int) -> Batch:
        """Returns the interactions of a table that follows `rows_before` earlier rows of its file."""
        checks, mapping = Checks(), self.mapping
        user = self._ids(table, "user", checks, needed=True)
        item = self._ids(table, "item", checks, needed=True)
        time = self._time(table, checks)
        given_id = self._ids(table, "id", checks, needed=False)
        columns = {
            "id": given_id,
            "user": user,
            "item": item,
            "type": self._types(table, checks),
            "value": self._values(table, checks),
            "session": self._ids(table, "session", checks, needed=False),
            "payload": self._payloads(table, checks) if self._has_payload(mapping) else None,
            "time": self._order(table, rows_before) if time is None else time,
        }
        return checks.settled(table, batch_frame(table.frame.height, Interaction.number, self.source, columns), time)

    @staticmethod
    def _has_payload(mapping: Mapping) -> bool:
        return any((mapping.device, mapping.text, mapping.slate, mapping.position, mapping.context))

    def _column(self, table: Table, name: str) -> pl.Series | None:
        column: Column | None = getattr(self.mapping, name)
        if column is None:
            return None
        if column.constant:
            return pl.Series(name, [column.name]).new_from_index(0, table.frame.height)
        return table.frame[column.name]

    def _text(self, table: Table, name: str) -> pl.Series | None:
        column = self._column(table, name)
        return None if column is None else as_text(column)

    def _ids(self, table: Table, name: str, checks: Checks, *, needed: bool) -> pl.Series | None:
        column = self._text(table, name)
        if column is None:
            return None
        unfit = Texts.of(column).unfit_as_ids()
        if not needed:
            unfit &= column.is_not_null().to_numpy()
        checks.refuse(unfit, lambda at: checked_id(column[at] or "", name))
        return column

    def _types(self, table: Table, checks: Checks) -> pl.Series | None:
        column = self._text(table, "type")
        if column is None:
            return pl.Series("type", [DEFAULT_TYPE]).new_from_index(0, table.frame.height)
        unfit = [name for name in column.unique().to_list() if not _fits_id(name)]
        if unfit:
            checks.refuse(
                column.is_in(unfit, nulls_equal=True).to_numpy(), lambda at: checked_id(column[at] or "", "type")
            )
        return column

    def _values(self, table: Table, checks: Checks) -> pl.Series | None:
        column = self._column(table, "value")
        if column is None:
            return None
        given = as_text(column) if column.dtype == pl.String else column
        value = given.cast(pl.Float64, strict=False)
        unsound = (given.is_not_null() & (value.is_null() | (value.abs() > LARGEST_VALUE) | value.is_nan())).to_numpy()
        checks.refuse(unsound, lambda at: _refuse_value(given[at]))
        return value

    def _time(self, table: Table, checks: Checks) -> pl.Series | None:
        column = self._column(table, "time")
        if column is None or self.clock is None:
            return None
        return checked_times(column, self.clock, self.now, checks)

    def _order(self, table: Table, rows_before: int) -> pl.Series:
        start = self.now + rows_before
        return pl.Series("time", np.arange(start, start + table.frame.height, dtype=np.int64))

    def _payloads(self, table: Table, checks: Checks) -> pl.Series:
        members = {name: self._ids(table, name, checks, needed=False) for name in ("device", "slate")}
        members["position"] = self._positions(table, checks)
        text = self._text(table, "text")
        if text is not None:
            members["text"] = limited(text, "text", checks)
        context = {name: context_values(table.frame[name], checks) for name in self.mapping.context}
        parts = [json_objects(stated)] if (stated := {k: v for k, v in members.items() if v is not None}) else []
        if context:
            parts.insert(0, json_nested("context", json_objects(context)))
        return joined_objects(*parts).cast(pl.Binary)

    def _positions(self, table: Table, checks: Checks) -> pl.Series | None:
        column = self._text(table, "position")
        if column is None:
            return None
        position = column.cast(pl.Int64, strict=False)
        unsound = (column.is_not_null() & (position.is_null() | (position < 0) | (position >= 2**31))).to_numpy()
        checks.refuse(unsound, lambda at: _refuse_position(column[at]))
        return position


def batch_frame(rows: int, kind: int, source: str, columns: dict[str, pl.Series | None]) -> pl.DataFrame:
    """Returns a frame of `BATCH_SCHEMA` with the given columns, nulls where there is none."""
    fixed = {"kind": kind, "source": source, "mark": 0}
    series = [
        _filled(name, dtype, rows, fixed.get(name))
        if columns.get(name) is None
        else columns[name].cast(dtype).alias(name)  # type: ignore[union-attr]
        for name, dtype in BATCH_SCHEMA.items()
    ]
    return pl.DataFrame(series)


def as_text(column: pl.Series) -> pl.Series:
    """Returns a column as stripped text, null where empty; whole numbers lose their decimals, lists become JSON."""
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        return text.set(text == "", None) if (text == "").any() else text
    if column.dtype.is_float():
        whole = (column == column.floor()) & (column.abs() < _EXACT_WHOLE)
        return (
            column.cast(pl.Int64, strict=False)
            .cast(pl.String)
            .zip_with(whole.fill_null(value=False), column.cast(pl.String))
        )
    if column.dtype.is_nested():
        encoded = (
            column.alias("v")
            .to_frame()
            .select(pl.struct("v").struct.json_encode().str.slice(5).str.head(-1))
            .to_series()
        )
        return encoded.set(column.is_null(), None)
    return column.cast(pl.String)


def context_values(column: pl.Series, checks: Checks) -> pl.Series:
    """Returns the values of a context column, texts stripped and held to their limit."""
    if column.dtype == pl.String:
        return limited(as_text(column), column.name, checks)
    return column if column.dtype.is_numeric() or column.dtype == pl.Boolean else as_text(column)


def limited(text: pl.Series, name: str, checks: Checks) -> pl.Series:
    """Returns a text column; rows over 10 KiB are refused."""
    checks.refuse(
        (text.str.len_bytes() > TEXT_BYTES).fill_null(value=False).to_numpy(), lambda at: checked_text(text[at], name)
    )
    return text


def checked_times(column: pl.Series, clock: Clock, now: int, checks: Checks) -> pl.Series:
    """Returns a column of times as int64 µs; rows without a time, or with one in the future, are refused."""
    time = micros_of(column, clock)
    unsound = (time.is_null() | (time > now + FUTURE_TOLERANCE)).fill_null(value=True).to_numpy()
    checks.refuse(unsound, lambda at: _refuse_time(column[at], time[at], clock, now))
    return time


def _filled(name: str, dtype: pl.DataType | type[pl.DataType], rows: int, value: object) -> pl.Series:
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, rows)


def _fits_id(name: str | None) -> bool:
    try:
        checked_id(name or "")
    except MutuaError:
        return False
    return True


def _refuse_time(given: object, micros: int | None, clock: Clock, now: int) -> None:
    if micros is not None:
        checked_time(micros / SECOND, now)
    raise InvalidTime(
        f"time {str(given or '')[:40]!r}",
        f"{clock.note().removeprefix('times read as ')}, between 1970 and 2200",
        "correct it, or state the unit as in --map time=COLUMN@ms",
    )


def _refuse_value(given: object) -> None:
    raise InvalidValue(f"value {str(given)[:40]!r}", "a finite number", "correct it, or leave the field empty")


def _refuse_position(given: object) -> None:
    raise InvalidField(f"position {str(given)[:40]!r}", "a whole number from 0", "correct it, or leave the field empty")
