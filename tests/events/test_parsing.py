"""Parsing: any JSON gives an event or one coded error; what is accepted is what was sent."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.clock import MINUTE, parse_time
from mutua.errors import (
    DataError,
    FutureTime,
    InvalidField,
    InvalidId,
    InvalidTime,
    InvalidValue,
    MutuaError,
    TooLarge,
)
from mutua.events.kinds import KINDS, Consent, Impression, Interaction, ItemUpsert
from mutua.events.parsing import is_event, parse_batch, parse_event

NOW = parse_time("2026-03-01T12:00:00Z")
FIELDS = sorted({name for kind in KINDS for name in kind.__struct_fields__} | {"kind", "nonsense"})
NAMES = [str(kind.__struct_config__.tag) for kind in KINDS]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def parsed(**fields: Any) -> Any:
    return parse_event(fields, now=NOW)


def outcome_of(value: Any) -> Any:
    try:
        return parse_event(value, now=NOW)
    except DataError as error:
        return error


@given(json_values | st.dictionaries(st.sampled_from(FIELDS), json_values | st.sampled_from(NAMES)))
def test_any_json_gives_an_event_or_a_coded_error(value: Any) -> None:
    outcome = outcome_of(value)
    if isinstance(outcome, DataError):
        assert outcome.code != MutuaError.code
        assert outcome.came
        assert outcome.do
    else:
        assert msgspec.json.encode(outcome)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values), st.sampled_from(NAMES))
def test_what_is_accepted_survives_json(fields: dict[str, Any], kind: str) -> None:
    value = {"user": "u", "item": "i", "attributes": {}, **fields, "kind": kind}
    try:
        event = parse_event(value, now=NOW)
    except DataError:
        return
    again = msgspec.json.decode(msgspec.json.encode(event), type=type(event))
    assert again == event


def test_json_that_python_alone_accepts_does_not_crash() -> None:
    for text in ("[NaN]", '{"user": "\\ud800", "item": "a"}', '{"user": "a", "item": "b", "value": 1e999}'):
        with pytest.raises(DataError):
            parse_event(json.loads(text), now=NOW)
    with pytest.raises(InvalidValue):
        parsed(user="a", item="b", value=10**400)
    with pytest.raises(InvalidTime):
        parsed(user="a", item="b", time=10**400)
    with pytest.raises(InvalidField):
        parsed(user="a", item="b", text="\ud800")


def test_kind_defaults_to_interaction_and_numbers_serve_as_ids() -> None:
    event = parsed(user=7, item=8, time=1.5, value=3, context={"weather": "sun", "hour": 7})
    assert event == Interaction(user="7", item="8", time=1_500_000, value=3.0, context={"weather": "sun", "hour": 7})
    assert parsed(user="a", item="b", time="2026-03-01T12:00:00Z").time == NOW
    assert parsed(user="a", item="b", value=None).value is None


def test_other_kinds() -> None:
    assert parsed(kind="impression", user="a", items=["x", 2]) == Impression(user="a", items=("x", "2"))
    assert parsed(kind="consent", user="a", purpose="train", granted=False) == Consent(
        user="a", purpose="train", granted=False
    )
    vector = {"vector": [0.5, 1.0], "tags": ["x"], "sold": True, "brand": None}
    assert parsed(kind="item-upsert", item="i", attributes=vector) == ItemUpsert(item="i", attributes=vector)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"user": "", "item": "i"}, InvalidId),
        ({"user": "u" * 257, "item": "i"}, InvalidId),
        ({"user": "u\n", "item": "i"}, InvalidId),
        ({"user": True, "item": "i"}, InvalidId),
        ({"user": "u"}, InvalidField),
        ({"user": "u", "item": "i", "colour": 1}, InvalidField),
        ({"user": "u", "item": "i", "kind": "order"}, InvalidField),
        ({"user": "u", "item": "i", "kind": ["view"]}, InvalidField),
        ({"user": "u", "item": "i", "time": "yesterday"}, InvalidTime),
        ({"user": "u", "item": "i", "time": True}, InvalidTime),
        ({"user": "u", "item": "i", "time": -5}, InvalidTime),
        ({"user": "u", "item": "i", "time": (NOW + 6 * MINUTE) / 1e6}, FutureTime),
        ({"user": "u", "item": "i", "value": "3"}, InvalidValue),
        ({"user": "u", "item": "i", "value": math.nan}, InvalidValue),
        ({"user": "u", "item": "i", "value": 1e39}, InvalidValue),
        ({"user": "u", "item": "i", "text": "x" * 10_241}, TooLarge),
        ({"user": "u", "item": "i", "text": 5}, InvalidField),
        ({"user": "u", "item": "i", "position": -1}, InvalidField),
        ({"user": "u", "item": "i", "context": {str(key): key for key in range(101)}}, TooLarge),
        ({"user": "u", "item": "i", "context": {"a": {"b": {"c": {"d": {}}}}}}, TooLarge),
        ({"user": "u", "item": "i", "context": [1]}, InvalidField),
        ({"user": "u", "kind": "impression", "items": []}, InvalidField),
        ({"user": "u", "kind": "consent", "purpose": "train", "granted": 1}, InvalidField),
    ],
)
def test_each_mistake_has_its_code(fields: dict[str, Any], error: type[MutuaError]) -> None:
    with pytest.raises(error) as caught:
        parse_event(fields, now=NOW)
    assert type(caught.value) is error


def test_limits_are_inclusive() -> None:
    assert parsed(user="u" * 256, item="é" * 128, text="x" * 10_240).item == "é" * 128
    assert parsed(user="u", item="i", time=(NOW + 5 * MINUTE) / 1e6).time == NOW + 5 * MINUTE
    assert parsed(user="u", item="i", context={"a": {"b": {"c": {"d": 1}}}}).context == {"a": {"b": {"c": {"d": 1}}}}


def test_a_batch_keeps_the_good_beside_the_bad() -> None:
    batch = parse_batch([{"user": "a", "item": "x"}, 5, {"user": "b", "item": "y"}], now=NOW)
    assert [event.user for event in batch.events if isinstance(event, Interaction)] == ["a", "b"]
    assert batch.places == (0, 2)
    assert [(one.place, one.error.code) for one in batch.refused] == [(1, "field.invalid")]
    with pytest.raises(TooLarge):
        parse_batch([{}] * 10_001, now=NOW)
    with pytest.raises(InvalidField):
        parse_batch({"user": "a"}, now=NOW)


def test_an_event_is_told_from_other_objects() -> None:
    assert is_event({"user": "a", "item": "b"})
    assert is_event({"kind": "user-upsert", "user": "a", "attributes": {}})
    assert not is_event({"reviewerID": "a", "asin": "b"})
    assert not is_event({"user": "a", "item": "b", "colour": 1})
    assert not is_event({"kind": 5})
