"""Whether a rate has fallen to half: Page's test on hits and misses that are seen one by one."""

from __future__ import annotations

from math import log, sqrt


class Fall:
    """Adds up how much likelier each hit or miss is at half the rate than at the rate before, never below nothing.

    Page (1954), with the logarithm of the likelihood ratio. The rate before is that of what was seen until the sum was
    last nothing, so that a fall does not pull down what it is measured by; it is taken one standard error lower, for
    the first values say it badly. How often it is wrong and how soon it tells stands in docs/server.md, by simulation.

    Args:
        share: of the rate before to which it must fall to be told soonest.
        limit: the sum at which it has fallen.
        least: values before which nothing is told.
    """

    def __init__(self, share: float = 0.5, limit: float = 16.0, least: int = 1_000) -> None:
        self._share, self._limit, self._least = share, limit, least
        self.restart()

    def restart(self) -> None:
        """Forgets everything, as after a new model."""
        self.count = self._hits = 0
        self._usual = self._usual_hits = 0
        self._sum = 0.0

    @property
    def mean(self) -> float:
        """The rate of all that was seen, 0 for nothing."""
        return self._hits / self.count if self.count else 0.0

    def seen(self, hit: bool) -> bool:
        """Takes a hit or a miss and returns whether the rate has fallen; under a microsecond."""
        self.count += 1
        self._hits += hit
        if self.count > self._least:
            self._sum = max(0.0, self._sum + self._evidence(hit))
        if not self._sum:
            self._usual, self._usual_hits = self.count, self._hits
        return self._sum > self._limit

    def _evidence(self, hit: bool) -> float:
        """The logarithm of how much likelier the value is at half the rate; 0 where all were hits, or misses."""
        rate = self._usual_hits / self._usual
        rate -= sqrt(rate * (1 - rate) / self._usual)
        if not 0 < rate < 1:
            return 0.0
        return log(self._share) if hit else log((1 - self._share * rate) / (1 - rate))
