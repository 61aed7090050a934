"""Two tenants with the same ids and different data, served from one folder and asked without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from mutua import Recommender
from mutua.core.clock import HOUR, parse_time
from mutua.serving.http.app import application
from mutua.serving.http.exchange import Application
from mutua.serving.http.guard import Rules
from mutua.serving.running import Upkeep
from mutua.serving.security.keys import KeyRing
from mutua.serving.security.tenant_keys import TenantKeys
from mutua.serving.tenants import Tenants
from mutua.serving.workers.desks import Desks
from mutua.serving.workers.room import Room
from mutua.serving.workers.seat import Seat
from mutua.serving.workers.table import Table
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.store import SqliteStore

Result = TypeVar("Result")
TENANTS = ("acme", "globex")
NOW = parse_time("2024-03-01")
PEOPLE, ITEMS = 6, 8
QUIET = 0.5
"""Seconds after which a stream that says nothing more is left."""


def marks(tenant: str) -> tuple[str, ...]:
    """What nobody but a tenant may read: each stands in its data only."""
    return (f"{tenant}-secret", f"{tenant}-own")


def told_by(tenant: str) -> list[dict[str, Any]]:
    """The events of a tenant: users u0… and items i0… that the other has too, and one of each that it has not."""
    own, mark = marks(tenant)[::-1]
    turn = TENANTS.index(tenant)
    items = [*(f"i{number}" for number in range(ITEMS)), f"{own}-item"]
    people = [*(f"u{number}" for number in range(PEOPLE)), f"{own}-user"]
    start = NOW - 500 * HOUR
    said: list[dict[str, Any]] = [
        {
            "kind": "item-upsert",
            "item": item,
            "attributes": {"title": f"{mark} {item}", "category": f"{mark} {place % 2}"},
            "time": start / 1e6,
        }
        for place, item in enumerate(items)
    ]
    said += [
        {"kind": "user-upsert", "user": user, "attributes": {"city": f"{mark} {user}"}, "time": start / 1e6}
        for user in people
    ]
    for place, user in enumerate(people):
        for step in range(4 + turn):
            item = items[(place * (2 + turn) + step * (1 + turn)) % len(items)]
            event = {"user": user, "item": item, "type": "purchase", "time": (start + (place + 7 * step) * HOUR) / 1e6}
            said.append({**event, "id": f"{own}-{user}-{step}", "context": {"note": mark}})
    return said


def built(folder: Path) -> Path:
    """Records and learns both tenants' stores in `folder`."""
    for tenant in TENANTS:
        with Recommender.open(f"sqlite:///{folder / tenant}.db", now=NOW) as shop:
            assert not shop.record(told_by(tenant)).refused
            for model in ("popularity", "item-knn"):
                shop.learn(model)
    return folder


def key(folder: Path, tenant: str, *scopes: str) -> str:
    """Makes a key of a tenant, by default an admin's."""
    return KeyRing.load(folder / f"{tenant}.keys").create(tenant, scopes or ("admin",))


@dataclass(frozen=True)
class Answer:
    """What came back: the body of a stream as far as it was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """The application of a folder, asked by raw ASGI, so that streams can be left like by a reader who goes."""

    def __init__(self, app: Application, *crew: Tenants) -> None:
        self.app, self.crew, self.tenants = app, crew, crew[0]

    async def ask(
        self, method: str, path: str, key: str = "", body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends a request and returns its answer; of a stream what it says until it is quiet for a while."""
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"host": "shops.example", **({"authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        place, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": place,
            "raw_path": place.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("192.0.2.1", 1),
            "server": ("shops.example", 80),
        }
        said: asyncio.Queue[Any] = asyncio.Queue()
        left = asyncio.Event()
        bodies = iter([{"type": "http.request", "body": sent, "more_body": False}])

        async def receive() -> Any:
            for message in bodies:
                return message
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.put_nowait(message)

        running = asyncio.create_task(self.app(scope, receive, send))
        first = asyncio.create_task(said.get())
        await asyncio.wait((first, running), return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            first.cancel()
            await running
        start = await first
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        body_found, more = b"", True
        while more:
            try:
                message = await asyncio.wait_for(said.get(), QUIET if "event-stream" in found["content-type"] else None)
            except TimeoutError:
                break
            body_found += message.get("body", b"")
            more = message.get("more_body", False)
        left.set()
        await running
        return Answer(start["status"], found, body_found)


@asynccontextmanager
async def served(folder: Path, most: int, upkeep: Upkeep) -> AsyncIterator[Server]:
    place = Folder(folder)
    tenants = Tenants(place, upkeep, most)
    try:
        yield Server(application(tenants, Rules(TenantKeys(place))), tenants)
    finally:
        await tenants.close()


@asynccontextmanager
async def served_by(workers: int, folder: Path, most: int, upkeep: Upkeep) -> AsyncIterator[Server]:
    """Several workers' tenants over the desks of one writer, on one loop; requests go to each in turn."""
    with TemporaryDirectory(prefix="mutua-") as shared:
        room, place = Room(Path(shared)), Folder(folder)
        desks = Desks(
            lambda tenant: SqliteStore.open(place.url(tenant), write=True), lambda tenant: Table(room.table(tenant))
        )
        listening = await asyncio.start_unix_server(desks.welcome, room.socket)
        loop = asyncio.get_running_loop()
        crew = [Tenants(place, replace(upkeep, seat=Seat(room, number, loop)), most) for number in range(workers)]
        turns = cycle([application(tenants, Rules(TenantKeys(place))) for tenants in crew])

        async def in_turn(scope: Any, receive: Any, send: Any) -> None:
            await next(turns)(scope, receive, send)

        try:
            yield Server(in_turn, *crew)
        finally:
            for tenants in crew:
                await tenants.close()
            listening.close()
            async with asyncio.timeout(20):
                await desks.left.wait()


def run(
    folder: Path,
    scenario: Callable[[Server], Awaitable[Result]],
    most: int = 2,
    upkeep: Upkeep | None = None,
    workers: int = 1,
) -> Result:
    """Serves the tenants in `folder`, runs a scenario against them, and returns what that returns."""
    given = upkeep or Upkeep(now=NOW)

    async def whole() -> Result:
        serving = served(folder, most, given) if workers == 1 else served_by(workers, folder, most, given)
        async with serving as server:
            return await scenario(server)

    return asyncio.run(whole())
