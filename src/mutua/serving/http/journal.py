"""Which requests get a line in the log: faults always, good answers of the hot routes one in many or none."""

from __future__ import annotations

from mutua.serving.http.hot import HOT
from mutua.serving.security.keys import Access
from mutua.serving.security.logs import RequestLog

SHED = frozenset({429, 503})
"""Answers of a server that is asked too much: counted in `/metrics`, for a line each would be work without end."""
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class Journal:
    """Chooses, and writes.

    Args:
        log: None to write nothing.
        every: of the good answers of the hot routes one in so many; 0 for none.
    """

    def __init__(self, log: RequestLog | None = None, every: int = 0) -> None:
        self._log, self._every = log, every
        self._good = 0

    def note(self, method: str, route: str, status: int, seconds: float, access: Access | None) -> None:
        """Writes the line of one request if it is one to be written; see `RequestLine`.

        Args:
            access: what its key may do; None where none was looked at.
        """
        if self._log is not None and self._wanted(route, status):
            tenant, key = ("", "") if access is None else (access.tenant, access.key_id)
            self._log.write(method, route, status, seconds * 1_000, tenant, key)

    def _wanted(self, route: str, status: int) -> bool:
        if status in SHED:
            return False
        if status >= 400 or status == 0:
            return True
        if route in PROBES:
            return False
        if route not in HOT:
            return True
        self._good += 1
        return self._every > 0 and self._good % self._every == 0
