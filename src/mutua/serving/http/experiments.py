"""Experiments over HTTP: how a surface's variants compare."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from mutua.feedback.comparing import as_json
from mutua.serving.http.exchange import service_of
from mutua.serving.http.schema import answers
from mutua.serving.http.users import told

router = APIRouter(tags=["verbs"])
Name = Annotated[str, Path(min_length=1, max_length=256, description="An experiment of mutua.toml.")]


@router.get(
    "/v1/experiments/{name}",
    summary="How the variants of an experiment compare, with intervals",
    responses=answers(dict[str, Any]),
)
async def experiment(request: Request, name: Name) -> Response:
    return told(as_json(await service_of(request.scope).compared(name)))
