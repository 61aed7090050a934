"""A reader who takes nothing more while something is being sent to him is dropped; he holds nothing and nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import WebSocket

from mutua import Recommender, Settings
from mutua.serving.http import streams
from mutua.serving.http.exchange import SERVICE
from mutua.serving.push.subscription import SLOW, Subscription
from mutua.serving.service import Service
from serving_shop import run

SOON = 20.0


class Stuck:
    """A connection that takes the beginning of an answer, and nothing of what follows."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning
        self._coming = ["websocket.connect"] if beginning.startswith("websocket") else []
        self.stuck = asyncio.Event()
        self._never = asyncio.Event()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] != self._beginning:
            self.stuck.set()
            await self._never.wait()

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._coming:
            await self._never.wait()
        return {"type": self._coming.pop()}


async def frames(reader: Subscription) -> AsyncIterator[bytes]:
    async with reader:
        async for _ in reader:
            yield b"a slate"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(streams, "PARTING", 0.01)
    with Recommender.open(f"sqlite:///{tmp_path / 'shop.db'}", settings=Settings()) as stocked:
        stocked.record({"user": "ann", "item": "milk", "type": "purchase"})
    return tmp_path


def test_one_who_is_stuck_in_a_stream_is_dropped(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        connection, reader = Stuck("http.response.start"), service.hub.subscribe("ann", 5, "default", None)
        scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
        answering = asyncio.create_task(
            streams.Pushing(frames(reader), reader)(scope, connection.receive, connection.send)
        )
        await asyncio.wait_for(connection.stuck.wait(), SOON)
        reader.end(SLOW)
        await asyncio.wait_for(answering, SOON)
        assert service.hub.counts().subscribers == 0

    run(shop, scenario)


def test_one_who_is_stuck_in_a_socket_is_dropped(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        connection = Stuck("websocket.accept")
        app = SimpleNamespace(state=SimpleNamespace(admits=lambda scope: True))  # noqa: ARG005
        scope = {"type": "websocket", "app": app, SERVICE: service, "path": "/", "headers": [], "query_string": b""}
        websocket = WebSocket(scope, connection.receive, connection.send)
        answering = asyncio.create_task(streams.socket(websocket, "ann", 5, "default", None))
        await asyncio.wait_for(connection.stuck.wait(), SOON)
        service.hub.close()
        await asyncio.wait_for(answering, SOON)
        assert service.hub.counts().subscribers == 0

    run(shop, scenario)
