"""Slates pushed to those who follow a user: as server-sent events, or over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
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
    return StreamingResponse(
        _frames(request, reader), media_type=sse.CONTENT_TYPE.decode(), headers={"x-accel-buffering": "no"}
    )


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
            async for item in reader:
                if not websocket.app.state.admits(websocket.scope):
                    await websocket.close(1008, InvalidKey.code)
                    return
                await websocket.send_bytes(LIVES if isinstance(item, Heartbeat) else sse.message(item))
            await websocket.close(1001, reader.reason)
        except (WebSocketDisconnect, RuntimeError):
            reader.close()
        finally:
            leaving.cancel()


async def _until_left(websocket: WebSocket, reader: Subscription) -> None:
    """Ends the subscription when the other side goes; what it sends is not read."""
    message = await websocket.receive()
    while message["type"] != "websocket.disconnect":
        message = await websocket.receive()
    reader.close()
