"""The versions of the model over HTTP, for admins: what there is, the way back, and keeping one in force."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from mutua.serving.http.exchange import service_of
from mutua.serving.http.schema import answers
from mutua.serving.http.users import told
from mutua.store.versions import listed

router = APIRouter(prefix="/v1/models", tags=["models"])
Version = Annotated[str | None, Query(description="A version that is kept.", pattern=r"^\d{6,12}$")]
ANSWERS = answers(dict[str, Any])


@router.get("", summary="The versions kept, oldest first, and how each was judged", responses=ANSWERS)
async def versions(request: Request) -> Response:
    models = service_of(request.scope).store.models
    return told({"current": models.current(), "versions": listed(models)})


@router.post("/rollback", summary="Put the version before, or the one named, in force", responses=ANSWERS)
async def rollback(request: Request, version: Version = None) -> Response:
    service = service_of(request.scope)
    before = service.store.models.current()
    now = service.store.models.roll_back(version)
    service.renew_model()
    return told({"before": before, "current": now})


@router.put("/pin", summary="Keep the version in force, whatever is learned", responses=ANSWERS)
async def pin(request: Request) -> Response:
    models = service_of(request.scope).store.models
    current = models.load().version
    models.standing.pin()
    return told({"current": current, "pinned": True})


@router.delete("/pin", summary="Let the next learning put its model in force", responses=ANSWERS)
async def unpin(request: Request) -> Response:
    models = service_of(request.scope).store.models
    models.standing.unpin()
    return told({"current": models.current(), "pinned": False})
