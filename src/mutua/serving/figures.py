"""Figures for Prometheus: rates, latencies by stage, freshness."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Figures:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        events = Counter("mutua_events", "Events by what became of them.", ("outcome",), registry=self.registry)
        self._accepted, self._duplicates = events.labels("accepted"), events.labels("duplicate")
        self._freshness = Histogram(
            "mutua_freshness_seconds",
            "From an event's arrival to its being on disk and in the next slate.",
            registry=self.registry,
            buckets=SECONDS,
        )
        self._slates = Histogram("mutua_slate_seconds", "Making one slate.", registry=self.registry, buckets=SECONDS)

    def written(self, events: int, fresh: int, seconds: float) -> None:
        """Counts the events of one request and how long they took to be visible."""
        self._accepted.inc(fresh)
        self._duplicates.inc(events - fresh)
        self._freshness.observe(seconds)

    def answered(self, seconds: float) -> None:
        """Counts one slate."""
        self._slates.observe(seconds)

    def text(self) -> bytes:
        """Returns the figures as Prometheus reads them."""
        return generate_latest(self.registry)


class _Labelled(Collector):
    def __init__(self, registry: CollectorRegistry, tenant: str) -> None:
        self._registry, self._tenant = registry, tenant

    def collect(self) -> Iterable[Metric]:
        for family in self._registry.collect():
            family.samples = [
                sample._replace(labels={**sample.labels, "tenant": self._tenant}) for sample in family.samples
            ]
            yield family


def labelled(registry: CollectorRegistry, tenant: str) -> CollectorRegistry:
    """Returns figures with the label `tenant` on each, where a server has several."""
    made = CollectorRegistry()
    made.register(_Labelled(registry, tenant))
    return made
