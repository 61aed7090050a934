"""The desks of several tenants in the writer's process: each opened by its first link, closed after its last."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable

from mutua.errors import MutuaError
from mutua.serving.workers.desk import Desk
from mutua.serving.workers.messages import FROM_WORKER, Failed, Hello, framed, frames
from mutua.serving.workers.table import Table
from mutua.store.sqlite.store import SqliteStore

REFUSED = 0
"""Stands for the number of the question in what is told to a link that finds no desk."""


class Desks:
    """Leads each link to the desk of its tenant. Made and used on one loop.

    Args:
        opened: opens the store of a tenant for writing, on that writer's thread; table: opens its table.
    """

    def __init__(self, opened: Callable[[str], SqliteStore], table: Callable[[str], Table]) -> None:
        self._opened, self._table = opened, table
        self._loop = asyncio.get_running_loop()
        self._desks: dict[str, Desk] = {}
        self._wanted: Counter[str] = Counter()
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._here = 0
        self.left = asyncio.Event()
        self.left.set()

    async def welcome(self, reader: asyncio.StreamReader, stream: asyncio.StreamWriter) -> None:
        """Serves one link until it ends, whose first word names its tenant."""
        first = await anext(frames(reader), b"")
        hello = FROM_WORKER.decode(first) if first else None
        if not isinstance(hello, Hello):
            stream.close()
            return
        tenant = hello.tenant
        self._wanted[tenant] += 1
        self._here += 1
        self.left.clear()
        try:
            desk = await self._desk(tenant)
        except MutuaError as reason:
            stream.write(framed(Failed.of(REFUSED, reason)))
        else:
            await desk.welcome(reader, stream, hello.worker)
        finally:
            stream.close()
            await self._leave(tenant)

    async def _desk(self, tenant: str) -> Desk:
        async with self._doors[tenant]:
            if tenant not in self._desks:
                self._desks[tenant] = await asyncio.to_thread(self._open, tenant)
            return self._desks[tenant]

    def _open(self, tenant: str) -> Desk:
        return Desk(lambda: self._opened(tenant), self._table(tenant), self._loop)

    async def _leave(self, tenant: str) -> None:
        self._wanted[tenant] -= 1
        async with self._doors[tenant]:
            if not self._wanted[tenant] and tenant in self._desks:
                await asyncio.to_thread(self._desks.pop(tenant).close)
        self._here -= 1
        if not self._here:
            self.left.set()

    def close(self) -> None:
        """Writes what is queued and closes all stores."""
        for desk in self._desks.values():
            desk.close()
