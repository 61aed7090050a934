"""Interests: shares, terms, evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets
from mutua.core.clock import DAY
from mutua.profiles.history import EMPTY, History
from mutua.profiles.interests import LONG, SHORT, Interest, Interests, fading, interests_of

NOW = 20_000 * DAY
TYPES = (1.0, 3.0, -2.0)
CATALOGUE = AttributeTable(
    6,
    {
        "category": Labels(np.array([0, 0, 1, 1, 2, -1], np.int32), ("dairy", "wine", "bread")),
        "tags": Sets(
            sparse.csr_matrix(np.array([[1, 0], [1, 1], [0, 1], [0, 0], [0, 0], [1, 0]], np.float32)), ("bio", "new")
        ),
        "price": Numbers(np.ones(6, np.float32)),
    },
)


def history(*events: tuple[int, int, float], window: int = 500) -> History:
    """Events as (item, type, days ago), in order of time."""
    made = EMPTY
    for sequence, (item, kind, days) in enumerate(sorted(events, key=lambda event: -event[2]), start=1):
        made = made.add(item, kind, float("nan"), NOW - int(days * DAY), sequence, window)
    return made


def by_label(interests: Interests, kind: str) -> dict[str, Interest]:
    return {interest.label: interest for interest in interests.kinds[kind]}


event_lists = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2), st.floats(0, 300)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(event_lists, st.sampled_from([5, 500]))
def test_positive_shares_sum_to_one(events: list[tuple[int, int, float]], window: int) -> None:
    found = interests_of(history(*events, window=window), CATALOGUE, TYPES, NOW)
    for interests in found.kinds.values():
        for term in ("long", "short"):
            positive = sum(max(getattr(interest, term), 0.0) for interest in interests)
            assert positive == pytest.approx(1.0, abs=1e-6) or positive == 0.0
        assert [interest.long for interest in interests] == sorted((i.long for i in interests), reverse=True)
        for interest in interests:
            assert interest.events >= len(interest.sequences)
            assert interest.items


def test_shares_are_the_faded_weights_of_items() -> None:
    found = by_label(interests_of(history((0, 0, 0), (1, 1, 0), (2, 0, 90)), CATALOGUE, TYPES, NOW), "category")
    assert found["dairy"].long == pytest.approx(4.0 / 4.5)
    assert found["wine"].long == pytest.approx(0.5 / 4.5)
    assert found["wine"].short == pytest.approx(0.0, abs=1e-9)
    assert "bread" not in found


def test_what_was_turned_away_is_negative() -> None:
    found = by_label(interests_of(history((0, 1, 1), (4, 2, 1)), CATALOGUE, TYPES, NOW), "category")
    assert found["dairy"].long == pytest.approx(1.0)
    assert found["bread"].long < 0


def test_evidence_names_events_and_items() -> None:
    found = by_label(interests_of(history((0, 0, 3), (1, 1, 2), (0, 0, 1)), CATALOGUE, TYPES, NOW), "category")
    dairy = found["dairy"]
    assert dairy.events == 3
    assert dairy.sequences[0] == 2
    assert set(dairy.sequences) == {1, 2, 3}
    assert [item for item, _ in dairy.items] == [1, 0]
    assert dairy.last == NOW - DAY


def test_tags_count_for_each_label() -> None:
    found = by_label(interests_of(history((1, 0, 0), (5, 0, 0)), CATALOGUE, TYPES, NOW), "tags")
    assert found["bio"].long == pytest.approx(2 / 3)
    assert found["new"].long == pytest.approx(1 / 3)


def test_a_new_taste_rises_and_the_old_one_falls() -> None:
    old = [(0, 0, 40 + day) for day in range(20)]
    found = interests_of(
        history(*old, (2, 0, 0.1), (3, 0, 0.2), (2, 0, 0.3)), CATALOGUE, TYPES, NOW, kinds=["category"]
    )
    assert not found.quiet
    assert [interest.label for interest in found.rising()] == ["wine"]
    assert [interest.label for interest in found.falling()] == ["dairy"]


def test_nothing_rises_when_the_short_term_is_silent() -> None:
    found = interests_of(history((0, 0, 60), (2, 0, 59)), CATALOGUE, TYPES, NOW)
    assert found.quiet
    assert found.rising() == found.falling() == ()


def test_the_tail_counts_too() -> None:
    events = [(0, 0, 50 - day) for day in range(30)] + [(2, 0, 1.0)] * 5
    whole = by_label(interests_of(history(*events), CATALOGUE, TYPES, NOW), "category")
    bounded = by_label(interests_of(history(*events, window=5), CATALOGUE, TYPES, NOW), "category")
    assert bounded["dairy"].long == pytest.approx(whole["dairy"].long, rel=1e-6)
    assert bounded["dairy"].events == 0
    assert bounded["dairy"].items[0][0] == 0


def test_items_beyond_the_catalogue_and_other_columns_are_left_out() -> None:
    found = interests_of(history((77, 0, 0), (0, 0, 0)), CATALOGUE, TYPES, NOW)
    assert set(found.kinds) == {"category", "tags"}
    assert interests_of(EMPTY, CATALOGUE, TYPES, NOW).kinds == {}
    assert interests_of(history((0, 0, 0)), CATALOGUE, TYPES, NOW, kinds=["brand"]).kinds == {}


def test_half_lives_come_from_the_grid() -> None:
    assert fading([1.0], LONG).weights[0, 0].tolist() == [0, 0, 0, 0, 1, 0]
    assert fading([1.0], SHORT).weights[0, 0].tolist() == [0, 0, 1, 0, 0, 0]
    assert fading([1.0], float("inf")).weights[0, 0].tolist() == [0, 0, 0, 0, 0, 1]
