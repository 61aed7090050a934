"""The files of settings watched: a valid change counts from the next request on, another is refused with its line."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
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


async def follow_settings(
    service: Service, read: Callable[[], Settings], files: Sequence[Path], every: float = 0.5
) -> None:
    """Takes each new version of the files of settings into use, until cancelled.

    Args:
        read: reads the settings anew.
        files: what the first says counts first; any of them may be missing.
        every: seconds between looks at the files.
    """
    seen = [stamp(file) for file in files]
    while True:
        await asyncio.sleep(every)
        if (now := [stamp(file) for file in files]) != seen:
            seen = now
            renew(service, read, files)


def renew(service: Service, read: Callable[[], Settings], files: Sequence[Path]) -> bool:
    """Reads the settings and takes them into use; where they are refused, those before stay and `/readyz` says why."""
    try:
        service.configure(read())
    except MutuaError as reason:
        path = reason.came.partition(":")[0] if reason.came.startswith("surfaces.") else ""
        named = ((file.name, line_of(file, path)) for file in files if path)
        where = next((f"{name}, line {line}: " for name, line in named if line), "")
        service.refused_settings = f"{where}{reason}"
        LOG.error("the settings were refused, those before stay: %s", reason.code)
        return False
    LOG.info("new settings are in force")
    return True
