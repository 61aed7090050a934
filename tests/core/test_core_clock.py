"""Time: parsing and printing are inverse, and nothing outside the range comes in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.clock import DAY, HOUR, LATEST, SECOND, format_span, format_time, now, parse_time
from mutua.errors import InvalidTime


@given(st.integers(0, LATEST))
def test_printed_time_reads_back_exactly(micros: int) -> None:
    assert parse_time(format_time(micros)) == micros


@given(st.integers(0, LATEST // SECOND))
def test_epoch_seconds_are_read_as_number_and_as_text(seconds: int) -> None:
    assert parse_time(seconds) == parse_time(str(seconds)) == parse_time(float(seconds)) == seconds * SECOND


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.timezones()))
def test_zones_are_applied(moment: datetime) -> None:
    expected = moment.astimezone(UTC).replace(tzinfo=None) - datetime(1970, 1, 1)
    assert (
        parse_time(moment.isoformat()) == (expected.days * 86_400 + expected.seconds) * SECOND + expected.microseconds
    )


def test_a_date_and_a_missing_zone_mean_utc() -> None:
    assert parse_time("1970-01-02") == DAY
    assert parse_time(" 1970-01-02T01:00:00 ") == DAY + HOUR
    assert parse_time("1970-01-02T01:00:00+01:00") == DAY
    assert parse_time(1.5) == 1_500_000


@pytest.mark.parametrize(
    "bad",
    ["", "yesterday", "nan", "inf", float("nan"), float("inf"), -1, "1969-12-31", 1e12, "2200-01-02", "2026-13-01"],
)
def test_what_is_no_time_is_refused(bad: str | float) -> None:
    with pytest.raises(InvalidTime) as caught:
        parse_time(bad)
    assert caught.value.code == "time.invalid"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (0, "0 seconds"),
        (1, "0 seconds"),
        (SECOND, "1 second"),
        (HOUR, "1 hour"),
        (-2 * DAY, "-2 days"),
        (50 * HOUR, "2 days"),
    ],
)
def test_spans_use_the_unit_a_person_would(span: int, text: str) -> None:
    assert format_span(span) == text


def test_the_clock_gives_whole_microseconds_in_range() -> None:
    moment = now()
    assert isinstance(moment, int)
    assert parse_time("2024-01-01") < moment < LATEST
