"""Items over HTTP: attributes, those alike, those that are in demand now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from mutua.catalog.table import AVAILABLE
from mutua.pipeline.guards import banned_items
from mutua.serving.catalogue import attributes_of_item
from mutua.serving.http.exchange import ENCODER, service_of
from mutua.serving.http.schema import answers
from mutua.serving.http.tags import ASKS, CHANGES, condition, tag_of, tagged_answers, unless_known
from mutua.serving.http.users import ItemId, told
from mutua.serving.messages import Recorded

router = APIRouter(tags=["items"])
Number = Annotated[int, Query(ge=1, le=1_000, description="Length of the list.")]


@router.get(
    "/v1/items/{item:path}/similar",
    summary="The items most like an item",
    responses=answers(dict[str, Any]),
)
async def similar(request: Request, item: ItemId, n: Number = 10) -> Response:
    slate = service_of(request.scope).shop.similar(item, n)
    found = [{"item": entry.item, "score": entry.score} for entry in slate.items]
    return told({"item": item, "items": found, "model_version": slate.model_version, "notes": slate.notes})


@router.get(
    "/v1/trending",
    summary="The items in demand now",
    responses=answers(dict[str, Any]),
)
async def trending(request: Request, n: Number = 10) -> Response:
    state = service_of(request.scope).state
    items = state.store.names.vocabulary("items")
    found = state.shelving.trends.top(n, banned_items((), state.catalog, len(items)))
    return told({"items": [{"item": item, "count": count} for item, count in found]})


@router.get(
    "/v1/items/{item:path}",
    summary="What is known of an item",
    responses=tagged_answers(dict[str, Any]),
    openapi_extra=ASKS,
)
async def get_item(request: Request, item: ItemId) -> Response:
    version, attributes = attributes_of_item(service_of(request.scope).store, item)
    tag = tag_of(request, "item", item)
    found = {"item": item, "version": version, "tag": tag, "attributes": attributes}
    return unless_known(request, ENCODER.encode(found), tag)


@router.delete(
    "/v1/items/{item:path}",
    summary="Take an item out of every slate; its events stay",
    responses=answers(Recorded),
    openapi_extra={"parameters": [CHANGES]},
)
async def delete_item(request: Request, item: ItemId) -> Response:
    service = service_of(request.scope)
    attributes_of_item(service.store, item)
    gone = {"kind": "item-upsert", "item": item, "attributes": {AVAILABLE: False}}
    return told(await service.record([gone], only_if=condition(request, "item", item)))
