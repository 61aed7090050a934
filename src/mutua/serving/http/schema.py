"""The description of the interface: the framework's own, with the typed messages of the hot routes added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI

from mutua.serving.messages import (
    Answer,
    Attributes,
    Batch,
    Item,
    ItemLine,
    Problem,
    Question,
    Recorded,
    Seen,
    UserLine,
)

JSON, PROBLEM, LINES = "application/json", "application/problem+json", "application/x-ndjson"
TEMPLATE = "#/components/schemas/{name}"
MESSAGES = (Question, Answer, Item, Batch, Seen, Recorded, Attributes, UserLine, ItemLine, Problem)


def named(kind: Any) -> dict[str, Any]:
    """Returns the reference to a message's schema, or the schema of a plain type."""
    return {"$ref": TEMPLATE.format(name=kind.__name__)} if kind in MESSAGES else {"type": "object"}


def takes(kind: Any) -> dict[str, Any]:
    """Returns what a route's description says of its body."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": named(kind)}}}}


def takes_lines(kind: Any) -> dict[str, Any]:
    """Returns what a route's description says of a body of many lines, one message each, plain or as gzip."""
    said = {"type": "string", "description": f"One {kind.__name__} a line."}
    return {"requestBody": {"required": True, "content": {LINES: {"schema": said}}}}


def answers(kind: Any) -> dict[int | str, dict[str, Any]]:
    """Returns what a route's description says of its answers: the good one, and problems for all others."""
    return {200: {"description": "Done", "content": {JSON: {"schema": named(kind)}}}, **problems()}


def problems() -> dict[int | str, dict[str, Any]]:
    """Returns what a route's description says of its errors."""
    return {
        "4XX": {"description": "Refused", "content": {PROBLEM: {"schema": named(Problem)}}},
        "5XX": {"description": "Failed", "content": {PROBLEM: {"schema": named(Problem)}}},
    }


def described(app: FastAPI) -> None:
    """Adds the hot routes and the messages to the application's description."""
    made: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            whole = made()
            _, components = msgspec.json.schema_components(MESSAGES, ref_template=TEMPLATE)
            schemas = whole.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(components)
            whole["paths"] = {**_hot(), **whole["paths"]}
            _drop_own_errors(whole)
            app.openapi_schema = whole
        return app.openapi_schema

    vars(app)["openapi"] = openapi


def _hot() -> dict[str, Any]:
    asked = _posted("Ask for a slate", Question, Answer)
    recorded = _posted("Record events", Batch, Recorded)
    recorded["requestBody"]["content"][LINES] = {"schema": {"type": "string"}}
    return {
        "/v1/events": {"post": recorded},
        "/v1/impressions": {"post": _posted("Record lists that were really seen", Seen, Recorded)},
        "/v1/recommend": {"post": asked},
        "/v1/users/{user}/recommendations": {
            "get": {
                "tags": ["verbs"],
                "summary": "The slate of a user",
                "operationId": "recommendations",
                "parameters": [
                    parameter("user", "path", required=True, type="string", minLength=1, maxLength=256),
                    parameter("n", "query", type="integer", minimum=1, maximum=1_000, default=10),
                    parameter("surface", "query", type="string", default="default"),
                    parameter("min_version", "query", type="integer", minimum=0, default=0),
                    parameter("explain", "query", type="boolean", default=False),
                ],
                "responses": _keyed(answers(Answer)),
            }
        },
    }


def parameter(name: str, place: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    """Returns what a route's description says of a parameter."""
    return {"name": name, "in": place, "required": required, "schema": schema}


def _posted(summary: str, body: Any, answer: Any) -> dict[str, Any]:
    return {
        "tags": ["verbs"],
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_"),
        **takes(body),
        "responses": _keyed(answers(answer)),
    }


def _keyed(responses: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {str(status): said for status, said in responses.items()}


def _drop_own_errors(whole: dict[str, Any]) -> None:
    """Takes out the framework's own form of errors, which no route answers with."""
    for path in whole["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        whole["components"]["schemas"].pop(name, None)
