"""Versions of the model over HTTP: told, rolled back at once, pinned; and the watch that asks to learn again."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mutua.feedback.drift import Fall
from mutua.serving.foreseeing import Foreseeing
from mutua.serving.learning import Schedule
from mutua.serving.service import Service
from recommender_shop import built, copied, open_shop
from serving_shop import run


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = built(tmp_path_factory.mktemp("versions"))
    with open_shop(folder) as shop:
        shop.learn("popularity")
    return folder


def test_versions_are_told_rolled_back_and_pinned(stocked: Path, tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        async def serving() -> str:
            return (await client.get("/v1/users/u0/recommendations")).json()["model_version"]

        assert await serving() == "000002"
        assert (await client.post("/v1/models/rollback")).json() == {"before": "000002", "current": "000001"}
        assert await serving() == "000001"
        assert (await client.put("/v1/models/pin")).json() == {"current": "000001", "pinned": True}
        first, second = (await client.get("/v1/models")).json()["versions"]
        assert (first["current"], first["pinned"], second["rejected"]) == (True, True, True)
        assert second["verdict"]["decision"] == "not judged"
        assert (await client.delete("/v1/models/pin")).json() == {"current": "000001", "pinned": False}
        assert (await client.post("/v1/models/rollback?version=000002")).json()["current"] == await serving()
        for wrong in ("000009", "x"):
            refused = await client.post("/v1/models/rollback", params={"version": wrong})
            assert 400 <= refused.status_code < 500
            assert refused.json()["code"]

    run(copied(stocked, tmp_path), scenario)


def test_the_watch_sees_whether_what_comes_was_foreseen(stocked: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("mutua.serving.foreseeing.EVERY", 0.0)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        watch = Foreseeing(service.shop)
        service.foreseers.append(watch.before)
        for number in range(8):
            await service.record([{"user": "u0", "item": "a-grocery-1", "type": "purchase", "id": f"g{number}"}])
        assert watch.hit_rate == 1.0
        assert not watch.fallen
        await service.record([{"user": "u0", "item": "never seen before", "type": "purchase"}])
        assert watch.hit_rate == pytest.approx(8 / 9)

    run(copied(stocked, tmp_path), scenario)


def test_after_a_fall_the_watch_begins_anew(stocked: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("mutua.serving.foreseeing.EVERY", 0.0)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        watch = Foreseeing(service.shop)
        watch._fall = Fall(limit=2.0, least=4)
        service.foreseers.append(watch.before)
        for number in range(40):
            item = "a-grocery-1" if number % 4 else "seldom"
            await service.record([{"user": "u0", "item": item, "type": "purchase", "id": f"g{number}"}])
        assert not watch.fallen
        while not watch.fallen:
            await service.record([{"user": "u0", "item": f"never seen {service.version}", "type": "purchase"}])
        assert watch.hit_rate == 0.0
        watch.fallen = False
        for number in range(20):
            await service.record([{"user": "u0", "item": f"nor this {number}", "type": "purchase"}])
        assert not watch.fallen

    run(copied(stocked, tmp_path), scenario)


def test_a_fall_makes_it_time_to_learn_where_that_is_wanted() -> None:
    assert Schedule(drift=True).wanted
    assert Schedule(drift=True).due(0.0, 1, fallen=True)
    assert not Schedule(drift=True).due(1e9, 1, fallen=False)
    assert not Schedule(seconds=1e9).due(1.0, 1, fallen=True)
