"""The settings file watched: a valid change counts from the next request on, another is refused with its line."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from mutua.config import Settings, line_of
from mutua.errors import MutuaError
from mutua.serving.service import Service

LOG = logging.getLogger("mutua.server")
Stamp = tuple[int, int]
NO_FILE: Stamp = (0, 0)


def stamp(file: Path) -> Stamp:
    """Returns a value that differs once the file is another; the same for every file that is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return NO_FILE
    return found.st_ino, found.st_mtime_ns


async def follow_settings(service: Service, read: Callable[[], Settings], file: Path, every: float = 0.5) -> None:
    """Takes each new version of the settings file into use, until cancelled.

    Args:
        read: reads the settings anew.
        every: seconds between looks at the file.
    """
    seen = stamp(file)
    while True:
        await asyncio.sleep(every)
        if (now := stamp(file)) != seen:
            seen = now
            renew(service, read, file)


def renew(service: Service, read: Callable[[], Settings], file: Path) -> bool:
    """Reads the settings and takes them into use; where they are refused, those before stay and `/readyz` says why."""
    try:
        service.configure(read())
    except MutuaError as reason:
        line = line_of(file, reason.came.partition(":")[0]) if reason.came.startswith("surfaces.") else 0
        service.refused_settings = f"{file.name}, line {line}: {reason}" if line else str(reason)
        LOG.error("the settings were refused, those before stay: %s", reason.code)
        return False
    LOG.info("new settings are in force")
    return True
