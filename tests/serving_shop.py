"""The small shop, served: an application over its service, asked without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from mutua import Settings
from mutua.serving.http.app import application
from mutua.serving.http.guard import Rules
from mutua.serving.security.keys import KeyRing
from mutua.serving.service import Service
from recommender_shop import BY_SCORE, NOW

Result = TypeVar("Result")


@asynccontextmanager
async def served(folder: Path, settings: Settings) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    service = Service(f"sqlite:///{folder / 'shop.db'}", settings, NOW)
    try:
        transport = httpx.ASGITransport(
            application(service, Rules(KeyRing.load(folder / "shop.keys"))), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield service, client
    finally:
        service.close()


def run(
    folder: Path,
    scenario: Callable[[Service, httpx.AsyncClient], Awaitable[Result]],
    settings: Settings | None = None,
) -> Result:
    """Serves the shop in `folder`, runs a scenario against it, and returns what that returns."""

    async def whole() -> Result:
        async with served(folder, settings or BY_SCORE) as (service, client):
            return await scenario(service, client)

    return asyncio.run(whole())
