"""The settings file: a valid change counts at once, another is refused with its line and told of."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from mutua.config import Settings, load
from mutua.serving.service import Service
from mutua.serving.settings import follow_settings, renew
from recommender_shop import built, copied
from serving_shop import run

HOME = '[surfaces.home]\nwhere = ["category=book 0"]\n'


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("settings"))


def reading(file: Path) -> Settings:
    return load(file, environment={}).settings


def test_a_surface_is_changed_without_a_restart(stocked: Path, tmp_path: Path) -> None:
    shop, file = copied(stocked, tmp_path), tmp_path / "mutua.toml"
    file.write_text(HOME)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        async def shown() -> set[str]:
            answer = await client.post("/v1/recommend", json={"user": "u0", "surface": "home"})
            return {entry["item"].rpartition("-")[0] for entry in answer.json()["items"]}

        watching = asyncio.create_task(follow_settings(service, lambda: reading(file), [file], every=0.01))
        await asyncio.sleep(0.05)
        assert await shown() == {"a-book"}
        file.write_text(HOME.replace("book 0", "grocery 1"))
        async with asyncio.timeout(10):
            while await shown() == {"a-book"}:
                assert not watching.done(), watching.exception()
                await asyncio.sleep(0.01)
        assert await shown() == {"b-grocery"}
        watching.cancel()

    run(shop, scenario, settings=reading(file))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[surfaces.home]\ndiversity = 2\n", "line 2"),
        ("[surfaces.home]\n\nwhere = ['=']\n", "line 3"),
        ("[surfaces.home]\n[surfaces.cart]\nranker = 'best'\n", "line 3"),
        ("[surfaces.home]\n[surfaces.cart]\nwhere = ['colour=red']\n", "line 3"),
        ("[surfaces.home]\n[surfaces.cart]\npool = 1\n", "line 3"),
        ("[types.stare]\nweight = 1\n", "restart"),
        ("[surfaces.home\n", "TOML"),
    ],
)
def test_a_bad_change_is_refused_and_the_settings_before_stay(
    stocked: Path, tmp_path: Path, text: str, why: str
) -> None:
    shop, file = copied(stocked, tmp_path), tmp_path / "mutua.toml"
    file.write_text(HOME)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        file.write_text(text)
        assert not renew(service, lambda: reading(file), [file])
        (note,) = (await client.get("/readyz")).json()["notes"]
        assert why in note
        assert (await client.post("/v1/recommend", json={"surface": "home"})).status_code == 200
        file.write_text(HOME)
        assert renew(service, lambda: reading(file), [file])
        assert (await client.get("/readyz")).json()["notes"] == []

    run(shop, scenario, settings=reading(file))
