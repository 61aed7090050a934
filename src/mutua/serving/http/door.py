"""The outermost layer: where a request's turn comes it leaves the line; once answered it is counted and logged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from mutua.serving.http.exchange import ACCESS, ARRIVED, REFUSED, WAITED, Application, Message, Receive, Scope, Send
from mutua.serving.http.hot import OF_USER, POSTED, RECOMMENDATIONS, USERS
from mutua.serving.http.journal import Journal
from mutua.serving.traffic import Traffic

Clock = Callable[[], float]


class Door:
    """Counts, times and logs every request to an application.

    Args:
        clock: seconds that never jump; the same that stamps arrivals.
    """

    def __init__(self, inner: Application, traffic: Traffic, journal: Journal, clock: Clock = perf_counter) -> None:
        self._inner, self._traffic, self._journal, self._clock = inner, traffic, journal, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; about 2 µs beside what the application takes."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        traffic, began = self._traffic, self._clock()
        arrived = scope.get(ARRIVED)
        if arrived is None:
            arrived = began
        else:
            traffic.line.leave(began)
        scope[WAITED] = began - arrived
        traffic.begun(began - arrived)
        status, seconds = 0, 0.0

        def watched(message: Message) -> Awaitable[None]:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], self._clock() - arrived
            return send(message)

        try:
            await self._inner(scope, receive, watched)
        finally:
            traffic.ended(status, seconds, scope.get(REFUSED, ""))
            self._journal.note(scope["method"], route_of(scope), status, seconds, scope.get(ACCESS))


def route_of(scope: Scope) -> str:
    """Returns the template of a request's path, which holds no id; `unknown` where no route matched."""
    path: str = scope["path"]
    if path in POSTED:
        return path
    if path.startswith(USERS) and path.endswith(RECOMMENDATIONS):
        return OF_USER
    template: str = getattr(scope.get("route"), "path", "unknown")
    return template.replace(":path}", "}")
