"""Whether a figure has fallen: the test of Page and Hinkley on what is seen one by one."""

from __future__ import annotations

from math import sqrt


class Fall:
    """Adds up by how much each value lies below the mean so far, in standard deviations, and tells when that is much.

    Page (1954). Values that stay as they are give a false alarm less than once in a hundred thousand; a rate of one in
    ten that falls to a third of that is told of after some thousand, one that falls to nothing after some hundred.

    Args:
        slack: standard deviations that a value may lie below the mean without counting.
        limit: the sum at which the figure has fallen.
        least: values before which nothing is told.
    """

    def __init__(self, slack: float = 0.1, limit: float = 50.0, least: int = 200) -> None:
        self._slack, self._limit, self._least = slack, limit, least
        self.restart()

    def restart(self) -> None:
        """Forgets everything, as after a new model."""
        self.count, self.mean, self._squares, self._sum = 0, 0.0, 0.0, 0.0

    def seen(self, value: float) -> bool:
        """Takes a value and returns whether the figure has fallen; under a microsecond."""
        self.count += 1
        before = self.mean
        self.mean += (value - before) / self.count
        self._squares += (value - before) * (value - self.mean)
        if self.count <= self._least:
            return False
        deviation = sqrt(self._squares / self.count) or 1.0
        self._sum = max(0.0, self._sum + (self.mean - value) / deviation - self._slack)
        return self._sum > self._limit
