"""What comes to the process: the line of requests, those under way, what became of them."""

from __future__ import annotations

from collections import Counter

from mutua.serving.histogram import Histogram
from mutua.serving.overload import Line

CONNECTIONS = 20_000
"""Connections at once, streams among them; fewer where the system allows fewer open files."""
REQUESTS = 12_000
"""Requests under way at once: those that wait for the disk or for a version, and the streams."""


class Traffic:
    """The counts of one process. All on one loop.

    Args:
        connections, requests: at most at once.
    """

    def __init__(self, line: Line | None = None, connections: int = CONNECTIONS, requests: int = REQUESTS) -> None:
        self.line = Line() if line is None else line
        self.most_connections, self.most_requests = connections, requests
        self.connections = self.requests = 0
        self.waited, self.seconds = Histogram(), Histogram()
        self.answers = [0, 0, 0, 0, 0, 0]
        self.refused: Counter[str] = Counter()

    @property
    def obstacle(self) -> str:
        """Why no further request is taken in, `queue` or `requests`; empty where one is."""
        if self.line.full:
            return "queue"
        return "requests" if self.requests >= self.most_requests else ""

    def begun(self, waited: float) -> None:
        """Counts a request whose turn has come, and the seconds it waited."""
        self.requests += 1
        self.waited.observe(waited)

    def ended(self, status: int, seconds: float, refused: str) -> None:
        """Counts an answer.

        Args:
            status: of HTTP, 0 where there was none.
            seconds: since the request came.
            refused: the code of the error that it tells; empty for none.
        """
        self.requests -= 1
        self.answers[status // 100] += 1
        self.seconds.observe(seconds)
        if refused:
            self.refused[refused] += 1

    def turned_away(self, obstacle: str) -> None:
        """Counts a request, or a connection, that was refused unread."""
        self.answers[5] += 1
        self.refused[obstacle] += 1
