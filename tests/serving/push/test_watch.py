"""The watch over a real store: triggers come from recorded events, at once or found late after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mutua.core.clock import DAY, HOUR, SECOND
from mutua.events.kinds import AnyEvent
from mutua.events.parsing import parse_event
from mutua.serving.push.triggers import Trigger, TriggerSettings
from mutua.serving.push.watch import Watch
from mutua.store.sqlite.store import SqliteStore

NOW = 1_700_000_000_000_000
TEA: list[dict[str, Any]] = [
    {"kind": "item-upsert", "item": "green", "attributes": {"category": "tea", "price": 10, "stock": 0}},
    {"kind": "item-upsert", "item": "black", "attributes": {"category": "tea", "price": 5, "available": True}},
    {"user": "ann", "item": "green", "type": "view"},
    {"user": "ann", "item": "black", "type": "addtocart"},
    {"user": "bob", "item": "mug", "type": "purchase"},
    {"user": "bob", "item": "green", "type": "skip"},
]


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


class Shop:
    """A store, a watch that is fed as a server feeds it, and a clock."""

    def __init__(self, path: Path, settings: TriggerSettings | None = None) -> None:
        self.store = SqliteStore.open(f"sqlite:///{path / 'shop.db'}", write=True)
        self.clock = Clock()
        self.watch = Watch(self.store, settings, self.clock)
        self.version = 0

    def record(self, *said: dict[str, Any], at: int | None = None) -> list[AnyEvent]:
        time = (self.clock.now if at is None else at) / SECOND
        events = [parse_event({"time": time, **one}, now=self.clock.now) for one in said]
        self.version = self.store.log.append(events, recorded=self.clock.now).last
        return events

    def feed(self, *said: dict[str, Any], at: int | None = None) -> list[tuple[str, str, str]]:
        return short(self.watch.moved(self.record(*said, at=at), self.version))

    def again(self) -> Watch:
        self.watch = Watch(self.store, None, self.clock)
        return self.watch


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    found = Shop(tmp_path)
    with found.store:
        yield found


def short(triggers: list[Trigger]) -> list[tuple[str, str, str]]:
    return [(trigger.kind, trigger.user, trigger.item) for trigger in triggers]


def upsert(item: str, **attributes: Any) -> dict[str, Any]:
    return {"kind": "item-upsert", "item": item, "attributes": attributes}


def test_recorded_events_become_triggers(shop: Shop) -> None:
    assert shop.feed(*TEA) == []
    assert shop.feed(upsert("green", stock=7)) == [("back-in-stock", "ann", "green")]
    assert shop.feed(upsert("green", stock=8)) == []
    assert shop.feed(upsert("green", price=8)) == [("price-fell", "ann", "green")]
    assert shop.feed(upsert("green", title="Green")) == []
    assert shop.feed(upsert("white", category="tea", price=3)) == [("new-item", "ann", "white")]
    assert shop.feed(upsert("white", price=2)) == []
    assert shop.watch.counts().found == 3


def test_one_commit_may_hold_cause_and_change(shop: Shop) -> None:
    assert shop.feed(*TEA, upsert("green", stock=1), upsert("green", stock=0), upsert("green", stock=1)) == [
        ("back-in-stock", "ann", "green"),
        ("back-in-stock", "ann", "green"),
    ]


def test_a_cart_is_swept_once_its_time_has_come(shop: Shop) -> None:
    shop.feed(*TEA)
    shop.clock.now += HOUR - 1
    assert shop.watch.sweep() == []
    shop.clock.now += 1
    left = shop.watch.sweep()
    assert short(left) == [("cart-abandoned", "ann", "black")]
    assert (left[0].sequence, left[0].detail) == (4, {"since": NOW / SECOND})
    assert shop.watch.sweep() == []


@pytest.mark.parametrize("kind", ["purchase", "order", "dislike", "return"])
def test_a_cart_that_was_emptied_or_bought_is_not(shop: Shop, kind: str) -> None:
    shop.feed(*TEA)
    shop.feed({"user": "ann", "item": "black", "type": kind})
    shop.clock.now += 2 * HOUR
    assert shop.watch.sweep() == []


def test_history_is_no_news(shop: Shop) -> None:
    shop.feed(*TEA, at=NOW - 10 * DAY)
    assert shop.feed(upsert("green", stock=1), at=NOW - 2 * DAY) == []
    assert shop.watch.sweep() == []


def test_a_user_who_refused_is_told_nothing_even_after_a_restart(shop: Shop) -> None:
    shop.feed(*TEA, {"kind": "consent", "user": "ann", "purpose": "personalise", "granted": False})
    assert shop.feed(upsert("green", stock=1)) == []
    shop.again().resume(shop.version)
    shop.feed(upsert("green", stock=0))
    assert shop.feed(upsert("green", stock=1)) == []
    shop.feed({"kind": "consent", "user": "ann", "purpose": "personalise", "granted": True}, upsert("green", stock=0))
    assert shop.feed(upsert("green", stock=1)) == [("back-in-stock", "ann", "green")]


def test_a_first_start_tells_nothing_old_and_goes_on_from_there(shop: Shop) -> None:
    shop.record(*TEA, upsert("green", stock=1))
    assert shop.again().resume(0) == []
    shop.feed(upsert("green", stock=0))
    assert shop.feed(upsert("green", stock=1)) == [("back-in-stock", "ann", "green")]
    shop.clock.now += HOUR
    assert short(shop.watch.sweep()) == [("cart-abandoned", "ann", "black")]


def test_what_was_recorded_before_a_crash_is_found_late_with_the_same_name(shop: Shop) -> None:
    shop.feed(*TEA)
    seen = shop.version
    live = shop.watch.moved(shop.record(upsert("green", stock=1)), shop.version)
    late = shop.again().resume(seen)
    assert [(one.kind, one.user, one.item, one.sequence) for one in late] == [
        (one.kind, one.user, one.item, one.sequence) for one in live
    ]
    assert shop.again().resume(shop.version) == []


def test_a_start_from_few_events_knows_what_stood_before_them(shop: Shop) -> None:
    shop.record(*TEA, {"user": "ann", "item": "green", "type": "view"})
    shop.again().resume(shop.version, recent=1)
    assert shop.feed(upsert("green", stock=1)) == [("back-in-stock", "ann", "green")]


def test_work_on_an_import_is_bounded(tmp_path: Path) -> None:
    shop = Shop(tmp_path, TriggerSettings(items=2))
    with shop.store:
        shop.feed(*TEA)
        new = [upsert(f"tea {number}", category="tea") for number in range(5)]
        assert len(shop.feed(*new)) == 2
        assert shop.watch.counts().skipped == 3


def test_a_forgotten_user_is_forgotten_here(shop: Shop) -> None:
    shop.feed(*TEA)
    shop.watch.forget("ann")
    shop.clock.now += HOUR
    assert shop.watch.sweep() == []
    assert shop.feed(upsert("green", stock=1)) == []
