"""Checkpoints beside the running server and at its end: a process of its own writes them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterable

from mutua.errors import StoreError
from mutua.serving.service import Service
from mutua.store import checkpoints
from mutua.store.sqlite.store import SqliteStore

LOG = logging.getLogger("mutua.server")
LOOK = 10.0
"""Seconds between looks."""
LEAST, SHARE = 100_000, 10
"""Events since the last checkpoint that are worth one: so many, and a tenth of those in it."""
LAST = 15.0
"""Seconds that checkpoints may take at the end of a server."""


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


def last_checkpoints(urls: Iterable[str], within: float = LAST) -> bool:
    """Writes checkpoints of stores that are no longer served, where anything is new, and returns whether all were.

    Args:
        within: seconds for all; those not written by then stay as they were.
    """
    behind = [url for url in urls if _behind(url)]
    if not behind:
        return True
    command = [sys.executable, "-m", "mutua.store.checkpoints", *behind]
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, timeout=within, check=False)
    except subprocess.TimeoutExpired:
        LOG.warning("no checkpoint was written: it was not done within %.0f s", within)
        return False
    if done.returncode:
        LOG.error("no checkpoint was written: %s", done.stderr.decode(errors="replace")[-500:])
    return done.returncode == 0


def _behind(url: str) -> bool:
    """Whether a store has something new; not of one that is gone or cannot be read."""
    try:
        with SqliteStore.open(url) as store:
            return checkpoints.behind(store)
    except StoreError as reason:
        LOG.error("no checkpoint was written: %s", reason.code)
        return False
