"""What a tuning is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mutua.models.base import Learner
from mutua.models.registry import described
from mutua.tuning.rungs import Held

K = 10
METRIC = f"ndcg@{K}"


@dataclass(frozen=True)
class Wanted:
    """What a tuning was asked for.

    Args:
        model: as the registry reads it; settings that it states stay as they are.
        budget: seconds; a trial starts only if it is likely to end in time.
        trials: of the study in all, those of earlier calls included; 0: as many as the budget allows.
        held: see `rungs`; folds: how many, where it is `folds`.
        exclude_seen: whether a trial is judged on items that are new to their users only.
    """

    model: str = "default"
    budget: float = 60.0
    trials: int = 0
    held: Held = "auto"
    folds: int = 4
    exclude_seen: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Tried:
    """One trial that ended.

    Args:
        settings: those that were tried.
        value: ndcg@10 on what was held out, after its last step; steps: after each.
        pruned: whether it was ended before the last step.
    """

    number: int
    settings: dict[str, Any]
    value: float
    steps: tuple[float, ...]
    pruned: bool
    seconds: float


@dataclass(frozen=True)
class Tuned:
    """What a tuning found.

    Args:
        learner: the best of the trials that went through all steps; value: its ndcg@10.
        held: what was held out to judge by.
        tried: in order, those of earlier calls first; resumed: how many those are.
        importance: by setting, its share in what sets the better trials apart; empty where too few ended.
    """

    learner: Learner
    value: float
    held: str
    tried: tuple[Tried, ...]
    resumed: int
    importance: dict[str, float]
    seconds: float

    @property
    def line(self) -> str:
        """The settings as `mutua learn --model` reads them."""
        return described(self.learner)


Told = Callable[[Tried], None]
"""Called with every trial as it ends."""


def silent(tried: Tried) -> None:
    """Trials that nobody wants to see."""
