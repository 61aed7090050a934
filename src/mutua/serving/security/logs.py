"""The server's log: one JSON object a line, one line a request, on the standard `logging`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

import msgspec

from mutua.core import clock
from mutua.errors import MutuaError
from mutua.serving.security.redact import Pseudonyms, redacted, redacted_fields

LOGGERS = ("mutua", "uvicorn")
ACCESS_LOGGERS = ("uvicorn.access",)
"""Loggers that write whole paths, with ids and query strings: silenced, for `RequestLog` says the rest."""
REQUESTS = "mutua.server.requests"
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class RequestLine(msgspec.Struct, frozen=True, gc=False):
    """One request as the log keeps it: no path, no query string, no id, no body.

    Args:
        time: when it was answered, RFC 3339.
        level: `error` for a fault of the server, else `info`.
        logger: `mutua.server.requests`.
        method: of HTTP.
        route: the template, `/v1/users/{id}`; never the path itself, `unknown` where no route matched.
        status: of the answer.
        ms: milliseconds from its arrival until the answer began.
        tenant: whose store; empty where no key was looked at.
        key: the id of the key, as `mutua keys list` shows it; never its secret.
    """

    time: str
    level: str
    logger: str
    method: str
    route: str
    status: int
    ms: float
    tenant: str
    key: str


class RequestLog:
    """Writes a line for each request, about 4 µs; by itself, for a record of `logging` takes five times as long.

    Args:
        stream: where to; the same as that of `log_to`, usually.
        now: microseconds UTC.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> RequestLog(stream, lambda: 0).write("GET", "/v1/users/{id}", 200, 1.25, "shop", "k1")
        >>> stream.getvalue()[:53]
        '{"time":"1970-01-01T00:00:00Z","level":"info","logger'
    """

    def __init__(self, stream: TextIO, now: Callable[[], int] = clock.now) -> None:
        self._stream, self._now = stream, now
        self._encoder = msgspec.json.Encoder()

    def write(self, method: str, route: str, status: int, ms: float, tenant: str, key: str) -> None:
        """Writes the line of one request; see `RequestLine`."""
        level, when = "error" if status >= 500 else "info", clock.format_time(self._now())
        line = RequestLine(when, level, REQUESTS, method, route, status, round(ms, 3), tenant, key)
        self._stream.write(self._encoder.encode(line).decode() + "\n")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: `time`, `level`, `logger`, `message`, then the fields given as `extra`.

    Errors stand in `error` by type, code and place in the source. Their texts are left out: they quote what came.
    """

    def __init__(self, names: Pseudonyms) -> None:
        super().__init__()
        self._names = names
        self._encoder = msgspec.json.Encoder()

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line without its end."""
        line: dict[str, Any] = {
            "time": clock.format_time(int(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        line["message"] = redacted(_message(record), self._names)
        given = {name: value for name, value in vars(record).items() if name not in STANDARD}
        line |= {name: value for name, value in redacted_fields(given, self._names).items() if name not in line}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1], record.exc_info[2])
        return self._encoder.encode(line).decode()


def log_to(stream: TextIO, names: Pseudonyms, level: int = logging.INFO) -> logging.Handler:
    """Sends the log of the server and of what it runs on to a stream as JSON lines; again, to another stream.

    Args:
        stream: usually stderr, for answers of commands go to stdout.
        names: for the ids of people.
        level: the least that is written.

    Returns:
        The handler, to be removed or flushed.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(names))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level)
    for name in ACCESS_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = False
    return handler


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)


def _error(error: BaseException, where: TracebackType | None) -> dict[str, Any]:
    frames = traceback.extract_tb(where)
    told: dict[str, Any] = {"type": type(error).__name__}
    if isinstance(error, MutuaError):
        told["code"] = error.code
    told["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if error.__cause__ is not None:
        told["cause"] = type(error.__cause__).__name__
    return told
