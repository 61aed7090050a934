"""Checkpoints beside the running server: a process of its own writes one when enough came since the last."""

from __future__ import annotations

import asyncio
import logging
import sys

from mutua.serving.service import Service

LOG = logging.getLogger("mutua.server")
LOOK = 10.0
"""Seconds between looks."""
LEAST, SHARE = 100_000, 10
"""Events since the last checkpoint that are worth one: so many, and a tenth of those in it."""


def due(version: int, checkpointed: int) -> bool:
    """Returns whether it is time for a checkpoint.

    Args:
        version: the log's newest sequence number; checkpointed: that of the last checkpoint, 0 for none.
    """
    return version - checkpointed >= max(LEAST, checkpointed // SHARE)


async def keep_checkpoints(service: Service, url: str) -> None:
    """Writes a checkpoint whenever one is due, until cancelled."""
    place = service.store.address.checkpoint
    while True:
        if not place.exists():
            service.state.checkpointed = 0
        if due(service.version, service.state.checkpointed):
            await checkpoint(service, url)
        await asyncio.sleep(LOOK)


async def checkpoint(service: Service, url: str) -> bool:
    """Writes a checkpoint in a process of its own and returns whether it did; its end never ends the server."""
    version = service.version
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mutua.store.checkpoints", url, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    service.state.checkpointed = version
    if process.returncode:
        LOG.error("no checkpoint was written: %s", said.decode(errors="replace")[-500:])
    return process.returncode == 0
