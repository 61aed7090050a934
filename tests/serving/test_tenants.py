"""The services of a folder: opened when asked for, a bounded number, never closed under a request."""

from __future__ import annotations

import asyncio
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from mutua.errors import Overloaded, StoreLocked, UnknownTenant
from mutua.privacy.removal import remove_tenant
from mutua.serving import learning as background
from mutua.serving.running import Upkeep
from mutua.serving.service import Service
from mutua.serving.tenants import Tenants
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.lock import WriterLock, holder
from mutua.store.sqlite.store import SqliteStore
from serving_tenants import Server, built, key, run


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("tenants"))


@pytest.fixture
def shops(stocked: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(stocked, tmp_path / "shops"))
    SqliteStore.open(f"sqlite:///{folder}/third.db", write=True).close()
    return folder


def open_now(folder: Path) -> set[str]:
    """The tenants whose writer's lock is held."""
    place = Folder(folder)
    return {tenant for tenant in place.tenants() if holder(place.place(tenant).lock) is not None}


def test_a_tenant_is_opened_once_however_many_ask(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        async def version() -> tuple[int, int]:
            async with server.tenants.serving("acme") as service:
                return id(service), service.version

        assert open_now(shops) == set()
        assert len(set(await asyncio.gather(*(version() for _ in range(20))))) == 1
        assert open_now(shops) == {"acme"}

    run(shops, scenario)
    assert open_now(shops) == set()


def test_the_one_asked_longest_ago_makes_room(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        for tenant in ("acme", "globex", "acme", "third"):
            async with server.tenants.serving(tenant):
                pass
            assert server.tenants.readiness()["open"] <= 2
        assert open_now(shops) == {"acme", "third"}
        async with server.tenants.serving("globex") as service:
            assert service.version > 0

    run(shops, scenario)


def test_nothing_that_runs_is_closed(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        async with server.tenants.serving("acme") as acme, server.tenants.serving("globex"):
            with pytest.raises(Overloaded, match="2 tenants in use"):
                async with server.tenants.serving("third"):
                    raise AssertionError("a third was opened")
            assert (await acme.record([{"user": "ann", "item": "milk"}])).accepted == 1
        async with server.tenants.serving("third"):
            assert server.tenants.readiness()["open"] == 2

    run(shops, scenario)


def test_who_learns_is_not_closed_and_tenants_learn_one_after_the_other(
    shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning: list[str] = []
    finish = asyncio.Event()

    async def learn_once(service: Service, url: str) -> bool:
        learning.append(service.store.address.stem)
        await finish.wait()
        return url.endswith(f"{learning[-1]}.db")

    monkeypatch.setattr(background, "learn_once", learn_once)
    monkeypatch.setattr(background, "LOOK", 0.0)

    async def scenario(server: Server) -> None:
        async def record(tenant: str) -> None:
            async with server.tenants.serving(tenant) as service:
                await service.record([{"user": "ann", "item": "milk"}])

        await record("acme")
        while not learning:
            await asyncio.sleep(0)
        for tenant in ("globex", "third"):
            await record(tenant)
        assert open_now(shops) == {"acme", "third"}
        assert learning == ["acme"]
        finish.set()
        while learning != ["acme", "third"]:
            await asyncio.sleep(0)

    run(shops, scenario, upkeep=Upkeep(schedule=background.Schedule(events=1)))


def test_asked_again_while_it_closes_it_is_opened_anew(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        async def ask(tenant: str) -> int:
            async with server.tenants.serving(tenant) as service:
                return (await service.record([{"user": "ann", "item": "milk"}])).version

        versions = [[await ask(tenant) for tenant in ("acme", "globex")] for _ in range(4)]
        assert all(later == [one + 1 for one in before] for before, later in pairwise(versions))

    run(shops, scenario, most=1)


def test_a_failed_opening_hurts_nobody_and_can_be_tried_again(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        lock = WriterLock(Folder(shops).place("acme").lock)
        for _ in range(3):
            with pytest.raises(StoreLocked):
                async with server.tenants.serving("acme"):
                    raise AssertionError("it was opened")
        lock.release()
        for tenant in ("acme", "globex"):
            async with server.tenants.serving(tenant) as service:
                assert service.version > 0

    run(shops, scenario)


def test_no_request_makes_a_tenant(shops: Path) -> None:
    ghost = key(shops, "ghost")

    async def scenario(server: Server) -> None:
        with pytest.raises(UnknownTenant):
            async with server.tenants.serving("ghost"):
                raise AssertionError("it was made")
        answer = await server.ask("GET", "/v1/trending", ghost)
        assert (answer.status, answer.json["code"]) == (404, "tenant.unknown")

    run(shops, scenario)
    assert not (shops / "ghost.db").exists()


def test_a_reader_who_goes_while_it_opens_leaves_it_to_the_others(shops: Path) -> None:
    async def scenario(server: Server) -> None:
        async def ask() -> int:
            async with server.tenants.serving("acme") as service:
                return service.version

        impatient, patient = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient > 0

    run(shops, scenario)


def test_a_removed_tenant_is_refused_at_once_its_streams_end_and_its_store_is_let_go(shops: Path) -> None:
    admin = key(shops, "acme")

    async def scenario(server: Server) -> None:
        looking = asyncio.create_task(server.tenants.keep_looking())
        stream = asyncio.create_task(server.ask("GET", "/v1/users/u0/stream", admin))
        while open_now(shops) != {"acme"}:
            await asyncio.sleep(0)
        done = await asyncio.to_thread(remove_tenant, Folder(shops), "acme", now=0)
        assert done.left == ()
        assert (await stream).status == 200
        assert (await server.ask("GET", "/v1/trending", admin)).status == 401
        looking.cancel()

    run(shops, scenario)
    assert Folder(shops).tenants() == ("globex", "third")


def test_none_is_opened_after_the_end(shops: Path) -> None:
    async def scenario() -> None:
        tenants = Tenants(Folder(shops), Upkeep())
        async with tenants.serving("acme"):
            pass
        await tenants.close()
        assert tenants.readiness()["ready"] is False
        with pytest.raises(Overloaded, match="closing"):
            async with tenants.serving("acme"):
                raise AssertionError("it was opened")

    asyncio.run(scenario())
    assert open_now(shops) == set()
