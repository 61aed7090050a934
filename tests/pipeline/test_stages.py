import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.catalog.table import AttributeTable, Labels
from mutua.errors import UsageError
from mutua.pipeline.constraints import capped, pinned
from mutua.pipeline.rerank import boosted, diverse, likeness
from mutua.pipeline.spec import Boost

LABELS = Labels(np.array([0, 0, 0, 1, 1, -1], np.int32), ("dairy", "bakery"))
CATALOG = AttributeTable(6, {"category": LABELS})
POOL = np.arange(6, dtype=np.int32)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.integers(1, 20))
def test_without_diversity_the_order_is_that_of_relevance(values: list[float], n: int) -> None:
    relevance = np.array(values, np.float32)
    order = diverse(relevance, np.eye(len(values), dtype=np.float32), n, 0.0)
    assert sorted(order.tolist()) == list(range(len(values)))
    assert (np.diff(relevance[order]) <= 0).all()


def test_diversity_takes_another_category_second() -> None:
    relevance = np.array([1.0, 0.9, 0.8, 0.5, 0.4, 0.1], np.float32)
    alike = likeness(POOL, CATALOG, None)
    assert diverse(relevance, alike, 3, 0.0).tolist()[:3] == [0, 1, 2]
    assert LABELS.codes[diverse(relevance, alike, 3, 0.6)[1]] != LABELS.codes[0]


def test_likeness_is_symmetric_and_missing_labels_are_unlike() -> None:
    alike = likeness(POOL, CATALOG, None)
    assert np.array_equal(alike, alike.T)
    assert alike[0, 1] == 1
    assert alike[5, 5] == 0


def test_a_boost_multiplies_relevance_of_matching_items_only() -> None:
    scores = np.array([6, 5, 4, 3, 2, 1], np.float32)
    plain = boosted(POOL, scores, (), CATALOG)
    raised = boosted(POOL, scores, (Boost("category=bakery", 3.0),), CATALOG)
    assert np.allclose(raised[3:5], 3 * plain[3:5])
    assert np.array_equal(raised[[0, 1, 2, 5]], plain[[0, 1, 2, 5]])


@given(st.permutations(range(6)), st.integers(1, 6), st.integers(1, 3))
def test_caps_hold_and_keep_the_order(order: list[int], n: int, cap: int) -> None:
    kept = capped(np.array(order), POOL, n, {"category": cap}, CATALOG)
    codes = LABELS.codes[POOL[kept]]
    assert len(kept) <= n
    assert all((codes == code).sum() <= cap for code in (0, 1))
    assert [order.index(place) for place in kept] == sorted(order.index(place) for place in kept)


def test_a_cap_on_a_missing_column_is_refused() -> None:
    with pytest.raises(UsageError, match="category"):
        capped(np.arange(6), POOL, 3, {"brand": 1}, CATALOG)


@given(st.dictionaries(st.integers(1, 5), st.integers(0, 9), max_size=3), st.integers(1, 5))
def test_pins_stand_at_their_positions(pins: dict[int, int], n: int) -> None:
    slate = pinned(np.arange(20, 30, dtype=np.int32), pins, n).tolist()
    assert len(slate) == n
    assert all(slate[position - 1] == item for position, item in pins.items() if position <= n)
