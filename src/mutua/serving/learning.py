"""Learning in the background: a process of its own reads the store and publishes a model; the server swaps it in."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

import msgspec

from mutua.serving.foreseeing import Foreseeing
from mutua.serving.operations import PurgeModels
from mutua.serving.service import Service

LOG = logging.getLogger("mutua.server")
Turn = Callable[[], AbstractAsyncContextManager[None]]
LOOK = 1.0
"""Seconds between looks at whether it is time."""


@dataclass(frozen=True)
class Schedule:
    """When to learn again: after so many seconds or so many new events, whichever comes first; 0 for never.

    Args:
        drift: learn also when the model in force foresees what happens less well than it did.
    """

    seconds: float = 0.0
    events: int = 0
    drift: bool = False

    @property
    def wanted(self) -> bool:
        """Whether there is anything to wait for."""
        return self.seconds > 0 or self.events > 0 or self.drift

    def due(self, seconds: float, events: int, fallen: bool = False) -> bool:
        """Returns whether it is time, so long and so many events after the last start."""
        enough = 0 < self.seconds <= seconds or 0 < self.events <= events
        return events > 0 and (enough or (self.drift and fallen))


async def keep_learning(service: Service, url: str, schedule: Schedule, turn: Turn = nullcontext) -> None:
    """Learns again and again by the schedule, one process at a time, until cancelled.

    Args:
        turn: entered before each learning, when it is this service's turn.
    """
    loop = asyncio.get_running_loop()
    watch = Foreseeing(service.shop) if schedule.drift else None
    if watch is not None:
        service.foreseers.append(watch.before)
    started, version = loop.time(), 0 if not service.state.in_force.version else service.version
    while True:
        await asyncio.sleep(LOOK)
        fallen = watch is not None and watch.fallen
        if schedule.due(loop.time() - started, service.version - version, fallen):
            if watch is not None:
                watch.fallen = False
            started, version = loop.time(), service.version
            async with turn():
                await learn_once(service, url)


async def learn_once(service: Service, url: str) -> bool:
    """Learns in a process of its own and returns whether one was learned; its end never ends the server."""
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
        done, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        LOG.error("learning ended with status %d: %s", process.returncode, said.decode(errors="replace")[-500:])
        return False
    await service.call(PurgeModels())
    if not LEARNED.decode(done).serves:
        LOG.warning("a new model was not put in force: `mutua models list` says why")
    return True


class _Learned(msgspec.Struct):
    """What of the learner's answer the server reads."""

    serves: bool


LEARNED = msgspec.json.Decoder(_Learned)
