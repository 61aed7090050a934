"""Protocols: from a path and options to what is learned from, what is asked, and what stands in the report about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mutua.core.clock import HOUR, format_time, parse_time
from mutua.errors import NotEnoughData, UnreadableFile, UsageError
from mutua.events.interactions import Interactions
from mutua.events.types import Types
from mutua.lab import dataset
from mutua.lab.dataset import Dataset
from mutua.lab.splits import Split, by_share_of_time, by_share_of_user, by_time, given, leave_last
from mutua.learning.search import Held

PROTOCOLS = ("lightgcn", "leave-one-out", "holdout", "by-user", "replay")
EXCLUDE_SEEN = ("auto", "yes", "no")
HELD: Mapping[str, Held] = {"leave-one-out": "last", "by-user": "share", "lightgcn": "share", "replay": "last"}
"""What the search holds out, so that it chooses by questions like those of the test."""
STEP = 6 * HOUR
"""Time between two events of a user where only their order is known: the grid of half-lives then counts events."""
STEP_NOTE = "no times: each user's events count as 6 hours apart, in the order of the file"
FREQUENT = 0.2
"""Share of repeats in training from which `auto` lets seen items be recommended again."""


@dataclass(frozen=True)
class Options:
    """What a run was asked for.

    Args:
        protocol: one of `PROTOCOLS`.
        path: the data; for `lightgcn` the folder of train.txt and test.txt; a mere name where data are given.
        models: as the registry reads them, such as `ease:ridge=200`.
        mapping: the `--map` text.
        more: further files, of users or items.
        at: the moment of the cut, RFC 3339 or seconds since 1970; None: by `fraction`.
        fraction: share of events, the newest, that are held out or replayed; for `by-user` of each user's items.
        cutoffs: the values of k.
        target_type: the only type of event that counts as a hit; None: all target types.
        exclude_seen: `yes`, `no`, or `auto`: for `lightgcn` and `leave-one-out` yes, else by how often users come back
            to an item in training.
        budget: seconds for choosing and learning each model; 0 takes the settings as given.
        refit_every: of a replay, events after which the model learns again; 0: never.
    """

    protocol: str
    path: Path | str
    models: tuple[str, ...] = ("default",)
    mapping: str = ""
    more: tuple[Path, ...] = ()
    at: str | None = None
    fraction: float = 0.2
    cutoffs: tuple[int, ...] = (10, 20)
    target_type: str | None = None
    exclude_seen: str = "auto"
    seed: int = 0
    budget: float = 60.0
    refit_every: int = 0

    def __post_init__(self) -> None:
        for good, came, expected in (
            (self.protocol in PROTOCOLS, f"protocol {self.protocol!r}", ", ".join(PROTOCOLS)),
            (self.exclude_seen in EXCLUDE_SEEN, f"exclude-seen {self.exclude_seen!r}", ", ".join(EXCLUDE_SEEN)),
            (0.0 < self.fraction < 1.0, f"fraction {self.fraction}", "a number between 0 and 1"),
            (bool(self.cutoffs) and min(self.cutoffs) > 0, f"cutoffs {self.cutoffs}", "whole numbers from 1"),
            (bool(self.models), "no model", "at least one model's name"),
            (self.budget >= 0, f"budget {self.budget}", "seconds, 0 or more"),
            (self.refit_every >= 0, f"refit every {self.refit_every}", "a number of events, 0 or more"),
        ):
            if not good:
                raise UsageError(came, expected, "correct this option")


@dataclass(frozen=True, eq=False)
class Task:
    """A protocol applied to data.

    Args:
        split: what is learned from and what is held out; of a replay, before and after the cut.
        cut: of a replay, the place in the canonical order from which events are foreseen.
        held: what the search holds out of the training data.
        moment: of the cut, RFC 3339, where there is one for all.
        why: how `exclude_seen` was decided.
    """

    data: Dataset
    split: Split
    cut: int
    held: Held
    moment: str | None
    exclude_seen: bool
    why: str
    repeats: float


def prepare(options: Options, data: Dataset | None = None) -> Task:
    """Returns the task that `options` describe.

    Args:
        data: what to evaluate on; default: what stands at `options.path`.

    Raises:
        UnreadableFile, MissingColumn: codes `file.…`; as `dataset.load`.
        UsageError: code `usage`; `at` without times, an unknown target type.
        NotEnoughData: code `data.too-few`; one side of the cut is empty.
    """
    data = _loaded(options) if data is None else data
    if options.target_type is not None:
        data = replace(data, interactions=only_target(data.interactions, options.target_type))
    if options.protocol == "leave-one-out" and not data.interactions.has_time:
        data = replace(data, interactions=stepped(data.interactions), notes=(*data.notes, STEP_NOTE))
    rows = data.interactions
    if options.at is not None and options.protocol in ("holdout", "replay"):
        split = by_time(rows, _moment(options.at, rows))
    elif options.protocol == "lightgcn":
        split = given(rows, rows.sequence >= data.parts[0])
    elif options.protocol == "leave-one-out":
        split = leave_last(rows)
    elif options.protocol == "by-user":
        split = by_share_of_user(rows, options.fraction, options.seed)
    else:
        split = by_share_of_time(rows, options.fraction)
    if not len(split.train) or not len(split.test):
        empty = "test" if len(split.train) else "training"
        raise NotEnoughData(
            f"{len(rows)} events, none of them in the {empty} part ({split.name})",
            "target events on both sides of the cut",
            "cut elsewhere with --at or --fraction, or name another target type",
        )
    repeats = split.train.share_of_returns
    exclude, why = _exclude(options, repeats)
    held = HELD.get(options.protocol, "auto")
    whole = options.protocol in ("holdout", "replay") and rows.has_time
    moment = format_time(int(split.moment[0])) if whole else None
    return Task(data, split, len(split.train), held, moment, exclude, why, repeats)


def only_target(rows: Interactions, name: str) -> Interactions:
    """Returns the rows with one type of event as the only target.

    Raises:
        UsageError: code `usage`; no event of this type.
    """
    code = Types(known=rows.types).index(name)
    there = sorted({rows.types[found] for found in np.unique(rows.type).tolist()})
    if code >= len(rows.types) or rows.types[code] not in there:
        raise UsageError(f"target type {name!r}", f"one of {', '.join(there)}", "name a type that the file holds")
    return replace(rows, targets=tuple(place == code for place in range(len(rows.types))))


def stepped(rows: Interactions) -> Interactions:
    """Returns rows whose order is all that is known of their times, each user's events one `STEP` apart."""
    grouped = rows.by_user()
    place = np.arange(len(grouped)) - np.searchsorted(grouped.user, grouped.user)
    return replace(grouped, time=(place + 1) * STEP)


def _loaded(options: Options) -> Dataset:
    path = Path(options.path)
    if options.protocol != "lightgcn":
        return dataset.load(path, options.mapping, *options.more)
    files = [path / name for name in ("train.txt", "test.txt")]
    for file in files:
        if not file.is_file():
            raise UnreadableFile(f"no {file.name} in {path}", "a folder with train.txt and test.txt", "name it")
    return dataset.load_lists(files, options.more)


def _moment(at: str, rows: Interactions) -> int:
    if not rows.has_time:
        raise UsageError("--at for data without times", "--fraction", "cut by a share of the file instead")
    return parse_time(at)


def _exclude(options: Options, repeats: float) -> tuple[bool, str]:
    if options.exclude_seen != "auto":
        return options.exclude_seen == "yes", "as asked"
    if options.protocol in ("lightgcn", "leave-one-out"):
        return True, f"usual for {options.protocol}"
    often = repeats >= FREQUENT
    return not often, (
        f"{repeats:.0%} of the target events in training repeat an item of their user: "
        + ("coming back is part of this data" if often else "coming back is rare")
    )
