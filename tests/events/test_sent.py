"""The short way and the careful way agree on every batch."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.core.clock import LATEST, SECOND
from mutua.errors import MutuaError
from mutua.events.kinds import Interaction
from mutua.events.limits import BATCH_EVENTS
from mutua.events.parsing import Parsed, parse_batch
from mutua.events.sent import Sent, plain_batch

NOW = 1_800_000_000 * SECOND
SENT = msgspec.json.Decoder(list[Sent])
ANY = msgspec.json.Decoder()
NAMES = st.sampled_from(
    ["ann", "b", "", " ", "é" * 129, "x" * 256, "x" * 257, "a\x00", "a\x7f", "\x85", "日本", 7, 1.0, True]
)
NUMBERS = st.sampled_from([0, -0.0, 1, 1.0, 2.5, -3, 2**31, 2**53 + 1, 2**63, 2**64, 1e39, -1e300, 10**400, True, "3"])
TIMES = st.sampled_from(
    [1, 1.5, -1, 1_700_000_000, "2026-01-01T00:00:00Z", "1", "soon", NOW // SECOND + 301, LATEST, 2**70]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
COMMON = {"user": st.sampled_from(["ann", "bob"]), "item": st.sampled_from(["milk", "日本"])}
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("id", "user", "item", "type", "source", "session", "device", "slate"), NAMES | st.none()),
    "value": NUMBERS,
    "position": NUMBERS,
    "time": TIMES,
    "context": st.dictionaries(st.text(max_size=4), PLAIN, max_size=3) | PLAIN,
    "text": st.text(max_size=5) | st.sampled_from(["x" * 10_241, 4]),
    "kind": st.sampled_from(["interaction", "consent", None, 3]),
    "colour": NAMES,
}
ANY_FIELDS = st.sampled_from(sorted(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), FIELDS[name] | PLAIN))
USUAL = st.fixed_dictionaries(COMMON, optional={name: FIELDS[name] for name in ("time", "value", "position", "text")})
UNUSUAL = st.lists(ANY_FIELDS, max_size=4).map(dict).flatmap(lambda odd: USUAL.map(lambda one: {**one, **odd}))


def short(body: bytes) -> Parsed | None:
    try:
        return plain_batch(SENT.decode(body), now=NOW)
    except msgspec.DecodeError:
        return None


@settings(max_examples=500, deadline=None)
@given(st.lists(USUAL | UNUSUAL | PLAIN, max_size=4))
def test_both_ways_agree_on_every_batch(batch: list[Any]) -> None:
    body = json.dumps(batch).encode()
    try:
        careful = parse_batch(ANY.decode(body), now=NOW)
    except msgspec.DecodeError:
        careful = None
    quick = short(body)
    if quick is not None:
        assert careful is not None
        assert careful.refused == ()
        assert repr(careful.events) == repr(quick.events)
        assert list(careful.places) == list(quick.places)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.fixed_dictionaries(COMMON, optional={"value": st.floats(-1e9, 1e9), "time": st.integers(0, 10**9)})))
def test_plain_batches_take_the_short_way(batch: list[Any]) -> None:
    quick = short(json.dumps(batch).encode())
    assert quick is not None
    assert all(type(event) is Interaction for event in quick.events)


@pytest.mark.parametrize(
    "odd",
    [
        {"user": 7, "item": "milk"},
        {"user": "", "item": "milk"},
        {"user": "ann", "item": "milk", "position": 1.0},
        {"user": "ann", "item": "milk", "time": NOW // SECOND + 301},
        {"user": "ann", "item": "milk", "colour": "red"},
        {"kind": "consent", "user": "ann", "purpose": "train", "granted": True},
    ],
)
def test_one_unusual_event_leaves_the_batch_to_the_careful_way(odd: dict[str, Any]) -> None:
    assert short(json.dumps([{"user": "ann", "item": "milk"}, odd]).encode()) is None


def test_a_batch_over_the_bound_is_left_to_the_careful_way() -> None:
    batch = [{"user": "ann", "item": "milk"}] * (BATCH_EVENTS + 1)
    assert short(json.dumps(batch).encode()) is None
    with pytest.raises(MutuaError):
        parse_batch(batch, now=NOW)
