"""Triggers: what counts as news of an item, for whom, and what never does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.clock import DAY, HOUR
from mutua.serving.push.audience import Audience
from mutua.serving.push.carts import Carts, Left
from mutua.serving.push.shelf import Shelf, Shown, in_stock
from mutua.serving.push.triggers import ItemChange, TriggerSettings, cart_trigger, triggers_of

NOW = 1_700_000_000_000_000
SETTINGS = TriggerSettings()


def audience() -> Audience:
    """Ann looks at tea only, bob at tea once and at ten sorts of coffee, cid looked at green tea a year ago."""
    found = Audience(NOW - DAY)
    found.moved("ann", "green tea", ["tea"], 1.0, NOW - HOUR)
    found.moved("bob", "green tea", ["tea"], 1.0, NOW - HOUR)
    for number in range(10):
        found.moved("bob", f"coffee {number}", ["coffee"], 1.0, NOW - HOUR)
    found.moved("cid", "green tea", ["tea"], 1.0, NOW - 365 * DAY)
    found.moved("dot", "green tea", ["tea"], -2.0, NOW - HOUR)
    return found


def told(before: Shown | None, after: Shown, settings: TriggerSettings = SETTINGS) -> list[tuple[str, str]]:
    change = ItemChange("green tea", before, after, NOW, 9)
    return [(trigger.kind, trigger.user) for trigger in triggers_of(change, audience(), settings)]


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ({"available": True}, True),
        ({"available": 0}, False),
        ({"stock": 3}, True),
        ({"stock": -1}, False),
        ({"availability": "In stock"}, True),
        ({"availability": "out_of_stock"}, False),
        ({"availability": " Sold-Out "}, False),
        ({"available": None, "stock": 0.0}, False),
        ({"available": 1, "stock": 0}, True),
        ({"colour": "green"}, None),
    ],
)
def test_whether_an_item_is_there(said: dict[str, Any], there: bool | None) -> None:
    assert in_stock(said, SETTINGS.stock) is there


def test_back_in_stock_is_told_to_those_who_care_now() -> None:
    assert told(Shown(in_stock=False), Shown(in_stock=True)) == [("back-in-stock", "bob"), ("back-in-stock", "ann")]
    assert not told(Shown(in_stock=None), Shown(in_stock=True))
    assert not told(Shown(in_stock=True), Shown(in_stock=False))
    assert not told(Shown(in_stock=True), Shown(in_stock=True))


def test_a_price_must_fall_by_the_share() -> None:
    assert {user for _, user in told(Shown(price=10.0), Shown(price=9.0))} == {"ann", "bob"}
    assert not told(Shown(price=10.0), Shown(price=9.01))
    assert not told(Shown(price=10.0), Shown(price=11.0))
    assert not told(Shown(price=None), Shown(price=1.0))
    assert not told(Shown(price=10.0), Shown(price=None))
    change = ItemChange("green tea", Shown(price=10.0), Shown(price=7.5), NOW, 9)
    first = next(triggers_of(change, audience(), SETTINGS))
    assert first.detail == {"before": 10.0, "after": 7.5, "share": 0.25}
    assert (first.time, first.sequence) == (NOW, 9)


def test_a_new_item_is_told_where_its_category_means_much() -> None:
    assert {user for _, user in told(None, Shown(categories=("tea",)))} == {"ann", "cid"}
    assert told(None, Shown(categories=("coffee", "tea"), in_stock=True)).count(("new-item", "bob")) == 1
    assert not told(None, Shown(categories=("tea",), in_stock=False))
    assert not told(None, Shown())
    assert not told(Shown(), Shown(categories=("tea",)))


def test_users_of_one_change_are_capped_and_the_latest_come_first() -> None:
    assert told(Shown(in_stock=False), Shown(in_stock=True), TriggerSettings(users=1)) == [("back-in-stock", "bob")]


def test_an_audience_is_bounded_and_forgets() -> None:
    found = Audience(NOW, each=2, places=4, users=10)
    for number in range(5):
        found.moved(f"u{number}", f"i{number}", ["c"], 1.0, NOW)
    assert [one.user for one in found.of_category("c", NOW)] == ["u4", "u3"]
    assert [len(list(found.of_item(f"i{number}", NOW))) for number in range(5)] == [0, 0, 0, 1, 1]
    assert len(found) == 3
    found.forget("u4")
    assert [one.user for one in found.of_category("c", NOW)] == ["u3"]
    halved = next(found.of_category("c", NOW + 30 * DAY))
    assert (halved.weight, halved.share) == (pytest.approx(0.5), pytest.approx(1.0))


def test_a_shelf_tells_what_stood_before_and_ignores_older_words() -> None:
    shelf = Shelf(SETTINGS.stock)
    assert shelf.say(5_000, {"price": 3, "category": "tea"}, NOW) == (None, Shown(3.0, None, ("tea",)))
    before, after = shelf.say(5_000, {"stock": 0}, NOW + 1)
    assert before == Shown(3.0, None, ("tea",))
    assert after == Shown(3.0, False, ("tea",))
    assert shelf.say(5_000, {"stock": 9}, NOW) == (after, after)
    assert shelf.say(5_000, {"price": None, "category": ["a", "b", "a"]}, NOW + 2)[1] == Shown(None, False, ("a", "b"))
    assert shelf.shown(4_999) is None
    assert shelf.shown(1 << 40) is None
    assert shelf.categories(7) == ()


def test_a_cart_is_abandoned_after_the_patience_unless_bought() -> None:
    carts = Carts(HOUR)
    carts.put(Left("ann", "tea", NOW, 1))
    carts.put(Left("ann", "cup", NOW, 2))
    carts.put(Left("bob", "tea", NOW, 3))
    carts.taken("ann", "tea", NOW + 1)
    carts.put(Left("bob", "tea", NOW + HOUR // 2, 4))
    assert carts.abandoned(NOW + HOUR - 1) == []
    assert [(left.user, left.item) for left in carts.abandoned(NOW + HOUR)] == [("ann", "cup")]
    late = carts.abandoned(NOW + 2 * HOUR)
    assert [(left.user, left.sequence) for left in late] == [("bob", 4)]
    assert carts.abandoned(NOW + DAY) == []
    trigger = cart_trigger(late[0], SETTINGS)
    assert (trigger.kind, trigger.time) == ("cart-abandoned", NOW + HOUR // 2 + HOUR)


def test_a_purchase_that_comes_before_the_cart_event_it_follows_counts() -> None:
    carts = Carts(HOUR)
    carts.taken("ann", "tea", NOW + 5)
    carts.put(Left("ann", "tea", NOW, 1))
    assert not len(carts)
    carts.put(Left("ann", "tea", NOW + 6, 2))
    assert len(carts) == 1


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans(), st.integers(0, 50))))
def test_carts_stay_bounded_and_agree_with_a_plain_reading(steps: list[tuple[str, str, bool, int]]) -> None:
    carts, put, taken = Carts(10, capacity=100), dict[tuple[str, str], int](), dict[tuple[str, str], int]()
    for number, (user, item, bought, time) in enumerate(steps):
        place = user, item
        if bought:
            carts.taken(user, item, time)
            taken[place] = max(taken.get(place, -1), time)
        else:
            carts.put(Left(user, item, time, number))
            put[place] = max(put.get(place, -1), time)
    left = {(one.user, one.item): one.time for one in carts.abandoned(40)}
    expected = {place: time for place, time in put.items() if taken.get(place, -1) < time <= 30}
    assert left == expected
    small = Carts(10, capacity=2)
    for number, (user, item, _, time) in enumerate(steps):
        small.put(Left(user, item, time, number))
    assert len(small) <= 2
