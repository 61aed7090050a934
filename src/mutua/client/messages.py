"""What goes over the wire, free of any transport: a call, and what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from mutua.errors import UsageError

Answer = TypeVar("Answer")
JSON, LINES = "application/json", "application/x-ndjson"


class Repeat(Enum):
    """When a call may be sent again without harm: always, or only where the server refused to begin."""

    ALWAYS = 1
    REFUSED = 2


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request and how its answer is read.

    Args:
        path: from the server's root, ids quoted.
        reads: the body of a good answer → its type; raises msgspec.DecodeError.
        query: names and values, not yet quoted.
        body: None for none; content: of what type it is.
        accepts: statuses beside 2xx whose body is an answer and no problem.
        tags: headers that say on which tags the call depends.
    """

    method: str
    path: str
    reads: Callable[[bytes], Answer]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content: str = JSON
    repeat: Repeat = Repeat.ALWAYS
    accepts: frozenset[int] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to the call, not to the connection."""
        return dict(self.tags) | ({} if self.body is None else {"content-type": self.content})


@dataclass(frozen=True)
class Reply:
    """What came back; the names of headers in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost:
    """Nothing came back: what happened, without secrets."""

    what: str


def encoded(fields: object) -> bytes:
    """Returns an object as JSON.

    Raises:
        UsageError: code `usage`; a value that JSON has no form for.
    """
    try:
        return msgspec.json.encode(fields)
    except (TypeError, ValueError, OverflowError, RecursionError) as reason:
        raise UsageError(
            f"a value that cannot be sent: {reason}", "plain JSON values and times", "convert it"
        ) from reason


def segment(outer: str) -> str:
    """Returns an id as one part of a path.

    Raises:
        UsageError: code `usage`; an empty id, which would name another address.
    """
    if not isinstance(outer, str) or not outer:
        raise UsageError(f"the id {outer!r}", "text that is not empty", "name the user or item")
    quoted = quote(outer, safe="")
    return quoted.replace(".", "%2E") if outer in (".", "..") else quoted
