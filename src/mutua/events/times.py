"""A column of times in whatever form a file has them, as microseconds UTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mutua.core.clock import LATEST, SECOND, parse_time
from mutua.errors import InvalidTime
from mutua.events.mapping import DATE_DIGITS, UNITS

EARLIEST_CALENDAR = 631_152_000 * SECOND  # 1990-01-01
_NOTES = {
    "text": "dates",
    DATE_DIGITS: "dates written as digits",
    "mdy": "dates of month, day, year",
    "dmy": "dates of day, month, year",
}
_MAGNITUDES = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
_FORMS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d")
_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
_SPELLED = {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"}
_OF_DAY = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
_SLASHED = ("%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Clock:
    """How a file tells time.

    Args:
        unit: `text` for dates from the year down, `mdy` or `dmy` for others, `yyyymmdd` for dates written as digits,
            else the unit of its numbers (`UNITS`).
        calendar: whether its times are dates of our calendar, and not a count from a start of its own.
    """

    unit: str
    calendar: bool

    def note(self) -> str:
        """Returns what a person should know of it."""
        kind = _NOTES.get(self.unit, f"{self.unit} since 1970")
        return f"times read as {kind}" + (
            "" if self.calendar else ", which count from a start of their own (before 1990)"
        )


def clock_of(column: pl.Series, unit: str = "") -> Clock:
    """Returns how the first times of a file read: by the magnitude of their median, unless a unit is stated."""
    if not unit:
        unit = _unit_of(column)
    micros = np.sort(micros_of(column, Clock(unit, calendar=True)).drop_nulls().to_numpy())
    return Clock(unit, calendar=not len(micros) or int(micros[len(micros) // 2]) >= EARLIEST_CALENDAR)


def micros_of(column: pl.Series, clock: Clock) -> pl.Series:
    """Returns int64 microseconds UTC, null where a value is no time between 1970 and 2200."""
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        aware = column.dtype.time_zone if isinstance(column.dtype, pl.Datetime) else None
        micros = (
            (column.dt.convert_time_zone("UTC") if aware else column)
            .cast(pl.Datetime("us", aware and "UTC"))
            .to_physical()
        )
    elif clock.unit == "text":
        micros = _from_text(column)
    elif clock.unit in _SPELLED:
        micros = _by_forms(_slashed(column), [_SPELLED[clock.unit] + of_day for of_day in _OF_DAY])
    elif clock.unit == DATE_DIGITS:
        micros = column.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us").to_physical()
    else:
        micros = _from_number(column, UNITS[clock.unit])
    return micros.set(((micros < 0) | (micros > LATEST)).fill_null(value=False), None)


def _unit_of(column: pl.Series) -> str:
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        return "text"
    given = column.drop_nulls()
    numbers = given.cast(pl.Float64, strict=False).drop_nulls()
    if len(numbers) * 2 <= len(given):
        return _order_of_dates(given.cast(pl.String))
    if numbers.is_between(19_000_101, 22_001_231).all() and _are_digits_of_dates(given):
        return DATE_DIGITS
    median = numbers.median()
    size = abs(float(median)) if isinstance(median, int | float) else 0.0
    return next((unit for bound, unit in _MAGNITUDES if size < bound), "ns")


def _are_digits_of_dates(given: pl.Series) -> bool:
    return given.cast(pl.String).str.to_date("%Y%m%d", strict=False).null_count() * 2 < len(given)


def _order_of_dates(given: pl.Series) -> str:
    """Returns `mdy` or `dmy` where days over 12 tell which, else `text`: what could be either is not guessed."""
    parts = _slashed(given).str.extract_groups(r"^\s*(\d{1,2})/(\d{1,2})/\d{4}\b").struct.unnest().drop_nulls()
    if parts.height * 2 <= len(given):
        return "text"
    no_month_first, no_month_second = (int((parts.to_series(at).cast(pl.Int64) > 12).sum()) for at in (0, 1))
    if no_month_first == no_month_second:
        return "text"
    return "mdy" if no_month_first < no_month_second else "dmy"


def _slashed(given: pl.Series) -> pl.Series:
    return given.cast(pl.String).str.strip_chars().str.replace_all(r"^(\d{1,2})[.\-](\d{1,2})[.\-]", "$1/$2/")


def _from_number(column: pl.Series, scale: float) -> pl.Series:
    if column.dtype.is_float():
        return _rounded(column.cast(pl.Float64), scale)
    whole = column.cast(pl.Int64, strict=False)
    in_range = whole.set((whole.abs() > LATEST / scale).fill_null(value=False), None)
    exact = in_range // 1_000 if scale < 1 else in_range * int(scale)
    if column.dtype.is_integer() or exact.null_count() == column.null_count():
        return exact
    numbers = column.cast(pl.Float64, strict=False)
    return exact.zip_with(
        column.cast(pl.String).str.contains(r"^\s*-?\d+\s*$").fill_null(value=False), _rounded(numbers, scale)
    )


def _rounded(numbers: pl.Series, scale: float) -> pl.Series:
    scaled = (numbers * scale).to_numpy()
    sound = np.isfinite(scaled) & (np.abs(np.nan_to_num(scaled)) <= 2.0 * LATEST)
    micros = pl.Series(numbers.name, np.where(sound, np.rint(np.where(sound, scaled, 0)), 0).astype(np.int64))
    return micros.set(pl.Series(~sound), None)


def _from_text(column: pl.Series) -> pl.Series:
    text = column.cast(pl.String).str.strip_chars()
    return _by_hand(text, _by_forms(text, [*_FORMS, *_ZONED, *_SLASHED]))


def _by_forms(text: pl.Series, forms: list[str]) -> pl.Series:
    micros = pl.Series(text.name, [None], dtype=pl.Int64).new_from_index(0, len(text))
    for form in forms:
        open_ = micros.is_null() & text.is_not_null()
        if not open_.any():
            break
        zone = None if form in _ZONED else "UTC"
        parsed = text.str.to_datetime(form, strict=False, time_unit="us", time_zone=zone)
        micros = micros.zip_with(~open_, parsed.to_physical())
    return micros


def _by_hand(text: pl.Series, micros: pl.Series) -> pl.Series:
    rest = (micros.is_null() & text.is_not_null()).arg_true()
    return micros if not len(rest) else micros.scatter(rest, [_parsed(value) for value in text.gather(rest)])


def _parsed(value: str) -> int | None:
    try:
        return parse_time(value)
    except InvalidTime:
        return None
