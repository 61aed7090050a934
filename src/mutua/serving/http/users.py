"""Users over HTTP: attributes, profile, reasons, export, forgetting."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from mutua.core.clock import parse_time
from mutua.serving import words
from mutua.serving.catalogue import said_by
from mutua.serving.http.exchange import ENCODER, body, read, service_of
from mutua.serving.http.schema import JSON, answers, takes
from mutua.serving.messages import Attributes, Recorded

router = APIRouter(tags=["users"])
BODY = msgspec.json.Decoder(Attributes)
UserId = Annotated[str, Path(min_length=1, max_length=256, description="The user's id.")]
ItemId = Annotated[str, Path(min_length=1, max_length=256, description="The item's id.")]
Instant = Annotated[
    str | None, Query(description="RFC 3339, or seconds since 1970.", examples=["2026-03-01T12:00:00Z"])
]


def told(answer: object, status: int = 200) -> Response:
    """Returns an answer as JSON."""
    return Response(ENCODER.encode(answer), status, media_type=JSON)


async def upserted(request: Request, noun: str, outer: str, replace: bool) -> Response:
    """Writes what a source says of a user or an item; on PUT, what it said before and says no more is withdrawn."""
    given = read(BODY, await body(request.scope, request.receive))
    service = service_of(request.scope)
    said: dict[str, Any] = dict(given.attributes)
    if replace:
        said = dict.fromkeys(said_by(service.store, noun, outer, given.source)) | said
    event = {"kind": f"{noun}-upsert", noun: outer, "attributes": said, "source": given.source, "time": given.time}
    done: Recorded = await service.record([event])
    refused = done.results[0].problem
    if refused is not None:
        return Response(ENCODER.encode(refused), refused.status, media_type="application/problem+json")
    return told(done)


@router.get(
    "/v1/users/{user:path}/profile",
    summary="Everything known of a user",
    responses=answers(dict[str, Any]),
)
async def profile(request: Request, user: UserId, as_of: Instant = None, as_of_event: Instant = None) -> Response:
    shop = service_of(request.scope).shop
    known, happened = (None if given is None else parse_time(given) for given in (as_of, as_of_event))
    return told(shop.profile(user, as_of=known, as_of_event=happened).as_dict())


@router.get(
    "/v1/users/{user:path}/explain/{item:path}",
    summary="Why an item has its score for a user",
    responses=answers(dict[str, Any]),
)
async def explain(request: Request, user: UserId, item: ItemId) -> Response:
    return told(words.why(service_of(request.scope).shop, user, item))


@router.get(
    "/v1/users/{user:path}/export",
    summary="All events of a user",
    responses=answers(dict[str, Any]),
)
async def export(request: Request, user: UserId) -> Response:
    return told({"user": user, "events": service_of(request.scope).export(user)})


@router.delete(
    "/v1/events/{event:path}",
    summary="Forget one event, with a receipt",
    responses=answers(dict[str, Any]),
)
async def delete_event(request: Request, event: Annotated[str, Path(min_length=1, max_length=256)]) -> Response:
    return told(await service_of(request.scope).forget(event=event))


@router.put(
    "/v1/users/{user:path}",
    summary="State all attributes of a user",
    openapi_extra=takes(Attributes),
    responses=answers(Recorded),
)
async def put_user(request: Request, user: UserId) -> Response:
    return await upserted(request, "user", user, replace=True)


@router.patch(
    "/v1/users/{user:path}",
    summary="State some attributes of a user; null withdraws one",
    openapi_extra=takes(Attributes),
    responses=answers(Recorded),
)
async def patch_user(request: Request, user: UserId) -> Response:
    return await upserted(request, "user", user, replace=False)


@router.get(
    "/v1/users/{user:path}",
    summary="What is known of a user's attributes",
    responses=answers(dict[str, Any]),
)
async def get_user(request: Request, user: UserId) -> Response:
    found = service_of(request.scope).shop.profile(user).as_dict()
    return told({name: found[name] for name in ("user", "version", "attributes", "identities", "consent")})


@router.delete(
    "/v1/users/{user:path}",
    summary="Forget a user, with a receipt",
    responses=answers(dict[str, Any]),
)
async def delete_user(request: Request, user: UserId) -> Response:
    return told(await service_of(request.scope).forget(user))
