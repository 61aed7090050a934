"""The search for hyper-parameters: right on planted data, deterministic, within its budget, blind to the test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import pytest

from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.learning.search import DRAWS, search
from mutua.models.base import TrainingData
from mutua.models.linear.popularity import Popularity, PopularityModel


def data_of(log: Interactions) -> TrainingData:
    return TrainingData(
        log.by_user(), AttributeTable(log.n_users), AttributeTable(log.n_items), int(log.time.max(initial=0))
    )


@pytest.fixture
def fashions() -> TrainingData:
    """Each week everyone takes that week's items: old popularity misleads."""
    draws = np.random.default_rng(0)
    day = np.sort(draws.integers(0, 200, 4_000))
    item = (day // 7) * 3 + draws.integers(0, 3, 4_000)
    return data_of(Interactions.of(draws.integers(0, 300, 4_000), item, day * DAY))


@dataclass(frozen=True)
class Spy(Popularity):
    """Popularity that writes down what it was shown."""

    name: ClassVar[str] = "spy"
    shown: list[int] = field(default_factory=list, compare=False, hash=False)

    def learn(self, data: TrainingData, seed: int = 0) -> PopularityModel:
        self.shown.append(len(data.interactions))
        return super().learn(data, seed)

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:  # noqa: ARG002
        return (self, replace(self, half_life=1.0))


def test_finds_the_planted_half_life(fashions: TrainingData) -> None:
    chosen = search(Popularity(), fashions, budget=60.0)
    assert isinstance(chosen.learner, Popularity)
    assert 0 < chosen.learner.half_life <= 7
    assert chosen.complete
    assert len(chosen.trials) == len(Popularity().candidates(fashions))
    best = max(trial.value for trial in chosen.trials)
    assert next(trial.learner for trial in chosen.trials if trial.value == best) == chosen.learner
    assert best > 2 * chosen.trials[0].value


def test_is_deterministic(fashions: TrainingData) -> None:
    first, again = (search(Popularity(), fashions, budget=60.0, seed=3) for _ in range(2))
    assert [trial.value for trial in first.trials] == [trial.value for trial in again.trials]
    assert first.learner == again.learner


def test_learns_again_on_all_data(fashions: TrainingData) -> None:
    spy = Spy()
    search(spy, fashions, budget=60.0)
    assert len(spy.shown) == 3
    assert spy.shown[2] == len(fashions.interactions) > spy.shown[0] == spy.shown[1]


@pytest.mark.parametrize(("held", "draws"), [("share", DRAWS), ("last", 1), ("time", 1)])
def test_few_users_are_asked_again_on_other_draws(fashions: TrainingData, held: str, draws: int) -> None:
    spy = Spy()
    chosen = search(spy, fashions, budget=60.0, held=held)  # type: ignore[arg-type]
    assert len(chosen.trials) == 2
    assert len(spy.shown) == 2 * draws + 1


def test_a_figure_is_the_mean_over_the_draws(fashions: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    averaged = search(Popularity(), fashions, budget=60.0, held="share").trials[0].value
    monkeypatch.setattr("mutua.learning.search.DRAWS", 1)
    single = [search(Popularity(), fashions, 60.0, seed, held="share").trials[0].value for seed in range(DRAWS)]
    assert averaged == pytest.approx(np.mean(single))


def test_no_budget_learns_the_learner_as_it_stands(fashions: TrainingData) -> None:
    chosen = search(Popularity(3.0), fashions, budget=0.0)
    assert chosen.learner == Popularity(3.0)
    assert chosen.trials == ()
    assert chosen.complete


def test_a_spent_budget_stops_the_search(fashions: TrainingData) -> None:
    chosen = search(Popularity(), fashions, budget=1e-9)
    assert not chosen.complete
    assert len(chosen.trials) == 0
    assert chosen.learner == Popularity()


@pytest.mark.parametrize(("held", "name"), [("last", "leave one out"), ("share", "share of each user")])
def test_holds_out_as_asked(fashions: TrainingData, held: str, name: str) -> None:
    assert search(Spy(), fashions, 60.0, held=held).held == name  # type: ignore[arg-type]


def test_too_little_to_hold_out_learns_the_default() -> None:
    chosen = search(Spy(), data_of(Interactions.of([0], [0])), 60.0)
    assert chosen.trials == ()
    assert chosen.model.n_items == 1


def test_nothing_to_learn_is_said() -> None:
    with pytest.raises(NotEnoughData):
        search(Popularity(), data_of(Interactions.of([], [])), 60.0)
