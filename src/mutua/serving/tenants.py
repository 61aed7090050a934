"""The services of a folder of stores: each opened when it is asked for, a bounded number at once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mutua.errors import MutuaError, Overloaded
from mutua.serving.running import Running, Upkeep
from mutua.serving.service import Service
from mutua.store.sqlite.folder import Folder

LOG = logging.getLogger("mutua.server")
MOST = 32
"""Tenants open at once: two threads, the profiles in use and up to 320 MiB of SQLite's cache each."""
LOOK = 1.0
"""Seconds between looks for tenants that were removed."""


@dataclass(eq=False)
class _Entry:
    """A tenant that is open or being opened."""

    opening: asyncio.Task[Running]
    wanted: int = 0
    ending: bool = False

    @property
    def running(self) -> Running | None:
        done = self.opening.done() and not self.opening.cancelled() and self.opening.exception() is None
        return self.opening.result() if done else None

    @property
    def idle(self) -> bool:
        found = self.running
        return found is not None and not self.wanted and not found.busy


class Tenants:
    """One service for each tenant of a folder. For one event loop.

    A tenant is opened by its first request. Where `most` are open, the one that was asked longest ago makes room,
    unless it answers a request, holds a stream or learns: nothing that runs is ever closed.

    Args:
        most: tenants open at once.
    """

    def __init__(self, folder: Folder, upkeep: Upkeep, most: int = MOST) -> None:
        self._folder, self._upkeep, self._most = folder, upkeep, most
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._closings: dict[str, asyncio.Task[None]] = {}
        self._held = 0
        self._ended = False

    @asynccontextmanager
    async def serving(self, tenant: str) -> AsyncIterator[Service]:
        """Yields the service of a tenant, which stays open inside the block.

        Raises:
            UnknownTenant: code `tenant.unknown`; the folder has no such store, and none is made.
            Overloaded: code `server.overloaded`; as many as can be open are in use, or the server is closing.
            StoreLocked: code `store.locked`, as do the other errors of opening a store.
        """
        entry = self._entries.get(tenant)
        if entry is None:
            entry = self._entries[tenant] = _Entry(asyncio.create_task(self._open(tenant)))
        self._entries.move_to_end(tenant)
        entry.wanted += 1
        try:
            running = entry.running
            if running is None:
                running = await asyncio.shield(entry.opening)
            yield running.service
        finally:
            entry.wanted -= 1

    def readiness(self) -> dict[str, Any]:
        """Returns whether requests can be answered, and how many tenants are open; no names."""
        return {"ready": not self._ended, "open": self._held, "most": self._most}

    async def keep_looking(self) -> None:
        """Closes tenants whose keys are gone, again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            self.look()

    def look(self) -> None:
        """Ends the streams of tenants whose keys are gone, and closes those that nothing runs in any more."""
        for tenant, entry in list(self._entries.items()):
            running = entry.running
            if running is None:
                continue
            if not entry.ending and not self._folder.place(tenant).keys.exists():
                entry.ending = True
                running.service.hub.close()
            if entry.ending and entry.idle:
                self._retire(tenant, running)

    async def close(self) -> tuple[str, ...]:
        """Closes all, lets no tenant be opened any more, and returns the URLs of the stores that were open."""
        self._ended = True
        await asyncio.gather(*(entry.opening for entry in self._entries.values()), return_exceptions=True)
        for tenant, entry in list(self._entries.items()):
            if entry.running is not None:
                self._retire(tenant, entry.running)
        closed = tuple(
            self._folder.url(tenant) for tenant in self._closings if self._folder.place(tenant).file.exists()
        )
        await asyncio.gather(*self._closings.values())
        return closed

    async def _open(self, tenant: str) -> Running:
        try:
            url = self._folder.url(tenant)
            while (closing := self._closings.get(tenant)) is not None:
                await closing
            await self._make_room()
            self._held += 1
            try:
                return await Running.open(url, tenant, self._upkeep)
            except BaseException:
                self._held -= 1
                raise
        except BaseException:
            del self._entries[tenant]
            raise

    async def _make_room(self) -> None:
        while self._held >= self._most or self._ended:
            idle = next(((name, entry.running) for name, entry in self._entries.items() if entry.idle), None)
            if not self._ended and idle is not None and idle[1] is not None:
                self._retire(idle[0], idle[1])
            if self._ended or not self._closings:
                came = "the server is closing" if self._ended else f"{self._held} tenants in use at once"
                raise Overloaded(came, f"at most {self._most}", "send the same request again after a second")
            await asyncio.wait(self._closings.values(), return_when=asyncio.FIRST_COMPLETED)

    def _retire(self, tenant: str, running: Running) -> None:
        del self._entries[tenant]
        self._closings[tenant] = asyncio.create_task(self._close(tenant, running))

    async def _close(self, tenant: str, running: Running) -> None:
        try:
            await running.close()
        except MutuaError as reason:
            LOG.error("a tenant was closed with a loss: %s", reason.code)
        finally:
            self._held -= 1
            del self._closings[tenant]
