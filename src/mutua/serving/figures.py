"""What one service counts on the path of a request; `metrics` says how it is told to Prometheus."""

from __future__ import annotations

from mutua.serving.histogram import Histogram, TimedLaps
from mutua.slates import Degraded

STAGES = ("parse", "apply", "snapshot", "rank", "rerank", "explain", "log", "encode")


class Figures:
    """The counts of one service. Moved on its loop alone."""

    def __init__(self) -> None:
        self.stages = {stage: Histogram() for stage in STAGES}
        self.laps = TimedLaps({stage: self.stages[stage] for stage in STAGES[2:]})
        self.slate, self.freshness = Histogram(), Histogram()
        self.events = {"accepted": 0, "duplicate": 0, "rejected": 0}
        self.slates: dict[Degraded, int] = {"": 0, "linear": 0, "popularity": 0}

    def parsed(self, rejected: int, seconds: float) -> None:
        """Counts the events of one request that were refused, and how long reading all of them took."""
        self.events["rejected"] += rejected
        self.stages["parse"].observe(seconds)

    def written(self, events: int, fresh: int, seconds: float) -> None:
        """Counts the good events of one request and how long they took to be visible."""
        self.events["accepted"] += fresh
        self.events["duplicate"] += events - fresh
        self.freshness.observe(seconds)

    def applied(self, seconds: float) -> None:
        """Counts one commit that has moved the state."""
        self.stages["apply"].observe(seconds)

    def answered(self, degraded: Degraded, seconds: float) -> None:
        """Counts one slate."""
        self.slates[degraded] += 1
        self.slate.observe(seconds)
