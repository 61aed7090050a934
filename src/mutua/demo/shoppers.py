"""Shoppers against a running server: each asks what to buy, buys what it bought, and the household followed watches."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic, perf_counter, sleep

from rich.table import Table

from mutua.client import AsyncClient, Client, Retry
from mutua.demo.board import Board
from mutua.demo.visits import ToCome, Visit
from mutua.errors import ServerUnreachable

AT_ONCE = 16
"""Shoppers in the shop at a time."""
LENGTH = 10
REFRESH = 0.25
"""Seconds between looks at the board."""
PATIENT = Retry(attempts=8)
PAUSE = 0.05
"""Seconds between looks at a server that starts."""


def most_faithful(visits: Sequence[Visit]) -> str:
    """Returns the household that comes most often; of those alike the first."""
    return Counter(visit.user for visit in visits).most_common(1)[0][0] if visits else ""


def ready(url: str, patience: float, ended: Callable[[], int | None]) -> None:
    """Waits until a server is ready.

    Args:
        patience: seconds, at most; ended: returns the status of the server's process, None while it runs.

    Raises:
        ServerUnreachable: code `server.unreachable`; it ended, or was not ready in time.
    """
    until = monotonic() + patience
    with Client(url, retry=Retry(attempts=1)) as client:
        while ended() is None and monotonic() < until:
            try:
                if client.ready().ready:
                    return
            except ServerUnreachable:
                sleep(PAUSE)
    raise ServerUnreachable(f"a server on {url} that is not ready", "a free port", "choose another with --port")


async def open_doors(url: str, coming: ToCome, speed: float, show: Callable[[Table], None]) -> Board:
    """Replays the visits until they are over or the task is cancelled, and returns the board.

    Args:
        url: of the server.
        speed: seconds of the shop's time in one second.
        show: shows the board, several times a second.
    """
    board = Board(most_faithful(coming.visits), coming.names)
    async with AsyncClient(url, retry=PATIENT) as client:
        if coming.news:
            await client.patch_items(coming.news)
        watching = [asyncio.create_task(_watch(client, board)), asyncio.create_task(_show(board, show))]
        try:
            await _walk(client, coming.visits, speed, board)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
    return board


async def _walk(client: AsyncClient, visits: Sequence[Visit], speed: float, board: Board) -> None:
    began, room = perf_counter(), asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for visit in visits:
            due = (visit.time - visits[0].time) / speed
            await asyncio.sleep(max(0.0, began + due - perf_counter()))
            await room.acquire()
            group.create_task(_shop(client, visit, board, room))


async def _shop(client: AsyncClient, visit: Visit, board: Board, room: asyncio.Semaphore) -> None:
    try:
        slate = await client.recommend(visit.user, LENGTH)
        began = perf_counter()
        board.sent(visit.user)
        await client.record(visit.events(slate.slate))
        waited = perf_counter() - began
    finally:
        room.release()
    bought = {item for item, _ in visit.items}
    board.visited(visit.time, len(visit.items), len(bought.intersection(slate.ids)), waited)


async def _watch(client: AsyncClient, board: Board) -> None:
    async for push in client.stream(board.followed, n=LENGTH):
        board.pushed(push.slate.ids)


async def _show(board: Board, show: Callable[[Table], None]) -> None:
    while True:
        show(board.table())
        await asyncio.sleep(REFRESH)
