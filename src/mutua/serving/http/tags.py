"""ETags: an answer that a client has already is not sent again, and a change of what it read overwrites nothing newer.

A tag is the number of the newest statement on a user or an item, and for what else the answer shows a dot and a hash
of it. Changes look at the number alone: what a user does meanwhile is nothing that an editor could overwrite.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

from fastapi import Request, Response

from mutua.serving.conditions import Condition, newest_statement
from mutua.serving.http.exchange import ENCODER, Scope, header, service_of
from mutua.serving.http.schema import JSON, answers, parameter
from mutua.store.sqlite.catalog import Subject

TAG = re.compile(r'(W/)?"([^"]*)"')
NUMBER = re.compile(r"(\d{1,18})(?:\.|$)", re.ASCII)
ANY = "*"
ASKS: dict[str, Any] = {
    "parameters": [parameter("If-None-Match", "header", type="string", description="ETag of what is known already.")]
}
"""What the description says of a question that may be answered by 304."""
CHANGES = parameter("If-Match", "header", type="string", description="ETag of what was read; refused where it changed.")
"""What the description says of a change that may be refused with 412."""
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As it was"}}


def tagged_answers(kind: Any) -> dict[int | str, dict[str, Any]]:
    """Returns what a route's description says of answers that bear a tag."""
    found = answers(kind)
    found[200]["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return found | UNCHANGED


def tag_of(request: Request, noun: Subject, outer: str, shown: object = None) -> str:
    """Returns the tag of an answer about a user or an item.

    Args:
        shown: what else it shows; None for nothing but statements.
    """
    stated = newest_statement(service_of(request.scope).store, noun, outer) or 0
    return f"{stated}" if shown is None else f"{stated}.{digest(ENCODER.encode(shown))}"


def digest(content: bytes) -> str:
    """Returns a short hash of what is sent."""
    return blake2b(content, digest_size=8).hexdigest()


def unless_known(request: Request, content: bytes, tag: str, kind: str = JSON) -> Response:
    """Returns an answer with its tag; one that the client says it has is 304 and no more."""
    headers = {"etag": f'"{tag}"'}
    given = _sent(request.scope, b"if-none-match")
    if given.strip() == ANY or any(found == tag for _, found in TAG.findall(given)):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


def condition(request: Request, noun: Subject, outer: str) -> Condition | None:
    """Returns what the request wants to hold when it is carried out; None where it says nothing of it."""
    given = _sent(request.scope, b"if-match")
    if not given:
        return None
    if given.strip() == ANY:
        return Condition(noun, outer, None)
    numbers = (NUMBER.match(found) for weak, found in TAG.findall(given) if not weak)
    return Condition(noun, outer, tuple(int(number[1]) for number in numbers if number))


def _sent(scope: Scope, name: bytes) -> str:
    return header(scope, name).decode("latin-1")
