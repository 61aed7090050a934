"""The gate: host, origin, key, scope and rate of every request are looked at before anything reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from dataclasses import dataclass, field

import msgspec

from mutua.errors import MutuaError
from mutua.serving.http.exchange import (
    ACCESS,
    TENANT,
    Application,
    Header,
    Message,
    Receive,
    Reply,
    Send,
    answer,
    body,
    refuse,
)
from mutua.serving.http.exchange import Scope as Connection
from mutua.serving.security import headers
from mutua.serving.security.access import Keys, authorised, bearer, open_access
from mutua.serving.security.bounds import check_host
from mutua.serving.security.key_file import Scope
from mutua.serving.security.keys import Access
from mutua.serving.security.limits import RequestLimits
from mutua.serving.security.origins import Origins, check_origin
from mutua.serving.security.rates import Buckets, Rate, sender_of

OPEN = frozenset({"/healthz", "/readyz", "/mutua.js"})
"""Paths that ask for no key: they say nothing of anybody."""
DOCS = ("/docs", "/openapi.json", "/static-offline-docs")
WRITES = frozenset({"/v1/events", "/v1/impressions"})
BULK = frozenset({"/v1/users", "/v1/items"})
ADMINISTERS = ("/metrics", "/v1/models")
BEACON_LIMITS = RequestLimits(body_bytes=128 << 10, unpacked_bytes=1 << 20)
"""Of a body that is read before its sender is known; browsers send at most 64 KiB by a beacon."""
KEYED, STRANGERS = Rate(2_000.0, 4_000.0), Rate(20.0, 100.0)
"""Requests granted to one key; to one address that has none or a wrong one."""


@dataclass(frozen=True)
class Rules:
    """Who is let in.

    Args:
        ring: the keys; none on a server of one store that listens on loopback alone.
        origins: of pages that may ask.
        names: by which the server may be called, besides those of loopback.
        tenant: whose store it is, for requests without a key.
        open: everybody may ask, by whatever name.
        share: processes that share the requests, so that each grants its part of the rates.
    """

    ring: Keys
    origins: Origins = field(default_factory=Origins)
    names: Collection[str] = ()
    tenant: str = "default"
    open: bool = False
    share: int = 1

    def admits(self, scope: Connection) -> bool:
        """Whether who was let in is still: a stream outlasts the request that began it, and a key may be revoked."""
        sent = dict(scope["headers"]).get(b"authorization", b"")
        try:
            return not self.ring.guarded or self.ring.check(bearer(sent)) is not None
        except MutuaError:
            return False


class Guard:
    """Lets requests through to an application, or answers why not."""

    def __init__(self, inner: Application, rules: Rules) -> None:
        self._inner, self._rules = inner, rules
        self._everyone = open_access(rules.tenant)
        self._keys, self._strangers = Buckets(KEYED.part(rules.share)), Buckets(STRANGERS.part(rules.share))

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._inner(scope, receive, send)
            return
        given = dict(scope["headers"])
        origin, path = given.get(b"origin", b""), scope["path"]
        method = scope.get("method", "CONNECT")
        decision = self._rules.origins.decide(origin, method, given.get(b"access-control-request-method", b""))
        more = (*_policy(path), *decision.headers)
        if decision.status is not None:
            await answer(send, Reply(b"", decision.status, ()), more)
            return
        try:
            if path in WRITES and b"authorization" not in given and self._rules.ring.guarded:
                self._strangers.demand(_sender(scope))
                given[b"authorization"], receive = await _of_beacon(scope, receive)
            access = self._checked(scope, given, origin, method, path)
        except MutuaError as error:
            await refuse(scope, send, error, more)
            return
        if access is not None:
            scope[TENANT], scope[ACCESS] = access.tenant, access
        await self._inner(scope, receive, _adding(send, more))

    def _checked(
        self, scope: Connection, given: dict[bytes, bytes], origin: bytes, method: str, path: str
    ) -> Access | None:
        """Returns what the request may do, None where it asks for what is open to all."""
        rules, ring = self._rules, self._rules.ring
        host = given.get(b"host", b"")
        guarded = ring.guarded
        if not guarded:
            if not rules.open:
                check_host(host, rules.names)
            check_origin(rules.origins, origin, host, method)
        if path in OPEN and guarded and b"authorization" not in given:
            return None
        if not (guarded or b"authorization" in given):
            return self._everyone
        try:
            access = authorised(ring, given.get(b"authorization", b""), needed(method, path), self._everyone)
        except MutuaError:
            self._strangers.demand(_sender(scope))
            raise
        if access is not self._everyone:
            self._keys.demand(access.key_id)
        return access


def _sender(scope: Connection) -> str:
    return sender_of((scope.get("client") or ("",))[0])


class _Beacon(msgspec.Struct):
    key: str = ""


async def _of_beacon(scope: Connection, receive: Receive) -> tuple[bytes, Receive]:
    """Returns the key that stands in the body, where a page that was left could send no header, and the body again."""
    found = await body(scope, receive, BEACON_LIMITS)
    try:
        key = BEACON.decode(found).key
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        key = ""
    plain = [(name, value) for name, value in scope["headers"] if name != b"content-encoding"]
    scope["headers"] = plain

    async def again() -> Message:
        return {"type": "http.request", "body": found, "more_body": False}

    return (b"Bearer " + key.encode() if key else b""), again


BEACON = msgspec.json.Decoder(_Beacon)


def needed(method: str, path: str) -> Scope:
    """Returns the scope that a request needs: events are written, people erased by an admin, all else is read."""
    if method == "DELETE" or path.startswith(ADMINISTERS):
        return "admin"
    return "write" if path in WRITES or path in BULK or method in ("PUT", "PATCH") else "read"


def _policy(path: str) -> tuple[Header, ...]:
    if path == "/mutua.js":
        return headers.SCRIPT
    return headers.DOCS if path.startswith(DOCS) else headers.API


def _adding(send: Send, more: tuple[Header, ...]) -> Send:
    def sent(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *more]
        return send(message)

    return sent
