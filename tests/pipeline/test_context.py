"""The context of a request: seeds, candidates, and words that rules wait for."""

from __future__ import annotations

from typing import Any

import pytest
from test_pipeline_run import CATALOG

from mutua.errors import UsageError
from mutua.pipeline.context import Context, grounded, happening, read_context
from mutua.pipeline.spec import Boost, Surface


def test_a_context_is_read() -> None:
    found = read_context({"item": "i3", "cart": ["a", "b"], "items": ["x"], "store": "north", "budget": 5, "vip": True})
    assert found == Context("i3", ("a", "b"), ("x",), {"store": "north", "budget": "5", "vip": "true"})
    assert found.seeds == ("i3", "b", "a")
    assert [(event.item, event.type) for event in happening(found, None)] == [
        ("a", "cart"),
        ("b", "cart"),
        ("i3", "view"),
    ]


@pytest.mark.parametrize(
    "bad", [{"item": 3}, {"cart": "milk"}, {"items": [1]}, {"items": ["x"] * 1_001}, {"store": {}}]
)
def test_what_is_no_context_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="context"):
        read_context(bad)


def test_rules_wait_for_words_and_for_attributes_of_the_item() -> None:
    surface = Surface(where=("category={item.category}", "price<={budget}"), boosts=(Boost("brand={item.brand}", 2.0),))
    whole = grounded(surface, read_context({"item": "i4", "budget": 6.5}), CATALOG, 4)
    assert whole.where == ("category=bakery", "price<=6.5")
    assert whole.boosts == (Boost("brand=b", 2.0),)
    assert grounded(Surface(), Context(), CATALOG, None) == Surface()


def test_a_rule_on_what_the_item_does_not_have_holds_for_everything() -> None:
    surface = Surface(where=("category={item.category}", "available"), boosts=(Boost("price={item.price}", 2.0),))
    for item in (10, None):
        whole = grounded(surface, Context(item="i10"), CATALOG, item)
        assert whole.where == ("available",)
        assert whole.boosts == ()


def test_a_word_that_is_not_said_is_asked_for() -> None:
    with pytest.raises(UsageError, match="budget"):
        grounded(Surface(where=("price<={budget}",)), Context(item="i1"), CATALOG, 1)
