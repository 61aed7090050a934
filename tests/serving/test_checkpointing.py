"""Checkpoints of a server: written when due and at its end, erased by forgetting; a start from one answers alike."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from mutua.events.kinds import Interaction
from mutua.serving import checkpointing
from mutua.serving.checkpointing import LEAST, due, keep_checkpoints, last_checkpoints
from mutua.serving.service import Service
from mutua.store import checkpoints
from mutua.store.sqlite.store import SqliteStore
from recommender_shop import built
from serving_process import SERVER, SEVERAL, serving
from serving_shop import run


def test_when_one_is_due() -> None:
    assert not due(LEAST - 1, 0)
    assert due(LEAST, 0)
    assert not due(10_000_000 + LEAST, 10_000_000)
    assert due(11_000_000, 10_000_000)


def test_it_is_written_used_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpointing, "LEAST", 1)
    built(tmp_path)
    place = tmp_path / "shop.checkpoint"

    async def first(service: Service, client: httpx.AsyncClient) -> list[dict]:
        keeping = asyncio.create_task(keep_checkpoints(service, f"sqlite:///{tmp_path / 'shop.db'}"))
        async with asyncio.timeout(60):
            while service.state.checkpointed == 0:
                await asyncio.sleep(0.01)
        keeping.cancel()
        assert place.exists()
        return [(await client.get(f"/v1/users/u{user}/recommendations")).json()["items"] for user in range(5)]

    async def second(service: Service, client: httpx.AsyncClient) -> list[dict]:
        assert service.state.checkpointed == service.version
        found = [(await client.get(f"/v1/users/u{user}/recommendations")).json()["items"] for user in range(5)]
        assert (await client.delete("/v1/users/u1")).status_code == 200
        return found

    assert run(tmp_path, first) == run(tmp_path, second)
    assert not place.exists()


@pytest.mark.parametrize(
    ("code", "end"), [(SERVER, signal.SIGTERM), (SERVER, signal.SIGINT), (SEVERAL, signal.SIGTERM)]
)
def test_the_end_writes_one_of_all_that_came(tmp_path: Path, code: str, end: signal.Signals) -> None:
    with serving(tmp_path, code) as (server, url):
        sent = httpx.post(f"{url}/v1/events", json={"events": [{"user": "ann", "item": f"i{one}"} for one in range(5)]})
        assert sent.json()["accepted"] == 5
        server.send_signal(end)
        assert server.wait(60) == 0
    with SqliteStore.open(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        found = checkpoints.read(store)
    assert found is not None
    assert (found.last, len(found.tail["user"])) == (5, 0)


def test_the_last_one_is_bounded_in_time_and_leaves_the_one_before(tmp_path: Path) -> None:
    built(tmp_path)
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    assert not last_checkpoints([url], within=0)
    assert last_checkpoints([url])
    with SqliteStore.open(url, write=True) as store:
        before = checkpoints.read(store)
        store.log.append([Interaction(user="ann", item="milk")], recorded=store.log.newest_time())
        assert not last_checkpoints([url], within=0)
        after = checkpoints.read(store)
    assert before is not None
    assert after is not None
    assert after.last == before.last


def test_a_store_that_is_gone_has_no_last_one(tmp_path: Path) -> None:
    assert last_checkpoints([f"sqlite:///{tmp_path / 'gone.db'}"])
    assert not list(tmp_path.iterdir())
