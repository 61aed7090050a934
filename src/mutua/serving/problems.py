"""From an error's code to an HTTP status and an answer of `application/problem+json`."""

from __future__ import annotations

from http import HTTPStatus

from mutua.errors import MutuaError
from mutua.serving.messages import Problem

STATUS = {
    "id.unknown": 404,
    "tenant.unknown": 404,
    "http.not-found": 404,
    "http.method": 405,
    "version.overtaken": 412,
    "input.too-large": 413,
    "model.none": 409,
    "model.not-supported": 409,
    "data.too-few": 409,
    "key.missing": 401,
    "key.invalid": 401,
    "key.scope": 403,
    "http.origin": 403,
    "rate.limited": 429,
    "tenant.settings": 503,
    "server.overloaded": 503,
    "server.interrupted": 503,
    "server.late": 503,
    "store.locked": 503,
    "store.full": 507,
    "store.failed": 500,
    "store.version": 500,
    "model.damaged": 500,
}
"""Codes with a status of their own; other faults of what came are 400, of the store 500."""
INTERNAL = Problem(
    title="Internal Server Error",
    status=500,
    detail="A fault in Mutua itself; the log of the server holds it.",
    code="internal",
    came="a request",
    expected="no fault",
    do="report it with the server's log, without personal data",
)


def status_of(error: MutuaError) -> int:
    """Returns the HTTP status of an error."""
    return STATUS.get(error.code, 500 if error.exit_status == 4 else 400)


def problem(error: MutuaError) -> Problem:
    """Returns an error as the answer to a request."""
    status = status_of(error)
    return Problem(HTTPStatus(status).phrase, status, str(error), error.code, error.came, error.expected, error.do)
