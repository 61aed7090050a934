"""Which other sites' pages may call the server, as a decision in plain data (CORS)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mutua.errors import ConfigError, ForeignOrigin
from mutua.serving.security.bounds import LOCAL_NAMES, host_name
from mutua.serving.security.headers import Header

ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?", re.ASCII)
STANDARD = re.compile(r"http://[^/]*:80|https://[^/]*:443")
METHODS = b"GET, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = b"authorization, content-type, content-encoding, last-event-id, if-match, if-none-match"
ANSWER_HEADERS = b"retry-after, etag"
KEPT_SECONDS = b"600"
VARY: Header = (b"vary", b"Origin")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What CORS says of one request.

    Args:
        status: of the answer to a preflight, which needs no other; None where the request goes on to its route.
        headers: to be added to the answer, whatever it is.
    """

    status: int | None
    headers: tuple[Header, ...]


class Origins:
    """The origins that are trusted, exactly as a browser sends them.

    Args:
        allowed: such as `https://shop.example`, with the port where it is not the scheme's own.

    Raises:
        ConfigError: code `config.invalid`; `*`, `null`, a path, upper case, or the scheme's own port.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        for origin in allowed:
            if ORIGIN.fullmatch(origin) is None or STANDARD.fullmatch(origin) is not None:
                raise ConfigError(
                    f"origin {origin[:200]!r}",
                    "scheme and host as a browser sends them, such as https://shop.example or http://localhost:3000",
                    "name each origin; no *, no path, no slash at the end, lower case, no port 80 or 443",
                )
        self._allowed = frozenset(origin.encode() for origin in allowed)
        self._vary = (VARY,) if self._allowed else ()

    def trusts(self, origin: bytes) -> bool:
        """Whether an `Origin` is one of them."""
        return origin in self._allowed

    def decide(self, origin: bytes, method: str, requested_method: bytes) -> Decision:
        """Returns what to do with a request.

        Args:
            origin: the value of `Origin`, empty where there is none.
            method: of the request.
            requested_method: the value of `Access-Control-Request-Method`, empty where there is none.

        Returns:
            For a preflight status 204 with what is allowed, or 403 and nothing; else the headers to add. Cookies are
            never asked for: the key stands in a header.
        """
        preflight = bool(origin and requested_method) and method == "OPTIONS"
        if not self.trusts(origin):
            return Decision(403 if preflight else None, self._vary)
        named: tuple[Header, ...] = (VARY, (b"access-control-allow-origin", origin))
        if not preflight:
            return Decision(None, (*named, (b"access-control-expose-headers", ANSWER_HEADERS)))
        return Decision(
            204,
            (
                *named,
                (b"access-control-allow-methods", METHODS),
                (b"access-control-allow-headers", REQUEST_HEADERS),
                (b"access-control-max-age", KEPT_SECONDS),
            ),
        )


def check_origin(origins: Origins, origin: bytes, host: bytes, method: str) -> None:
    """Refuses a write that another site's page sent to a server without keys; browsers send some without preflight.

    Args:
        origin: the value of `Origin`, empty where there is none: then no page sent it.
        host: the value of `Host`.
        method: of the request; what only reads gives the page nothing that it could see, and passes. A WebSocket's
            handshake must be given as `CONNECT`, for no preflight guards it.

    Raises:
        ForeignOrigin: code `http.origin`.
    """
    if not origin or method in SAFE or origins.trusts(origin) or _same(origin, host):
        return
    raise ForeignOrigin(
        f"a request from a page of {origin[:100].decode('latin-1')!r}", "one of an origin that is allowed", "allow it"
    )


def _same(origin: bytes, host: bytes) -> bool:
    """Whether a page came from this server itself; all names of loopback are one."""
    scheme, _, place = origin.lower().partition(b"://")
    if scheme not in {b"http", b"https"}:
        return False
    if place == host.lower():
        return True
    local = host_name(place) in LOCAL_NAMES and host_name(host) in LOCAL_NAMES
    return local and _port(place) == _port(host)


def _port(place: bytes) -> bytes:
    return place.rpartition(b"]")[2].partition(b":")[2]
