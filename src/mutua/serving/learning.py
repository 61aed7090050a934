"""Learning in the background: a process of its own reads the store and publishes a model; the server swaps it in."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mutua.serving.operations import PurgeModels
from mutua.serving.service import Service

LOG = logging.getLogger("mutua.server")
Turn = Callable[[], AbstractAsyncContextManager[None]]
LOOK = 1.0
"""Seconds between looks at whether it is time."""


@dataclass(frozen=True)
class Schedule:
    """When to learn again: after so many seconds or so many new events, whichever comes first; 0 for never."""

    seconds: float = 0.0
    events: int = 0

    @property
    def wanted(self) -> bool:
        """Whether there is anything to wait for."""
        return self.seconds > 0 or self.events > 0

    def due(self, seconds: float, events: int) -> bool:
        """Returns whether it is time, so long and so many events after the last start."""
        return events > 0 and (0 < self.seconds <= seconds or 0 < self.events <= events)


async def keep_learning(service: Service, url: str, schedule: Schedule, turn: Turn = nullcontext) -> None:
    """Learns again and again by the schedule, one process at a time, until cancelled.

    Args:
        turn: entered before each learning, when it is this service's turn.
    """
    loop = asyncio.get_running_loop()
    started, version = loop.time(), 0 if not service.state.in_force.version else service.version
    while True:
        await asyncio.sleep(LOOK)
        if schedule.due(loop.time() - started, service.version - version):
            started, version = loop.time(), service.version
            async with turn():
                await learn_once(service, url)


async def learn_once(service: Service, url: str) -> bool:
    """Learns in a process of its own and returns whether a model was published; its end never ends the server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mutua",
        "--store",
        url,
        "--json",
        "learn",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        LOG.error("learning ended with status %d: %s", process.returncode, said.decode(errors="replace")[-500:])
        return False
    await service.call(PurgeModels())
    return True
