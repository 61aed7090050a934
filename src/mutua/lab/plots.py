"""A run's document as pictures: bars that compare models, and the curve of hits against the delay of the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mutua.errors import MissingExtra, UsageError
from mutua.lab.document import Document, FreshnessPoint
from mutua.lab.replay import LIVE_POPULARITY, POPULARITY
from mutua.metrics.bootstrap import Interval

FORMATS = (".png", ".svg")
_BASELINES = (POPULARITY, LIVE_POPULARITY)


def comparison(document: Document, metric: str, path: Path) -> Path:
    """Writes bars of one metric by model, with intervals, and returns the path.

    Args:
        metric: as `name@k`.
        path: ending in .png or .svg.

    Raises:
        MissingExtra: code `extra.missing`; matplotlib is not installed.
        UsageError: code `usage`; another ending, or a metric that no model has.
    """
    figures = {name: result.metrics[metric] for name, result in document.results.items() if metric in result.metrics}
    if not figures:
        known = sorted({name for result in document.results.values() for name in result.metrics})
        raise UsageError(f"metric {metric!r}", ", ".join(known), "name one of these")
    picture, axes = canvas(path)
    places = range(len(figures))
    values = [figure.value for figure in figures.values()]
    axes.barh(places, values, xerr=_errors(list(figures.values())), color="#4477aa", ecolor="#333333", capsize=3)
    axes.set_yticks(places, list(figures))
    axes.invert_yaxis()
    axes.set_xlabel(f"{metric} ({document.data.protocol}, 95 % interval over users)")
    return written(picture, path)


def freshness(document: Document, model: str, metric: str, path: Path) -> Path:
    """Writes the curve of a replay's metric against the delay of the profile, a line a group; returns the path.

    Args:
        metric: as `hr@10`; path: ending in .png or .svg.

    Raises:
        MissingExtra: code `extra.missing`; matplotlib is not installed.
        UsageError: code `usage`; another ending, a model without a replay, or a metric that it lacks.
    """
    points = document.results[model].freshness if model in document.results else ()
    if not points or metric not in points[0].metrics:
        known = ", ".join(points[0].metrics) if points else "a model of a replay"
        raise UsageError(f"{metric!r} of {model!r}", known, "run the replay protocol with this model")
    picture, axes = canvas(path)
    for place, group in enumerate(dict.fromkeys(point.group for point in points)):
        of_group = [point for point in points if point.group == group]
        delays = [point for point in of_group if point.delay not in _BASELINES]
        _line(axes, delays, metric, f"C{place}")
        for point in of_group:
            if point.delay == LIVE_POPULARITY:
                axes.axhline(point.metrics[metric].value, color=f"C{place}", linestyle=":", linewidth=1)
    axes.set_xlabel("delay of the profile (dotted: live popularity)")
    axes.set_ylabel(f"{metric}, 95 % interval over users")
    axes.set_ylim(bottom=0)
    axes.legend()
    return written(picture, path)


def _line(axes: Any, points: list[FreshnessPoint], metric: str, colour: str) -> None:
    figures = [point.metrics[metric] for point in points]
    axes.errorbar(
        [point.delay for point in points],
        [figure.value for figure in figures],
        yerr=_errors(figures),
        color=colour,
        capsize=3,
        marker="o",
        label=f"{points[0].group} users ({points[0].events} events)",
    )


def canvas(path: Path) -> tuple[Any, Any]:
    """Returns an empty figure of matplotlib and its axes, for `written`.

    Raises:
        MissingExtra: code `extra.missing`; matplotlib is not installed.
        UsageError: code `usage`; a path that ends neither in .png nor in .svg.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"picture {path.name!r}", " or ".join(FORMATS), "choose one of these endings")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as reason:
        raise MissingExtra("matplotlib is not installed", "the extra `plots`", "pip install 'mutua[plots]'") from reason
    picture = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(picture)
    return picture, picture.add_subplot()


def _errors(figures: list[Interval]) -> tuple[list[float], list[float]]:
    below = [max(0.0, figure.value - figure.low) for figure in figures]
    return below, [max(0.0, figure.high - figure.value) for figure in figures]


def written(picture: Any, path: Path) -> Path:
    """Writes a figure and returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=150)
    return path
