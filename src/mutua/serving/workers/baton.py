"""What one of several processes holds at a time; one that dies drops it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mutua.errors import StoreLocked
from mutua.store.sqlite.lock import WriterLock

LOOK = 1.0
"""Seconds between tries to take it."""


class Baton:
    """A lock on a file, taken by whoever comes first. For one event loop."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock: WriterLock | None = None

    @property
    def held(self) -> bool:
        """Whether it is held here."""
        return self._lock is not None

    def take(self) -> bool:
        """Takes it if nobody holds it, and returns whether it is held here now."""
        if self._lock is None:
            try:
                self._lock = WriterLock(self._file)
            except StoreLocked:
                return False
        return True

    async def taken(self) -> None:
        """Returns when it is held here."""
        while not self.take():
            await asyncio.sleep(LOOK)

    def drop(self) -> None:
        """Lets another take it; dropping what is not held is harmless."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def __aenter__(self) -> None:
        await self.taken()

    async def __aexit__(self, *_: object) -> None:
        self.drop()
