"""The head of a request has bounds, in seconds and in bytes, so that nobody holds connections or memory with none."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 10.0
"""After so long without a whole head, twice as long at most, a connection is closed."""
HEAD_BYTES = 64 << 10
TRAILERS = 100


class BoundedHeads(HttpToolsProtocol):
    """A connection whose requests must begin in time; what comes as a trailer is no header."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a connection, and looks at it from time to time."""
        super().connection_made(transport)
        self._head = 0
        self._seen: RequestResponseCycle | None = None
        self._looking = self.loop.call_later(HEAD_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of a connection."""
        self._looking.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hands the connection to the protocol of WebSockets, which sees to its own time."""
        self._looking.cancel()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Reads on, unless a head or what follows a body is too long."""
        super().data_received(data)
        if self.scope is not None and "method" in self.scope:
            self._head, flooded = 0, len(self.headers) > TRAILERS
        else:
            self._head += len(data)
            flooded = self._head > HEAD_BYTES
        if flooded:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Begins a request; the list of its headers is complete."""
        super().on_headers_complete()
        if not self.parser.should_upgrade():
            self.headers = []

    def _look(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._seen:
            self.transport.close()
            return
        self._seen = self.cycle
        self._looking = self.loop.call_later(HEAD_SECONDS, self._look)
