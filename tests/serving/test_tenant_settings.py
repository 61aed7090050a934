"""Settings of their own for each tenant: over those of all, followed without a restart, and nobody else's."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import serving_tenants
from mutua import Recommender
from mutua.config import Settings, load
from mutua.serving import settings as following
from mutua.serving.running import Upkeep
from serving_tenants import NOW, TENANTS, Server, built, key

OF_ALL = "[surfaces.home]\nwhere = ['category=acme-secret 0']\n[surfaces.cart]\npool = 50\n"

Run = Callable[..., Any]


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def run(request: pytest.FixtureRequest) -> Run:
    return partial(serving_tenants.run, workers=request.param)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("tenant-settings"))


@pytest.fixture
def shops(stocked: Path, tmp_path: Path) -> Path:
    (tmp_path / "mutua.toml").write_text(OF_ALL)
    return Path(shutil.copytree(stocked, tmp_path / "shops"))


def upkeep(shops: Path) -> Upkeep:
    def read(url: str) -> Settings:
        return load(shops.parent / "mutua.toml", {}, {"store": {"url": url}}).settings

    return Upkeep(read, now=NOW)


def rule(tenant: str, category: int) -> str:
    return f"[surfaces.home]\nwhere = ['category={tenant}-secret {category}']\n"


async def shown(server: Server, admin: str, surface: str = "home") -> set[str]:
    """The categories on a surface."""
    body = {"user": "nobody", "surface": surface, "n": 20}
    answer = await server.ask("POST", "/v1/recommend", admin, body)
    assert answer.status == 200, answer.json
    return {
        (await server.ask("GET", f"/v1/items/{entry['item']}", admin)).json["attributes"]["category"]
        for entry in answer.json["items"]
    }


def test_each_tenant_has_its_own_over_those_of_all(run: Run, shops: Path) -> None:
    keys = {name: key(shops, name) for name in TENANTS}
    (shops / "globex.toml").write_text(rule("globex", 1))

    async def scenario(server: Server) -> None:
        assert await shown(server, keys["globex"]) == {"globex-secret 1"}
        assert await shown(server, keys["acme"]) == {"acme-secret 0"}
        for admin in keys.values():
            assert len(await shown(server, admin, "cart")) == 2

    run(shops, scenario, upkeep=upkeep(shops))


def test_a_change_is_followed_and_a_bad_one_refused_without_touching_the_other(
    run: Run, shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name: key(shops, name) for name in TENANTS}
    own = shops / "globex.toml"
    own.write_text(rule("globex", 1))
    monkeypatch.setattr(following.follow_settings, "__defaults__", (0.01,))

    async def scenario(server: Server) -> None:
        async def notes(tenant: str) -> list[str]:
            return (await server.ask("GET", "/readyz", keys[tenant])).json["notes"]

        for tenant in TENANTS:
            await shown(server, keys[tenant])
        own.write_text("\n" + rule("globex", 0))
        async with asyncio.timeout(20):
            while await shown(server, keys["globex"]) != {"globex-secret 0"}:
                await asyncio.sleep(0.01)
        own.write_text("[surfaces.home]\nwhere = ['colour=red']\n")
        async with asyncio.timeout(20):
            while not await notes("globex"):
                await asyncio.sleep(0.01)
        assert "globex.toml, line 2" in (await notes("globex"))[0]
        assert await shown(server, keys["globex"]) == {"globex-secret 0"}
        assert await notes("acme") == []
        assert await shown(server, keys["acme"]) == {"acme-secret 0"}

    run(shops, scenario, upkeep=upkeep(shops))


def test_whose_own_are_wrong_is_not_opened_until_they_are_mended_and_others_are_served(run: Run, shops: Path) -> None:
    keys = {name: key(shops, name) for name in TENANTS}
    own = shops / "globex.toml"
    own.write_text("[surfaces.home]\ndiversity = 7\n")

    async def scenario(server: Server) -> None:
        answer = await server.ask("GET", "/v1/trending", keys["globex"])
        assert (answer.status, answer.json["code"]) == (503, "tenant.settings")
        assert "line 2" in answer.json["came"]
        assert (await server.ask("GET", "/v1/trending", keys["acme"])).status == 200
        own.write_text(rule("globex", 1))
        assert await shown(server, keys["globex"]) == {"globex-secret 1"}

    run(shops, scenario, upkeep=upkeep(shops))


def test_the_library_reads_the_same(shops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shops.parent)
    (shops / "globex.toml").write_text(rule("globex", 1))
    for tenant, items in (("globex", {"i1", "i3", "i5", "i7"}), ("acme", {"i0", "i2", "i4", "i6", "acme-own-item"})):
        with Recommender.open(f"sqlite:///{shops}/", tenant=tenant, now=NOW, write=False) as shop:
            assert set(shop.recommend("nobody", 20, surface="home").ids) == items
