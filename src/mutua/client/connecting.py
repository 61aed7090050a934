"""What both clients open their connections with."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeVar

import httpx

from mutua import __version__
from mutua.client.messages import Call, Lost, Reply
from mutua.client.pushes import Listening
from mutua.errors import UsageError

Given = ParamSpec("Given")
Made = TypeVar("Made")

SILENCE = 60.0
"""Seconds without a byte after which a stream counts as lost; the server sends a sign of life more often."""


def settings(base_url: str, key: str, timeout: float) -> dict[str, Any]:
    """Returns the arguments of an `httpx` client.

    Raises:
        UsageError: code `usage`; an address that is not http or https, or a key that no header can carry.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"the address {base_url[:80]!r}", "http://HOST:PORT or https://HOST", "correct base_url")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(
            "a key with spaces or letters that no header can carry", "a key as it was made", "copy it again"
        )
    headers = {"accept": "application/json", "user-agent": f"mutua/{__version__}"}
    return {
        "base_url": url,
        "timeout": timeout,
        "headers": headers | ({"authorization": f"Bearer {key}"} if key else {}),
    }


def request_of(call: Call[Any]) -> dict[str, Any]:
    """Returns the arguments of one `httpx` request."""
    return {
        "method": call.method,
        "url": call.path,
        "params": call.query,
        "content": call.body,
        "headers": call.headers,
    }


def stream_of(listening: Listening, timeout: float) -> dict[str, Any]:
    """Returns the arguments of one `httpx` request for a stream; `timeout` is that for connecting, seconds."""
    request = request_of(listening.call)
    return request | {"headers": listening.headers, "timeout": httpx.Timeout(timeout, read=SILENCE)}


def reply_of(response: httpx.Response) -> Reply:
    """Returns what came back, its body read already."""
    return Reply(response.status_code, response.content, response.headers)


def lost(reason: httpx.RequestError) -> Lost:
    """Returns what happened to a connection."""
    return Lost(str(reason) or type(reason).__name__)


def like(build: Callable[..., Any], method: Callable[Given, Made]) -> Callable[Given, Made]:
    """Returns the method with the name, words and arguments of the function that builds its call."""
    made = wraps(build)(method)
    found = signature(build)
    own = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    vars(made)["__signature__"] = found.replace(parameters=[own, *found.parameters.values()])
    return made
