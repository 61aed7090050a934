"""What sources state of users and items over HTTP: of one, or of thousands in a body of lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter, Request, Response

from mutua.serving import upserts
from mutua.serving.http import bodies
from mutua.serving.http.exchange import ENCODER, PROBLEM, body, header, read, service_of
from mutua.serving.http.schema import answers, parameter, takes, takes_lines
from mutua.serving.http.tags import CHANGES, condition
from mutua.serving.http.users import told
from mutua.serving.messages import Attributes, ItemLine, Recorded, UserLine
from mutua.serving.upserts import Noun

BODY = msgspec.json.Decoder(Attributes)
Route = Callable[[Request], Awaitable[Response]]


def stating(noun: Noun) -> APIRouter:
    """Returns the routes by which users or items are stated; PUT says all, the others some."""
    line = UserLine if noun == "user" else ItemLine
    router = APIRouter(tags=[f"{noun}s"])
    one, many = f"/v1/{noun}s/{{{noun}:path}}", f"/v1/{noun}s"
    name = parameter(noun, "path", required=True, type="string", minLength=1, maxLength=256)
    named = {"parameters": [name, CHANGES]}
    for method, whole, words in (
        ("PUT", True, "all attributes of {}"),
        ("PATCH", False, "some attributes of {}; null withdraws one"),
    ):
        router.add_api_route(
            one,
            _of_one(noun, whole),
            methods=[method],
            name=f"{method.lower()}_{noun}",
            summary="State " + words.format("an item" if noun == "item" else "a user"),
            openapi_extra={**named, **takes(Attributes)},
            responses=answers(Recorded),
        )
        router.add_api_route(
            many,
            _of_many(noun, whole),
            methods=["PUT" if whole else "POST"],
            name=f"{'put' if whole else 'post'}_{noun}s",
            summary="State " + words.format(f"many {noun}s"),
            openapi_extra=takes_lines(line),
            responses=answers(Recorded),
        )
    return router


def _of_one(noun: Noun, whole: bool) -> Route:
    async def route(request: Request) -> Response:
        given = read(BODY, await body(request.scope, request.receive))
        outer = request.path_params[noun]
        only_if = condition(request, noun, outer)
        done = await upserts.stated(service_of(request.scope), noun, outer, given, whole, only_if)
        refused = done.results[0].problem
        if refused is not None:
            return Response(ENCODER.encode(refused), refused.status, media_type=PROBLEM[1].decode())
        return told(done)

    return route


def _of_many(noun: Noun, whole: bool) -> Route:
    async def route(request: Request) -> Response:
        packed = header(request.scope, b"content-encoding") == b"gzip"
        lines = bodies.lines(request.receive, packed)
        return told(await upserts.stated_in_lines(service_of(request.scope), noun, lines, whole))

    return route
