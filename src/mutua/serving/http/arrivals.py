"""Where requests come in: each gets its place in line, or is refused before any of it is worked on.

Refusing must cost less than answering, else a server that is asked twice as much as it can do would spend itself on
saying no. So it happens in the protocol, below the application: no task, no body, no key is looked at.
"""

from __future__ import annotations

import asyncio
import resource
from http import HTTPStatus
from time import perf_counter
from typing import Any, ClassVar

from mutua.errors import Overloaded
from mutua.serving.http.exchange import ARRIVED, Reply, refusal
from mutua.serving.http.heads import BoundedHeads
from mutua.serving.security.headers import API
from mutua.serving.traffic import CONNECTIONS, Traffic

PROBES = (b"/healthz", b"/readyz", b"/metrics")
"""What is answered however long the line: by these somebody finds out what is wrong."""
SPARE_FILES = 256
"""Files left for the store, the models and the log."""


def wire(given: Reply) -> bytes:
    """Returns an answer as it goes over the connection."""
    rows = [*given.headers, *API, (b"content-length", b"%d" % len(given.body))]
    head = b"".join(b"%s: %s\r\n" % row for row in rows)
    status = HTTPStatus(given.status)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, status.phrase.encode(), head, given.body)


REFUSAL = wire(
    refusal(
        Overloaded(
            "more requests than can be answered in time",
            "a quieter moment",
            "send it again after the seconds of Retry-After; nothing of it was kept",
        )
    )
)


class _Answered:
    """Stands for an exchange that is over."""

    response_complete = True
    keep_alive = True
    message_event = asyncio.Event()


class Arrivals(BoundedHeads):
    """One connection. Made by `arrivals`, which says whose traffic it belongs to."""

    traffic: ClassVar[Traffic]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a connection, or closes it where there are too many."""
        super().connection_made(transport)
        traffic = self.traffic
        traffic.connections += 1
        if traffic.connections > traffic.most_connections:
            traffic.turned_away("connections")
            transport.write(REFUSAL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives the place back."""
        self.traffic.connections -= 1
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Gives the place back: streams have a bound of their own, and their protocol tells nothing of the end."""
        self.traffic.connections -= 1
        super().handle_websocket_upgrade()

    def on_headers_complete(self) -> None:
        """Takes the request, or refuses it where it would wait too long."""
        obstacle = self.traffic.obstacle
        if obstacle and self._refusable():
            self.traffic.turned_away(obstacle)
            self._refuse()
        else:
            super().on_headers_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.traffic.line.enter()
        cycle.scope[ARRIVED] = perf_counter()
        super()._start_asgi_task(cycle, app)

    def _refusable(self) -> bool:
        """Whether the answer can be written now, and a body or an upgrade changes nothing about it."""
        parser, cycle = self.parser, self.cycle
        first = cycle is None or cycle.response_complete
        plain = not parser.should_upgrade() and parser.get_method() != b"HEAD"
        return first and plain and not self.url.startswith(PROBES)

    def _refuse(self) -> None:
        self.cycle = _Answered()  # type: ignore[assignment]
        self.scope["method"], self.headers = self.parser.get_method().decode(), []
        self.transport.write(REFUSAL)
        keeps = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        if self.expect_100_continue or not keeps:
            self.transport.close()
        else:
            self.on_response_complete()


def arrivals(traffic: Traffic) -> type[asyncio.Protocol]:
    """Returns the class of connections that count in a process's traffic."""
    return type("Arrivals", (Arrivals,), {"traffic": traffic})


def connections_allowed() -> int:
    """Raises the limit of open files as far as the system lets it, and returns how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, soft - SPARE_FILES))
