"""The document of a run: results by model, the data, the environment."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

import msgspec

from mutua import __version__
from mutua.metrics import Gap
from mutua.metrics.bootstrap import Interval

_PACKAGES = ("numpy", "scipy", "numba", "polars")


class Trial(msgspec.Struct, frozen=True):
    """One candidate of the search: its settings, its figure on the validation part, and the seconds it took."""

    settings: dict[str, Any]
    value: float | None
    seconds: float


class Tuning(msgspec.Struct, frozen=True):
    """How the hyper-parameters were chosen.

    Args:
        held: what was held out of the training data to choose by; empty: the settings stood as given.
        complete: whether the budget sufficed for all candidates.
    """

    held: str
    metric: str
    complete: bool
    seconds: float
    trials: tuple[Trial, ...]


class FreshnessPoint(msgspec.Struct, frozen=True):
    """Figures of one group of users under one delay of the profile (or under a baseline of popularity)."""

    delay: str
    group: str
    events: int
    users: int
    metrics: dict[str, Interval]


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one model did.

    Args:
        metrics: by `name@k`; for a replay those of all users with profiles of no delay.
        fit_seconds: the last learning, without the search; all learnings of a replay together.
        score_seconds: making the views and ranking all items.
        peak_mib: the most memory of the process while it searched, learned and answered, data included.
        settings: the hyper-parameters in force.
        gaps: by group of users, how differently the ndcg at the largest cut-off serves them.
        freshness: of a replay, every delay and group.
        live_over: of a replay, by group: hits with profiles of no delay ÷ hits of the others, at the largest cut-off.
    """

    metrics: dict[str, Interval]
    fit_seconds: float
    score_seconds: float
    peak_mib: float
    settings: dict[str, Any]
    tuning: Tuning
    gaps: dict[str, Gap] = {}
    freshness: tuple[FreshnessPoint, ...] = ()
    live_over: dict[str, dict[str, Interval]] = {}


class Data(msgspec.Struct, frozen=True):
    """What was evaluated on.

    Args:
        test_users: users that were asked; left_out_users: users with held-out events but nothing to find.
        cut: RFC 3339, where one moment cuts the log; `cut_event`: the same as a place in the log's order.
        repeats: share of training target events on an item that the user had before.
    """

    path: str
    protocol: str
    split: str
    users: int
    items: int
    events: int
    train_events: int
    test_events: int
    test_users: int
    left_out_users: int
    has_time: bool
    cut: str | None
    cutoffs: tuple[int, ...]
    target_types: tuple[str, ...]
    types: dict[str, int]
    exclude_seen: bool
    exclude_seen_why: str
    repeats: float
    refused_rows: int
    seed: int
    budget: float
    notes: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True):
    """One model against the first: mean difference over users with its interval, p value, and that after Holm."""

    model: str
    against: str
    metric: str
    difference: Interval
    p: float
    p_holm: float


class Environment(msgspec.Struct, frozen=True):
    """Where it ran."""

    mutua: str
    python: str
    packages: dict[str, str]
    platform: str
    cpus: int


class Document(msgspec.Struct, frozen=True):
    """A complete run."""

    results: dict[str, Result]
    data: Data
    environment: Environment
    comparisons: tuple[Comparison, ...] = ()

    def json(self, indent: int = 1) -> str:
        """Returns the document as JSON; what is not a number is null."""
        return msgspec.json.format(msgspec.json.encode(self), indent=indent).decode()


def environment() -> Environment:
    """Returns the environment of this process."""
    return Environment(
        mutua=__version__,
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        platform=platform.platform(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )
