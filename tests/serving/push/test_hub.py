"""The hub: who is told what, once, in order; nobody waits for a slow reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mutua.errors import ConfigError, Overloaded
from mutua.serving.push.hub import Hub, PushSettings
from mutua.serving.push.subscription import Heartbeat, Pushed, Subscription
from mutua.slates import Slate, SlateItem


class Shop:
    """Lists that tests set by hand, and how often each user's was asked for."""

    def __init__(self) -> None:
        self.lists: dict[str, str] = {}
        self.version = 1
        self.asked: list[str] = []
        self.broken: set[str] = set()

    def slate(self, user: str, n: int, surface: str) -> Slate:
        self.asked.append(user)
        if user in self.broken:
            raise ConfigError(f"surface {surface!r}", "a surface", "name another")
        items = tuple(SlateItem(item, 1.0) for item in self.lists.get(user, "abcd")[:n])
        return Slate("s", user, items, surface, profile_version=self.version)

    def move(self, hub: Hub, user: str, items: str) -> None:
        self.lists[user] = items
        self.version += 1
        hub.moved([user], self.version)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        await asyncio.wait_for(test(), 60)

    asyncio.run(within())


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def slate(reader: Subscription) -> Pushed:
    item = await anext(reader)
    assert isinstance(item, Pushed)
    return item


def test_a_reader_gets_the_current_slate_and_then_those_that_changed() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate)
        async with hub.subscribe("ann", 4) as reader:
            first = await slate(reader)
            assert first.slate.ids == tuple("abcd")
            shop.move(hub, "ann", "bacd")
            second = await slate(reader)
            assert second.slate.ids == tuple("bacd")
            assert second.changes.rose == ("b",)
            assert second.changes.fell == ("a",)
            assert second.id.startswith("2-")
            assert second.version == 2
        assert reader.reason == "left"
        assert hub.counts().subscribers == 0

    run(test)


def test_what_changed_too_little_waits_until_it_adds_up() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate, PushSettings(threshold=0.5))
        reader = hub.subscribe("ann", 4)
        await slate(reader)
        shop.move(hub, "ann", "abce")
        await turns()
        assert hub.counts().pushed == 1
        shop.move(hub, "ann", "abfe")
        assert (await slate(reader)).changes.left == ("c", "d")

    run(test)


def test_a_burst_is_computed_once_and_several_readers_share_it() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate)
        readers = [hub.subscribe("ann", 4) for _ in range(3)]
        for reader in readers:
            await slate(reader)
        shop.asked.clear()
        for number in range(50):
            shop.move(hub, "ann", f"b{number % 10}ac")
        hub.moved(["bob"] * 100, shop.version)
        assert hub.counts().waiting == 1
        got = [await slate(reader) for reader in readers]
        await turns()
        assert shop.asked == ["ann"]
        assert {one.slate.ids for one in got} == {tuple("b9ac")}
        assert all(not reader.reason for reader in readers)

    run(test)


def test_lists_of_other_lengths_and_surfaces_are_computed_apart() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate)
        short, long = hub.subscribe("ann", 2, "cart"), hub.subscribe("ann", 4)
        await slate(short), await slate(long)
        shop.move(hub, "ann", "abdc")
        assert (await slate(long)).slate.surface == "default"
        await turns()
        assert hub.counts().pushed == 3
        shop.move(hub, "ann", "badc")
        assert (await slate(short)).slate.surface == "cart"

    run(test)


def test_a_slow_reader_is_dropped_and_the_others_go_on() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate, PushSettings(depth=2))
        slow, quick = hub.subscribe("ann", 4), hub.subscribe("ann", 4)
        got = [await slate(quick)]
        for number in range(4):
            shop.move(hub, "ann", f"{number}abc")
            got.append(await slate(quick))
        assert [one.slate.ids[0] for one in got] == ["a", "0", "1", "2", "3"]
        assert slow.reason == "slow"
        assert await slow.ended == "slow"
        assert [item async for item in slow] == []
        counts = hub.counts()
        assert (counts.subscribers, counts.dropped) == (1, 1)

    run(test)


def test_who_comes_back_gets_only_what_he_does_not_have() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate, PushSettings(heartbeat=0.001))
        reader = hub.subscribe("ann", 4)
        last = (await slate(reader)).id
        reader.close()

        async with hub.subscribe("ann", 4, last_id=last) as same:
            assert isinstance(await anext(same), Heartbeat)

        shop.move(hub, "ann", "abdc")
        async with hub.subscribe("ann", 4, last_id=last) as later:
            back = await slate(later)
        assert back.slate.ids == tuple("abdc")
        assert back.changes.rose == ("d",)
        assert not back.changes.entered

        elsewhere = Hub(shop.slate, PushSettings(heartbeat=0.001))
        async with elsewhere.subscribe("ann", 4, last_id=back.id) as other:
            assert isinstance(await anext(other), Heartbeat)
        async with elsewhere.subscribe("ann", 4, last_id="not an id") as unknown:
            assert (await slate(unknown)).changes.entered == tuple("abdc")

    run(test)


def test_a_list_that_changed_at_the_same_profile_has_another_id() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate)
        reader = hub.subscribe("ann", 4)
        first = await slate(reader)
        shop.lists["ann"] = "dcba"
        hub.all_moved(7)
        second = await slate(reader)
        assert first.id != second.id
        assert first.slate.profile_version == second.slate.profile_version
        assert second.version == 7

    run(test)


def test_the_memory_of_lists_is_bounded() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate, PushSettings(remembered=2))
        ids = {}
        for user in ("ann", "bob", "cid"):
            async with hub.subscribe(user, 4) as reader:
                ids[user] = (await slate(reader)).id
        shop.lists = dict.fromkeys(ids, "bacd")
        told = {}
        for user, last in ids.items():
            async with hub.subscribe(user, 4, last_id=last) as reader:
                told[user] = (await slate(reader)).changes.entered
        assert told["ann"] == tuple("bacd")
        assert hub.subscribe("cid", 4, last_id=ids["cid"]).key == ("cid", 4, "default")
        assert len(hub._remembered) == 2

    run(test)


def test_limits_in_all_and_per_user() -> None:
    async def test() -> None:
        hub = Hub(Shop().slate, PushSettings(readers=3, each=2))
        hub.subscribe("ann"), hub.subscribe("ann")
        with pytest.raises(Overloaded, match="2 of a user"):
            hub.subscribe("ann")
        last = hub.subscribe("bob")
        with pytest.raises(Overloaded):
            hub.subscribe("cid")
        last.close()
        last.close()
        hub.subscribe("cid")
        assert hub.counts().subscribers == 3

    run(test)


def test_closing_lets_readers_finish_and_admits_nobody() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate)
        reader, idle = hub.subscribe("ann", 4), hub.subscribe("bob", 4)
        await slate(idle)
        waiting = asyncio.ensure_future(anext(idle))
        await turns()
        hub.close()
        hub.close()
        assert [item.slate.ids async for item in reader if isinstance(item, Pushed)] == [tuple("abcd")]
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert reader.reason == idle.reason == "closed"
        with pytest.raises(Overloaded, match="closing"):
            hub.subscribe("ann")

    run(test)


def test_a_slate_that_cannot_be_made_ends_its_stream_only() -> None:
    async def test() -> None:
        shop = Shop()
        hub = Hub(shop.slate)
        bad, good = hub.subscribe("ann", 4), hub.subscribe("bob", 4)
        await slate(bad), await slate(good)
        shop.broken.add("ann")
        shop.move(hub, "ann", "dcba")
        shop.move(hub, "bob", "dcba")
        assert (await slate(good)).slate.ids == tuple("dcba")
        assert await bad.ended == "failed"
        with pytest.raises(ConfigError):
            hub.subscribe("ann", 4)
        assert hub.counts().subscribers == 1

    run(test)


def test_an_erased_user_is_followed_and_remembered_no_more() -> None:
    async def test() -> None:
        hub = Hub(Shop().slate)
        reader = hub.subscribe("ann", 4)
        hub.forget("ann")
        assert reader.reason == "left"
        assert not hub._remembered

    run(test)
