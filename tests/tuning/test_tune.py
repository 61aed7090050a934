"""The tuning: better than where it starts, the same again, going on where it ended, within its budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mutua.errors import UsageError
from mutua.models.registry import learner
from mutua.testing.planted import planted
from mutua.tuning.tune import tune
from mutua.tuning.wanted import Tried, Wanted

KNN = Wanted("item-knn", budget=600.0, trials=14)


def kept(tried: tuple[Tried, ...]) -> list[tuple[object, ...]]:
    return [(one.settings, one.value, one.steps, one.pruned) for one in tried]


def test_the_best_trial_through_all_steps_is_chosen() -> None:
    found = tune(planted(), KNN)
    whole = [one for one in found.tried if not one.pruned]
    assert len(found.tried) == 14
    assert found.value == max(one.value for one in whole)
    assert learner(found.line) == found.learner
    assert set(found.importance) == {"neighbours", "shrink", "transform"}


def test_bad_trials_end_early_and_cheaply() -> None:
    found = tune(planted(), KNN)
    early = [one for one in found.tried if one.pruned]
    assert early
    assert all(len(one.steps) < 3 for one in early)
    assert {len(one.steps) for one in found.tried if not one.pruned} == {3}


def test_the_same_again() -> None:
    assert kept(tune(planted(), KNN).tried) == kept(tune(planted(), KNN).tried)


def test_another_seed_draws_others() -> None:
    assert kept(tune(planted(), KNN).tried) != kept(tune(planted(), replace(KNN, seed=1)).tried)


def test_goes_on_where_it_ended_as_if_it_had_not(tmp_path: Path) -> None:
    path = tmp_path / "shop.tuning"
    tune(planted(), replace(KNN, trials=5), path)
    went_on = tune(planted(), KNN, path)
    assert went_on.resumed == 5
    assert kept(went_on.tried) == kept(tune(planted(), KNN).tried)


def test_other_data_are_another_study(tmp_path: Path) -> None:
    path = tmp_path / "shop.tuning"
    tune(planted(), replace(KNN, trials=3), path)
    assert tune(planted(seed=1), replace(KNN, trials=3), path).resumed == 0


def test_what_is_stated_stays() -> None:
    found = tune(planted(), replace(KNN, model="item-knn:transform=binary", trials=6))
    assert all("transform" not in one.settings for one in found.tried)
    assert found.learner.transform == "binary"  # type: ignore[attr-defined]


def test_a_spent_budget_ends_after_one_trial() -> None:
    assert len(tune(planted(), replace(KNN, budget=0.0)).tried) == 1


def test_folds() -> None:
    found = tune(planted(), replace(KNN, held="folds", folds=3, trials=4))
    assert found.held == "3 folds"
    one = found.tried[0]
    assert one.value == one.steps[-1]


def test_nothing_left_to_choose_is_refused() -> None:
    with pytest.raises(UsageError):
        tune(planted(), Wanted("popularity:half_life=3"))
