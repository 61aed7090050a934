"""Slates pushed to those who follow a user: as server-sent events, or over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.types import Send
from starlette.websockets import WebSocketDisconnect

from mutua.errors import InvalidKey, MutuaError
from mutua.serving.http.exchange import ENCODER, service_of
from mutua.serving.http.schema import problems
from mutua.serving.http.users import UserId
from mutua.serving.problems import problem
from mutua.serving.push import sse
from mutua.serving.push.subscription import Heartbeat, Subscription

router = APIRouter(tags=["push"])
Number = Annotated[int, Query(ge=1, le=1_000, description="Length of the list.")]
SurfaceName = Annotated[str, Query(description="A surface of mutua.toml.")]
LastId = Annotated[str | None, Header(alias="Last-Event-ID", description="The id of the newest slate at hand.")]
PARTING = 1.0
"""Seconds in which what is being sent must be gone once a reader has ended."""
LIVES = b"{}"
"""What a WebSocket sends when nothing changed for a while."""


@router.get(
    "/v1/users/{user:path}/stream",
    summary="The user's slate now, and whenever it changes",
    response_class=StreamingResponse,
    responses={200: {"description": "Events `slate`", "content": {"text/event-stream": {}}}, **problems()},
)
async def stream(
    request: Request, user: UserId, n: Number = 10, surface: SurfaceName = "default", last: LastId = None
) -> StreamingResponse:
    reader = service_of(request.scope).hub.subscribe(user, n, surface, last)
    return Pushing(_frames(request, reader), reader)


class Pushing(StreamingResponse):
    """The slates of one reader as server-sent events."""

    def __init__(self, frames: AsyncIterator[bytes], reader: Subscription) -> None:
        kind, unbuffered = sse.CONTENT_TYPE.decode(), {"x-accel-buffering": "no"}
        super().__init__(frames, media_type=kind, headers=unbuffered)
        self._reader = reader

    async def stream_response(self, send: Send) -> None:
        """Sends until the reader ends."""
        await _sent(self._reader, super().stream_response(send))


async def _frames(request: Request, reader: Subscription) -> AsyncIterator[bytes]:
    async with reader:
        yield sse.opening()
        async for item in reader:
            if not request.app.state.admits(request.scope):
                return
            yield sse.frame(item)
        yield sse.ending(reader.reason)


@router.websocket("/v1/users/{user:path}/socket")
async def socket(
    websocket: WebSocket, user: str, n: Number = 10, surface: SurfaceName = "default", last: str | None = None
) -> None:
    """The same over a WebSocket; `last` stands for Last-Event-ID."""
    service = service_of(websocket.scope)
    await websocket.accept()
    try:
        reader = service.hub.subscribe(user, n, surface, last)
    except MutuaError as error:
        await websocket.send_bytes(ENCODER.encode(problem(error)))
        await websocket.close(1008, error.code)
        return
    async with reader:
        leaving = asyncio.create_task(_until_left(websocket, reader))
        try:
            await _sent(reader, _messages(websocket, reader))
        except (WebSocketDisconnect, RuntimeError):
            reader.close()
        finally:
            leaving.cancel()


async def _messages(websocket: WebSocket, reader: Subscription) -> None:
    async for item in reader:
        if not websocket.app.state.admits(websocket.scope):
            await websocket.close(1008, InvalidKey.code)
            return
        await websocket.send_bytes(LIVES if isinstance(item, Heartbeat) else sse.message(item))
    await websocket.close(1001, reader.reason)


async def _sent(reader: Subscription, sending: Coroutine[Any, Any, None]) -> None:
    """Sends until all is sent; one who is stuck in it when the reader ends has a moment left and is dropped then."""
    task = asyncio.create_task(sending)
    try:
        await asyncio.wait((task, reader.ended), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait((task,), timeout=PARTING)
        if task.done():
            task.result()
    finally:
        task.cancel()


async def _until_left(websocket: WebSocket, reader: Subscription) -> None:
    """Ends the subscription when the other side goes; what it sends is not read."""
    message = await websocket.receive()
    while message["type"] != "websocket.disconnect":
        message = await websocket.receive()
    reader.close()
