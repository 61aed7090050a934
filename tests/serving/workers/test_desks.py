"""Desks of several tenants: opened by the first link, closed after the last; an opening that fails hurts nobody."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from mutua.errors import StoreLocked
from mutua.privacy.removal import remove_tenant
from mutua.serving import learning as background
from mutua.serving.messages import Question
from mutua.serving.running import Upkeep
from mutua.serving.service import Service
from mutua.serving.workers import baton as batons
from mutua.serving.workers.baton import Baton
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.lock import WriterLock, holder
from mutua.store.sqlite.store import SqliteStore
from serving_tenants import TENANTS, Server, built, key, run


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("desks"))


@pytest.fixture
def shops(stocked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stocked, tmp_path / "shops"))


def test_what_one_worker_acknowledged_the_other_shows_at_once(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        here, there = server.crew
        for tenant in TENANTS:
            async with here.serving(tenant) as first, there.serving(tenant) as second:
                for number in range(20):
                    done = await first.record([{"user": "ann", "item": f"new-{number}"}])
                    slate = await second.recommend(Question(user="ann"))
                    assert slate.profile_version == done.version
                    first, second = second, first

    run(shops, scenario, workers=2)


def test_a_store_is_let_go_once_no_worker_has_it_open(shops: Path) -> None:
    place = Folder(shops)

    async def scenario(server: Server) -> None:
        for tenants in server.crew:
            async with tenants.serving("acme"):
                assert holder(place.place("acme").lock)
        assert not holder(place.place("globex").lock)
        for tenants in server.crew:
            await tenants.close()
        async with asyncio.timeout(20):
            while holder(place.place("acme").lock):
                await asyncio.sleep(0.01)

    run(shops, scenario, workers=2)


def test_a_failed_opening_is_told_and_can_be_tried_again(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        lock = WriterLock(Folder(shops).place("acme").lock)
        for tenants in server.crew:
            with pytest.raises(StoreLocked):
                async with tenants.serving("acme"):
                    raise AssertionError("it was opened")
            async with tenants.serving("globex") as service:
                assert service.version > 0
        lock.release()
        async with server.tenants.serving("acme") as service:
            assert (await service.record([{"user": "ann", "item": "milk"}])).accepted == 1

    run(shops, scenario, workers=2)


def test_a_removed_tenant_that_comes_again_begins_anew(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        for tenants in server.crew:
            async with tenants.serving("acme") as service:
                await service.record([{"user": "ann", "item": "milk"}])
        removing = asyncio.create_task(asyncio.to_thread(remove_tenant, Folder(shops), "acme", now=0))
        while not removing.done():
            for tenants in server.crew:
                tenants.look()
            await asyncio.sleep(0.01)
        assert (await removing).left == ()
        SqliteStore.open(f"sqlite:///{shops}/acme.db", write=True).close()
        key(shops, "acme")
        for number, tenants in enumerate(server.crew):
            async with tenants.serving("acme") as service:
                assert service.writer.acknowledged("ann") == service.version == number
                await service.record([{"user": "ann", "item": "tea"}])

    key(shops, "acme")
    run(shops, scenario, workers=2)


def test_one_worker_learns_for_a_tenant_and_another_takes_over(shops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learning: list[Service] = []

    async def learn_once(service: Service, url: str) -> bool:
        learning.append(service)
        return url.endswith("acme.db")

    monkeypatch.setattr(background, "learn_once", learn_once)
    monkeypatch.setattr(background, "LOOK", 0.0)
    monkeypatch.setattr(batons, "LOOK", 0.0)

    async def scenario(server: Server) -> None:
        here, there = server.crew
        async with here.serving("acme") as first, there.serving("acme") as second:
            for service in (first, second):
                done = await service.record([{"user": "ann", "item": "milk"}])
                while len(learning) < done.accepted:
                    await asyncio.sleep(0)
            assert set(learning) == {first}
        learning.clear()
        await here.close()
        while not learning:
            await second.record([{"user": "ann", "item": "tea"}])
        assert set(learning) == {second}

    run(shops, scenario, workers=2, upkeep=Upkeep(schedule=background.Schedule(events=1)))


def test_a_baton_is_held_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutua.serving.workers.baton.LOOK", 0.0)

    async def scenario() -> None:
        one, other = Baton(tmp_path / "lead"), Baton(tmp_path / "lead")
        assert one.take()
        assert one.take()
        assert not other.take()
        waiting = asyncio.create_task(other.taken())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        one.drop()
        one.drop()
        await waiting
        assert other.held
        assert not one.take()
        other.drop()
        async with one:
            assert not other.take()
        assert other.take()

    asyncio.run(scenario())
