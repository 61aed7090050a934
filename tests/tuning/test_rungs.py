"""The steps of a trial: each dearer, all asking the same, and folds that hold every item out once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mutua.errors import UsageError
from mutua.models.linear.popularity import Popularity
from mutua.testing.planted import planted
from mutua.tuning.rungs import SHARES, rungs


def test_by_time_every_step_learns_from_more_users_and_asks_the_same() -> None:
    found = rungs(planted(), "auto", 4, True, 0)
    users = [set(step.data.interactions.user.tolist()) for step in found.steps]
    assert len(users) == len(SHARES)
    assert all(less < more for less, more in pairwise(users))
    assert users[-1] == set(found.steps[-1].known.user.tolist())
    assert len({id(step.asked) for step in found.steps}) == 1
    assert [step.cost for step in found.steps] == [1, 2, 4]
    assert not found.averaged


def test_nothing_that_is_held_out_is_learned_from() -> None:
    for step in rungs(planted(), "time", 4, True, 0).steps:
        assert step.data.interactions.time.max() < step.asked.moment.min()


def test_every_fold_is_held_out_once() -> None:
    data = planted()
    found = rungs(data, "folds", 3, False, 0)
    held = [
        {
            (user, item)
            for user, item in zip(step.asked.users[step.asked.targets.owner], step.asked.targets.item, strict=True)
        }
        for step in found.steps
    ]
    target = data.interactions.is_target
    pairs = set(zip(data.interactions.user[target].tolist(), data.interactions.item[target].tolist(), strict=True))
    assert sum(map(len, held)) == len(set().union(*held)) == len(pairs)
    assert found.averaged


def test_a_value_is_a_mean_of_ndcg() -> None:
    step = rungs(planted(), "time", 4, True, 0).steps[-1]
    value = step.value(Popularity(), 0, 10)
    assert 0 < value < 1
    assert np.isfinite(value)


@pytest.mark.parametrize(("held", "folds"), [("sometimes", 4), ("folds", 1)])
def test_what_cannot_be_held_out_is_refused(held: str, folds: int) -> None:
    with pytest.raises(UsageError):
        rungs(planted(), held, folds, True, 0)  # type: ignore[arg-type]
