"""Requests at the protocol: taken into the line, or refused unread; over a transport that only remembers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from mutua.serving.http.arrivals import arrivals, connections_allowed
from mutua.serving.http.door import Door
from mutua.serving.http.exchange import WAITED, Receive, Reply, Scope, Send, answer
from mutua.serving.http.journal import Journal
from mutua.serving.overload import Line
from mutua.serving.traffic import Traffic

GET = b"GET /v1/trending HTTP/1.1\r\nhost: localhost\r\n\r\n"
POST = b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n"


class Wire(asyncio.Transport):
    """Remembers what is written and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    @property
    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.written.split(b"HTTP/1.1 ")[1:]]


class Application:
    """Answers every request with 200 and what it was asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.waited: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        self.waited.append(scope[WAITED])
        await receive()
        await answer(send, Reply(b"{}"))


Connect = Callable[[], tuple[Any, Wire]]


def play(traffic: Traffic, scenario: Callable[[Connect, Application], Awaitable[None]]) -> Application:
    """Plays a scenario with connections that count in `traffic`."""

    async def whole() -> Application:
        app = Application()
        config = uvicorn.Config(Door(app, traffic, Journal()), http=arrivals(traffic), proxy_headers=False)
        config.load()
        state = ServerState()

        def connect() -> tuple[Any, Wire]:
            kind: Any = config.http_protocol_class
            made, wire = kind(config=config, server_state=state, app_state={}), Wire()
            made.connection_made(wire)
            return made, wire

        await scenario(connect, app)
        while state.tasks:
            await asyncio.sleep(0)
        return app

    return asyncio.run(whole())


def test_what_finds_no_place_in_line_is_refused_unread_and_the_connection_stays() -> None:
    traffic = Traffic(Line(places=2))

    async def scenario(connect: Connect, app: Application) -> None:
        connections = [connect() for _ in range(4)]
        for connection, _ in connections:
            connection.data_received(GET)
        assert [wire.statuses for _, wire in connections] == [[], [], [503], [503]]
        refused = connections[3][1]
        head, _, body = refused.written.partition(b"\r\n\r\n")
        assert b"retry-after: 1" in head
        assert json.loads(body)["code"] == "server.overloaded"
        assert not refused.closed
        while app.waited[1:] == []:
            await asyncio.sleep(0)
        connections[3][0].data_received(GET)

    app = play(traffic, scenario)
    assert app.paths == ["/v1/trending"] * 3
    assert all(waited >= 0 for waited in app.waited)
    assert traffic.refused == {"queue": 2}
    assert traffic.line.waiting == traffic.requests == 0
    assert traffic.answers[2] == 3


def test_the_body_of_a_refused_request_is_passed_over() -> None:
    traffic = Traffic(Line(places=0))

    async def scenario(connect: Connect, app: Application) -> None:  # noqa: ARG001
        connection, wire = connect()
        connection.data_received(POST + b"12345" + POST + b"12")
        connection.data_received(b"345")
        traffic.line = Line()
        connection.data_received(GET)
        while wire.statuses[2:] == []:
            await asyncio.sleep(0)
        assert wire.statuses == [503, 503, 200]

    assert play(traffic, scenario).paths == ["/v1/trending"]


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /v1/trending HTTP/1.0\r\nhost: localhost\r\n\r\n",
        b"GET /v1/trending HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n",
    ],
)
def test_a_refused_sender_who_will_not_go_on_is_hung_up_on(request_line: bytes) -> None:
    async def scenario(connect: Connect, app: Application) -> None:  # noqa: ARG001
        connection, wire = connect()
        connection.data_received(request_line)
        assert (wire.statuses, wire.closed) == ([503], True)

    play(Traffic(Line(places=0)), scenario)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_who_looks_what_is_wrong_is_answered_however_long_the_line(path: str) -> None:
    async def scenario(connect: Connect, app: Application) -> None:  # noqa: ARG001
        connect()[0].data_received(b"GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n" % path.encode())

    assert play(Traffic(Line(places=0)), scenario).paths == [path]


def test_requests_under_way_are_bounded() -> None:
    traffic = Traffic(requests=1)

    async def scenario(connect: Connect, app: Application) -> None:
        waiting, _ = connect()
        waiting.data_received(POST)
        while not app.paths:
            await asyncio.sleep(0)
        other, wire = connect()
        other.data_received(GET)
        assert wire.statuses == [503]
        waiting.data_received(b"12345")

    play(traffic, scenario)
    assert traffic.refused == {"requests": 1}


def test_connections_are_bounded_and_their_places_given_back() -> None:
    traffic = Traffic(connections=1)

    async def scenario(connect: Connect, app: Application) -> None:  # noqa: ARG001
        first, _ = connect()
        second, wire = connect()
        assert (wire.statuses, wire.closed) == ([503], True)
        second.connection_lost(None)
        first.connection_lost(None)
        assert not connect()[1].closed

    play(traffic, scenario)
    assert (traffic.refused, traffic.connections) == ({"connections": 1}, 1)


def test_there_is_room_for_connections_beside_the_files() -> None:
    assert 1 <= connections_allowed() <= 20_000
