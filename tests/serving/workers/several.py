"""One writer's desk and several services over it, on one loop: what travels goes through the real socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from mutua import Settings
from mutua.serving.service import Service
from mutua.serving.workers.desk import Desk
from mutua.serving.workers.link import Link
from mutua.serving.workers.table import Table
from mutua.store.sqlite.store import SqliteStore
from recommender_shop import NOW


class Site:
    """The desk of the writer, to be closed and opened again, and the services."""

    def __init__(self, folder: Path, room: Path) -> None:
        self.url, self.room = f"sqlite:///{folder / 'shop.db'}", room
        self.table = Table(room / "table")
        self.workers: list[Service] = []

    async def open(self) -> None:
        self.desk = Desk(lambda: SqliteStore.open(self.url, write=True), self.table)
        (self.room / "writer").unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self.desk.welcome, self.room / "writer")

    async def work(self) -> Service:
        number = len(self.workers)
        service = Service(
            self.url, Settings(), NOW, through=lambda found: Link(self.room / "writer", self.table, number, found)
        )
        self.workers.append(service)
        await service.writer.stands()
        return service

    async def close(self) -> None:
        """Ends the writer; its links break."""
        self._server.close()
        self.desk.close()
        for link in tuple(self.desk._links):
            link.close()
        await self.desk.left.wait()


@asynccontextmanager
async def several(folder: Path, count: int = 2) -> AsyncIterator[Site]:
    with tempfile.TemporaryDirectory(prefix="mutua-") as room:
        site = Site(folder, Path(room))
        await site.open()
        try:
            for _ in range(count):
                await site.work()
            yield site
        finally:
            for service in site.workers:
                service.close()
            await asyncio.sleep(0)
            await site.close()
            await asyncio.sleep(0)


def run(folder: Path, scenario: Callable[[Site], Awaitable[None]], count: int = 2) -> None:
    async def whole() -> None:
        async with several(folder, count) as site, asyncio.timeout(60):
            await scenario(site)

    asyncio.run(whole())
