"""The `--map` text and what is guessed from names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import MissingColumn, UsageError
from mutua.events.guess import completed, guess, has_header
from mutua.events.mapping import COLUMN_FIELDS, UNITS, Column, Mapping

names = st.text("abc_ 1-", min_size=1, max_size=5).map(str.strip).filter(bool)
columns = st.builds(Column, names, st.booleans())


@given(st.dictionaries(st.sampled_from([one for one in COLUMN_FIELDS if one != "time"]), columns))
def test_a_mapping_reads_as_it_is_written(stated: dict[str, Column]) -> None:
    mapping = Mapping(**stated, time=Column("ts", unit="ms"), context=("a", "b"))
    assert Mapping.parse(str(mapping)) == mapping


@pytest.mark.parametrize("text", ["user", "user=", "colour=x", "user=a,user=b", "time=ts@fortnight", "=x"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Mapping.parse(text)


def test_every_unit_is_taken() -> None:
    for unit in UNITS:
        assert Mapping.parse(f"time=t@{unit}").time == Column("t", unit=unit)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ("visitorid itemid event timestamp", "user=visitorid,item=itemid,type=event,time=timestamp"),
        ("userId movieId rating ts", "user=userId,item=movieId,type:=rating,value=rating,time=ts"),
        ("reviewerID asin overall", "user=reviewerID,item=asin,type:=rating,value=overall"),
        ("household_id basket_id upc quantity", "user=household_id,item=upc,value=quantity,session=basket_id"),
        ("price event_time user_session", "value=price,time=event_time,session=user_session"),
        ("id x", ""),
        ("user User item", "item=item"),
    ],
)
def test_obvious_names_are_guessed(found: str, text: str) -> None:
    assert str(guess(found.split())) == text


def test_what_is_stated_goes_before_what_is_guessed() -> None:
    found = ("user", "buyer", "item", "rating", "price", "ts")
    full = completed(Mapping.parse("user=buyer,value=price"), found)
    assert str(full) == "user=buyer,item=item,value=price,time=ts"
    assert str(completed(Mapping.parse("value=rating,type:=purchase"), found)).count("type:=purchase") == 1
    assert completed(Mapping.parse("USER=2".lower()), found).user == Column("buyer")


def test_a_missing_column_is_named_with_those_found() -> None:
    with pytest.raises(MissingColumn, match="nick, what"):
        completed(Mapping(), ("nick", "what"))
    with pytest.raises(MissingColumn, match="'visitor'"):
        completed(Mapping.parse("user=visitor"), ("user", "item"))


@pytest.mark.parametrize(
    ("first", "second", "header"),
    [
        (("user", "item"), ("1", "2"), True),
        (("196", "242"), ("186", "302"), False),
        (("ann", "milk"), ("bob", "bread"), False),
        (("wer", "was"), ("bob", "7"), True),
        (("a", "a"), ("1", "2"), False),
        (("ann", "2026-01-01"), ("bob", "2026-01-02"), False),
    ],
)
def test_a_first_row_is_told_from_data(first: tuple[str, ...], second: tuple[str, ...], header: bool) -> None:
    assert has_header(first, second) == header
