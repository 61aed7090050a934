"""Users over HTTP: attributes, profile, reasons, export, forgetting."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from mutua.core.clock import parse_time
from mutua.serving import words
from mutua.serving.http.exchange import ENCODER, service_of
from mutua.serving.http.schema import JSON, answers
from mutua.serving.http.tags import ASKS, CHANGES, condition, tag_of, tagged_answers, unless_known

router = APIRouter(tags=["users"])
UserId = Annotated[str, Path(min_length=1, max_length=256, description="The user's id.")]
ItemId = Annotated[str, Path(min_length=1, max_length=256, description="The item's id.")]
Instant = Annotated[
    str | None, Query(description="RFC 3339, or seconds since 1970.", examples=["2026-03-01T12:00:00Z"])
]


def told(answer: object, status: int = 200) -> Response:
    """Returns an answer as JSON."""
    return Response(ENCODER.encode(answer), status, media_type=JSON)


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


@router.get(
    "/v1/users/{user:path}",
    summary="What is known of a user's attributes",
    responses=tagged_answers(dict[str, Any]),
    openapi_extra=ASKS,
)
async def get_user(request: Request, user: UserId) -> Response:
    found = service_of(request.scope).shop.profile(user).as_dict()
    shown = {name: found[name] for name in ("user", "version", "attributes", "identities", "consent")}
    tag = tag_of(request, "user", user, shown)
    return unless_known(request, ENCODER.encode({"tag": tag, **shown}), tag)


@router.delete(
    "/v1/users/{user:path}",
    summary="Forget a user, with a receipt",
    responses=answers(dict[str, Any]),
    openapi_extra={"parameters": [CHANGES]},
)
async def delete_user(request: Request, user: UserId) -> Response:
    return told(await service_of(request.scope).forget(user, only_if=condition(request, "user", user)))
