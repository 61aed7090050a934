"""The figures of all workers in one text for Prometheus, each with the worker's number."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


def joined(reports: Iterable[tuple[int, bytes]]) -> bytes:
    """Returns one text of several, every sample labelled with the number of the worker that it is of.

    Example:
        >>> joined([(1, b"# TYPE asked counter\\nasked_total 2.0\\n")]).decode().splitlines()[-1]
        'asked_total{worker="1"} 2.0'
    """
    registry = CollectorRegistry()
    registry.register(_Joined(reports))
    return generate_latest(registry)


class _Joined(Collector):
    def __init__(self, reports: Iterable[tuple[int, bytes]]) -> None:
        self._reports = sorted(reports)

    def collect(self) -> Iterable[Metric]:
        """Returns families by name, with the samples of every worker."""
        families: dict[str, Metric] = {}
        for worker, text in self._reports:
            for family in text_string_to_metric_families(text.decode()):
                into = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    into.samples.append(sample._replace(labels={**sample.labels, "worker": str(worker)}))
        return families.values()
