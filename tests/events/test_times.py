"""Columns of times: as the clock reads one, and in the unit that a file shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.clock import DAY, SECOND, parse_time
from mutua.errors import InvalidTime
from mutua.events.times import Clock, clock_of, micros_of

moments = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1))
written = st.one_of(
    moments.map(str),
    moments.map(lambda moment: moment.date().isoformat()),
    moments.map(lambda moment: moment.replace(tzinfo=UTC).isoformat()),
    moments.map(lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=5, minutes=30))).isoformat()),
    st.text(max_size=12),
)


def scalar(text: str) -> int | None:
    try:
        return parse_time(text)
    except (InvalidTime, OverflowError):
        return None


@given(st.lists(written, min_size=1, max_size=5))
def test_dates_read_as_the_clock_reads_them(texts: list[str]) -> None:
    read = micros_of(pl.Series(texts), Clock("text", calendar=True)).to_list()
    known = [scalar(text) for text in texts]
    assert [one for one, other in zip(read, known, strict=True) if other is not None] == [
        one for one in known if one is not None
    ]


@given(st.lists(st.integers(0, 7_000_000_000), min_size=1), st.sampled_from([("s", 1), ("ms", 10**3), ("us", 10**6)]))
def test_numbers_read_in_their_unit(seconds: list[int], unit: tuple[str, int]) -> None:
    name, factor = unit
    texts = pl.Series([str(second * factor) for second in seconds])
    assert micros_of(texts, Clock(name, calendar=True)).to_list() == [second * SECOND for second in seconds]


@pytest.mark.parametrize(
    ("values", "unit", "calendar"),
    [
        (["881250949", "1"], "s", True),
        (["881250949.5", "881250950"], "s", True),
        (["1541599523000", "1541599523001"], "ms", True),
        (["1541599523000000"], "us", True),
        (["1541599523000000123"], "ns", True),
        (["711", "3", "40"], "s", False),
        (["20150401", "20151231"], "yyyymmdd", True),
        (["20150401", "20151231", "20151345"], "yyyymmdd", True),
        (["12/31/2015", "1/2/2015 5:30"], "mdy", True),
        (["31.12.2015", "1.2.2015"], "dmy", True),
        (["1/2/2015", "3/4/2015"], "text", True),
        (["2015-04-01", "2015-12-31"], "text", True),
        ([None, "x"], "text", True),
    ],
)
def test_units_are_told_by_magnitude(values: list[str | None], unit: str, calendar: bool) -> None:
    assert clock_of(pl.Series(values, dtype=pl.String)) == Clock(unit, calendar)


def test_what_is_no_time_is_null() -> None:
    clock = Clock("s", calendar=True)
    values = pl.Series(["", "x", "-1", "99999999999999999999", "inf", "nan", "1e99", "5", None])
    assert micros_of(values, clock).to_list() == [None] * 7 + [5 * SECOND, None]
    assert micros_of(pl.Series([1.5, -1.0, float("nan")]), clock).to_list() == [1_500_000, None, None]


def test_typed_columns_and_stated_units() -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    micros = int(moment.timestamp()) * SECOND
    zoned = pl.Series([moment]).dt.convert_time_zone("Asia/Tokyo")
    for column in (zoned, pl.Series([moment.replace(tzinfo=None)]), pl.Series([date(2020, 1, 1)])):
        assert micros_of(column, clock_of(column)).to_list() == [micros]
    assert micros_of(pl.Series(["711", "2"]), clock_of(pl.Series(["711"]), "d")).to_list() == [711 * DAY, 2 * DAY]
    assert not clock_of(pl.Series(["711"]), "d").calendar


def test_dates_that_do_not_begin_with_the_year() -> None:
    spelled = pl.Series(["12/31/2015", "1/2/2015 17:30", "1/2/2015 5:30:01 PM", "13/13/2015", "soon"])
    known = ["2015-12-31", "2015-01-02T17:30:00", "2015-01-02T17:30:01"]
    assert micros_of(spelled, clock_of(spelled)).to_list() == [*map(parse_time, known), None, None]
    assert micros_of(pl.Series(["2-1-2015"]), Clock("dmy", calendar=True)).to_list() == [parse_time("2015-01-02")]
