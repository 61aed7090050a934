"""Everything that `/metrics` tells: one row a metric, with what it means and where it is read. `docs/metrics.md` lists
them for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from mutua.core import clock
from mutua.errors import DamagedModel
from mutua.serving.traffic import Traffic

if TYPE_CHECKING:
    from mutua.serving.service import Service

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
Numbers = Mapping[str, float]
ONE = ""
"""The label's value of a metric without a label."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        name: without the endings that its kind brings; label: what its series differ in, empty for a single one.
        meaning: one sentence.
        read: its numbers, or histograms, by label; called when somebody asks, never on the path of a request.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    read: Callable[[], Mapping[str, Any]]
    label: str = ""

    def family(self) -> Family:
        """Returns it as Prometheus takes it."""
        labels = [self.label] if self.label else []
        if self.kind == "histogram":
            told = HistogramMetricFamily(self.name, self.meaning, labels=labels)
            for value, seen in self.read().items():
                told.add_metric([value] if labels else [], seen.cumulated(), seen.total)
            return told
        made = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        counted = made(self.name, self.meaning, labels=labels)
        for value, number in self.read().items():
            counted.add_metric([value] if labels else [], number)
        return counted


class Exposed(Collector):
    """Metrics as a registry takes them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Family]:
        """Yields each metric as of now."""
        return (metric.family() for metric in self._metrics)


def registry(service: Service) -> CollectorRegistry:
    """Returns all that one process tells: its traffic, its service, its memory and processor."""
    made = CollectorRegistry()
    made.register(
        Exposed((*of_traffic(service.traffic), *of_service(service), *of_queues(service), *of_notices(service)))
    )
    made.register(ProcessCollector(registry=None))
    return made


def of_tenant(service: Service, tenant: str) -> CollectorRegistry:
    """Returns what one tenant of several may know: its own figures, each with the label `tenant`."""
    made = CollectorRegistry()
    made.register(Labelled(Exposed((*of_service(service), *of_queues(service), *of_notices(service))), tenant))
    return made


class Labelled(Collector):
    """What a collector tells, with the label `tenant` on each series."""

    def __init__(self, inner: Exposed, tenant: str) -> None:
        self._inner, self._tenant = inner, tenant

    def collect(self) -> Iterable[Family]:
        """Yields each metric as of now."""
        for family in self._inner.collect():
            family.samples = [
                sample._replace(labels={**sample.labels, "tenant": self._tenant}) for sample in family.samples
            ]
            yield family


def of_traffic(traffic: Traffic) -> tuple[Metric, ...]:
    """Returns the metrics of what comes to the process."""
    statuses = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
    return (
        Metric(
            "mutua_requests",
            "counter",
            "Answers by class of status; none: the other side went before.",
            lambda: dict(zip(statuses, traffic.answers, strict=True)),
            "status",
        ),
        Metric(
            "mutua_refused",
            "counter",
            "Requests refused, by the code of the error, or unread because of the queue, the requests under way or the "
            "connections.",
            lambda: traffic.refused,
            "reason",
        ),
        Metric(
            "mutua_request_seconds",
            "histogram",
            "From the arrival of a request to the start of its answer.",
            lambda: {ONE: traffic.seconds},
        ),
        Metric(
            "mutua_queue_seconds",
            "histogram",
            "From the arrival of a request to its turn: how far the event loop lags.",
            lambda: {ONE: traffic.waited},
        ),
        Metric("mutua_queued_requests", "gauge", "Requests in line.", lambda: {ONE: traffic.line.waiting}),
        Metric(
            "mutua_requests_under_way",
            "gauge",
            "Requests begun and not answered, streams among them.",
            lambda: {ONE: traffic.requests},
        ),
        Metric("mutua_connections", "gauge", "Open connections.", lambda: {ONE: traffic.connections}),
    )


def of_service(service: Service) -> tuple[Metric, ...]:
    """Returns the metrics of what a service does."""
    figures = service.figures
    about = About(service)
    return (
        Metric("mutua_events", "counter", "Events by what became of them.", lambda: figures.events, "outcome"),
        Metric(
            "mutua_slates",
            "counter",
            "Slates by what was left out for want of time: nothing, linear, popularity.",
            lambda: {name or "nothing": count for name, count in figures.slates.items()},
            "degraded",
        ),
        Metric(
            "mutua_stage_seconds",
            "histogram",
            "Time by stage. Of events: parse, write (one commit, fsync included), apply. Of slates: snapshot, rank, "
            "rerank, explain, log, encode.",
            lambda: {**figures.stages, "write": service.writer.spent},
            "stage",
        ),
        Metric("mutua_slate_seconds", "histogram", "Making one slate.", lambda: {ONE: figures.slate}),
        Metric(
            "mutua_freshness_seconds",
            "histogram",
            "From an event's arrival to its being on disk and in the next slate.",
            lambda: {ONE: figures.freshness},
        ),
        Metric("mutua_version", "gauge", "The log's newest sequence number.", lambda: {ONE: service.version}),
        Metric(
            "mutua_model",
            "gauge",
            "1 for the version of the model in force; nothing where there is none.",
            lambda: dict.fromkeys(filter(None, [service.state.in_force.version]), 1.0),
            "version",
        ),
        Metric(
            "mutua_model_age_seconds", "gauge", "Since the model in force was learned.", lambda: about.age(clock.now())
        ),
        Metric(
            "mutua_model_events_behind", "gauge", "Events that the model in force did not learn from.", about.behind
        ),
        Metric(
            "mutua_settings_refused",
            "gauge",
            "1 while a changed mutua.toml is refused and the settings before are in force.",
            lambda: {ONE: float(bool(service.refused_settings))},
        ),
    )


def of_queues(service: Service) -> tuple[Metric, ...]:
    """Returns the metrics of what waits in a service, and of what was dropped because too much did."""
    slates, hub = service.slates, service.hub
    return (
        Metric("mutua_waiting_events", "gauge", "Events to be written.", lambda: {ONE: service.writer.waiting}),
        Metric("mutua_waiting_slates", "gauge", "Slates to be written.", lambda: {ONE: slates.waiting}),
        Metric("mutua_dropped_slates", "counter", "Slates lost to their log.", lambda: {ONE: slates.dropped}),
        Metric("mutua_streams", "gauge", "Readers of pushed slates.", lambda: {ONE: hub.counts().subscribers}),
        Metric("mutua_waiting_pushes", "gauge", "Users whose slates are due.", lambda: {ONE: hub.counts().waiting}),
        Metric("mutua_pushed", "counter", "Slates pushed.", lambda: {ONE: hub.counts().pushed}),
        Metric("mutua_dropped_readers", "counter", "Readers dropped as slow.", lambda: {ONE: hub.counts().dropped}),
    )


def of_notices(service: Service) -> tuple[Metric, ...]:
    """Returns the metrics of notices; without series where the server posts none."""

    def outbox() -> Numbers:
        counts = service.posted()
        return {} if counts is None else msgspec.structs.asdict(counts.outbox)

    def tried() -> Numbers:
        counts = service.posted()
        return {} if counts is None else {name: getattr(counts.done, name) for name in ("done", "failed", "dead")}

    def dropped() -> Numbers:
        counts = service.posted()
        return {} if counts is None else {ONE: counts.dropped}

    return (
        Metric(
            "mutua_notices",
            "gauge",
            "The outbox: notices waiting and capped, deliveries pending, done and dead (dead letters).",
            outbox,
            "state",
        ),
        Metric("mutua_deliveries", "counter", "Deliveries tried, by what came of it.", tried, "outcome"),
        Metric("mutua_dropped_notices", "counter", "Triggers dropped: too many waited for the outbox.", dropped),
    )


class About:
    """What the manifest of the model in force says of its learning, read once a version."""

    def __init__(self, service: Service) -> None:
        self._service, self._version = service, ""
        self._learned, self._until = 0, 0

    def age(self, now: int) -> Numbers:
        """Returns the seconds since it was learned, nothing where there is no model.

        Args:
            now: microseconds UTC.
        """
        return {ONE: (now - self._learned) / clock.SECOND} if self._known() and self._learned else {}

    def behind(self) -> Numbers:
        """Returns how many sequence numbers the log is ahead of what it learned from, nothing where there is none."""
        return {ONE: max(0, self._service.version - self._until)} if self._known() else {}

    def _known(self) -> bool:
        version = self._service.state.in_force.version
        if version != self._version:
            models = self._service.store.models
            try:
                about = models.manifest(version).meta["about"] if version else {}
            except DamagedModel:
                return False
            self._learned, self._until = about.get("learned", 0), about.get("sequence", 0)
            self._version = version
        return bool(version)
