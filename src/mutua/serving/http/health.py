"""Whether the server lives, whether it is ready, and its figures for Prometheus."""

from __future__ import annotations

from importlib import resources
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from mutua.serving.http.exchange import TENANT, service_of
from mutua.serving.http.schema import answers
from mutua.serving.http.tags import ASKS, UNCHANGED, digest, unless_known
from mutua.serving.http.users import told

router = APIRouter(tags=["operation"])
TRACKER = resources.files("mutua.serving").joinpath("static/mutua.js").read_bytes()
TRACKER_TAG = digest(TRACKER)


@router.get("/healthz", summary="Whether the server lives", responses=answers(dict[str, Any]))
async def healthz() -> Response:
    return told({"alive": True})


@router.get("/readyz", summary="Whether the server is ready, and with what", responses=answers(dict[str, Any]))
async def readyz(request: Request) -> Response:
    known = TENANT in request.scope
    found = service_of(request.scope).readiness() if known else request.app.state.readiness()
    return told(found if known else {"ready": found["ready"]}, 200 if found["ready"] else 503)


@router.get(
    "/mutua.js",
    summary="The tracker for web pages",
    response_class=Response,
    responses=UNCHANGED,
    openapi_extra=ASKS,
)
async def tracker(request: Request) -> Response:
    return unless_known(request, TRACKER, TRACKER_TAG, "text/javascript")


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    return Response(await service_of(request.scope).reports(), media_type=CONTENT_TYPE_LATEST)
