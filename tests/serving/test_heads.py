"""What a connection may do before its request has begun, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from mutua.serving.http import heads
from mutua.serving.http.heads import HEAD_BYTES, TRAILERS, BoundedHeads

GOOD = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


async def headers_told(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the names of the headers, once the whole body has come."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "open"})
        while (await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": "still"})
        return
    while (await receive()).get("more_body"):
        pass
    told = b" ".join(name for name, _ in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


def run(scenario: Callable[[int], Awaitable[None]]) -> None:
    """Serves on a free port with bounded heads, and runs a scenario against it."""

    async def whole() -> None:
        config = uvicorn.Config(headers_told, http=BoundedHeads, port=0, lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.001)
        try:
            await scenario(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            await serving

    asyncio.run(whole())


async def said_to(port: int, *parts: bytes) -> bytes:
    """Sends parts one after the other on one connection and returns all that comes until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [(), (b"\r\n",), (b"GET / HT",), (b"GET / HTTP/1.1\r\n", b"host: localhost\r\nx: ")])
def test_what_does_not_begin_in_time_is_closed(begun: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.05)

    async def scenario(port: int) -> None:
        assert await said_to(port, *begun) == b""

    run(scenario)


def test_a_second_request_must_begin_in_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.05)

    async def scenario(port: int) -> None:
        assert (await said_to(port, GOOD, b"GET / HTTP/1.1\r\nx")).count(b"200 OK") == 1

    run(scenario)


@pytest.mark.parametrize("line", [b"GET /" + b"a" * HEAD_BYTES, b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * HEAD_BYTES])
def test_a_head_that_never_ends_is_closed(line: bytes) -> None:
    async def scenario(port: int) -> None:
        assert await said_to(port, *[line] * 8) == b""

    run(scenario)


def test_what_follows_a_body_is_no_header() -> None:
    body = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n"

    async def scenario(port: int) -> None:
        answer = await said_to(port, body + b"authorization: Bearer x\r\norigin: http://evil\r\n\r\n")
        assert answer.endswith(b"host transfer-encoding connection")
        assert b"200 OK" not in await said_to(port, body + b"x: y\r\n" * (2 * TRAILERS))

    run(scenario)


def test_an_open_websocket_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from websockets.asyncio.client import connect

    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.02)

    async def scenario(port: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/") as socket:
            assert await socket.recv() == "open"
            await asyncio.sleep(0.1)
            await socket.send("?")
            assert await socket.recv() == "still"

    run(scenario)
