"""Checkpoints beside the running server: written when due, erased by forgetting, and a start from one answers alike."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from mutua.serving import checkpointing
from mutua.serving.checkpointing import LEAST, due, keep_checkpoints
from mutua.serving.service import Service
from recommender_shop import built
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
