"""A tuning as pictures: how the best value rose over the trials, and which settings mattered."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from mutua.lab.plots import canvas, written
from mutua.tuning.wanted import METRIC, Tuned


def history(tuned: Tuned, path: Path) -> Path:
    """Writes every trial's value and the best so far, and returns the path.

    Args:
        path: ending in .png or .svg.

    Raises:
        MissingExtra: code `extra.missing`; matplotlib is not installed.
        UsageError: code `usage`; another ending.
    """
    picture, axes = canvas(path)
    for pruned, mark, colour, label in ((False, "o", "#4477aa", "all steps"), (True, "x", "#bbbbbb", "ended early")):
        some = [one for one in tuned.tried if one.pruned is pruned]
        axes.scatter([one.number for one in some], [one.value for one in some], marker=mark, color=colour, label=label)
    done = [one for one in tuned.tried if not one.pruned]
    best = list(accumulate((one.value for one in done), max))
    axes.step([one.number for one in done], best, where="post", color="#ee6677", label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{METRIC} ({tuned.held})")
    axes.legend()
    return written(picture, path)


def importance(tuned: Tuned, path: Path) -> Path:
    """Writes the share of every setting in what sets the better trials apart, and returns the path.

    Raises:
        MissingExtra, UsageError: as `history`.
    """
    picture, axes = canvas(path)
    shares = sorted(tuned.importance.items(), key=lambda one: one[1])
    axes.barh([name for name, _ in shares], [share for _, share in shares], color="#4477aa")
    axes.set_xlabel("importance (PED-ANOVA)")
    return written(picture, path)
