"""Runs the server: one process, one loop, until it is told to end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import uvicorn
import uvloop

from mutua.config import Settings
from mutua.serving.http.app import application
from mutua.serving.learning import Schedule, keep_learning
from mutua.serving.service import Service

BACKLOG = 2_048
GRACE = 10
"""Seconds that requests under way have when the server is told to end."""


@dataclass(frozen=True)
class Place:
    """Where the server listens, and what it serves."""

    url: str
    host: str = "127.0.0.1"
    port: int = 8000


def run(place: Place, settings: Settings, schedule: Schedule, now: int | str | None = None) -> None:
    """Serves until SIGINT or SIGTERM; what was accepted is written before it returns.

    Raises:
        StoreLocked: code `store.locked`; another process writes to the store.
    """
    uvloop.run(_serve(place, settings, schedule, now))


async def _serve(place: Place, settings: Settings, schedule: Schedule, now: int | str | None) -> None:
    service = Service(place.url, settings, now)
    watching = [asyncio.create_task(service.follow_models())]
    if schedule.wanted:
        watching.append(asyncio.create_task(keep_learning(service, place.url, schedule)))
    try:
        await uvicorn.Server(_configured(place, service)).serve()
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        service.close()


def _configured(place: Place, service: Service) -> uvicorn.Config:
    """Access logs are off: they would hold ids of people."""
    return uvicorn.Config(
        application(service),
        host=place.host,
        port=place.port,
        access_log=False,
        log_level="warning",
        lifespan="off",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
    )
