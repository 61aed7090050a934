"""Evaluation of real models on planted data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from mutua.catalog.table import AttributeTable, Labels, Sets
from mutua.events.interactions import Interactions
from mutua.lab.evaluate import activity, evaluate
from mutua.learning.split import Split, by_share_of_user, by_time, leave_last, questions
from mutua.models.base import TrainingData
from mutua.models.linear.biased_mf import BiasedMf
from mutua.models.linear.item_knn import ItemKnn
from mutua.models.linear.popularity import Popularity

USERS, ITEMS = 60, 40


@pytest.fixture(scope="module")
def tastes() -> Interactions:
    """Even users like even items, odd users odd ones."""
    draws = np.random.default_rng(0)
    user = np.repeat(np.arange(USERS), 15)
    item = draws.integers(0, ITEMS // 2, len(user)) * 2 + user % 2
    return Interactions.of(user, item, draws.integers(1, 1_000, len(user)), n_users=USERS, n_items=ITEMS)


@pytest.fixture(scope="module")
def split(tastes: Interactions) -> Split:
    return by_share_of_user(tastes, 0.25, seed=1)


USERS_TABLE = AttributeTable(USERS, {"sex": Labels(np.arange(USERS, dtype=np.int32) % 2, ("even", "odd"))})
ITEMS_TABLE = AttributeTable(ITEMS, {"category": Labels(np.arange(ITEMS, dtype=np.int32) % 2, ("even", "odd"))})


def data_of(split: Split) -> TrainingData:
    return TrainingData(split.train, USERS_TABLE, ITEMS_TABLE, int(split.train.time.max()))


def test_a_model_that_sees_taste_beats_popularity_on_all_counts(split: Split) -> None:
    asked = questions(split, exclude_seen=True)
    data = data_of(split)
    knn, popular = (
        evaluate(learner.learn(data), split, asked, USERS_TABLE, ITEMS_TABLE, (5, 10)).metrics
        for learner in (ItemKnn(), Popularity())
    )
    for name in ("recall@10", "ndcg@5", "map@10", "mrr@10", "hr@5", "auc", "accuracy@10"):
        assert knn[name].value > popular[name].value, name
        assert knn[name].low <= knn[name].value <= knn[name].high
    assert knn["auc"].value > 0.75
    assert knn["calibration@10"].value < popular["calibration@10"].value
    assert knn["diversity@10"].value < popular["diversity@10"].value
    assert knn["coverage@10"].value >= popular["coverage@10"].value


def test_groups_and_per_user_values_come_with_it(split: Split) -> None:
    asked = questions(split, exclude_seen=True)
    found = evaluate(Popularity().learn(data_of(split)), split, asked, USERS_TABLE, ITEMS_TABLE, (10,))
    assert set(found.gaps) == {"activity", "sex"}
    assert set(found.gaps["sex"].means) == {"even", "odd"}
    assert np.nanmean(found.per_user["ndcg@10"]) == pytest.approx(found.metrics["ndcg@10"].value)
    assert len(found.users) == len(asked)


def test_equal_seeds_give_equal_figures(split: Split) -> None:
    asked = questions(split, exclude_seen=False)
    model = Popularity().learn(data_of(split))
    first, again = (evaluate(model, split, asked, USERS_TABLE, ITEMS_TABLE, (3,), seed=4).metrics for _ in range(2))
    assert first == again


def test_activity_counts_training_events(tastes: Interactions) -> None:
    split = by_time(tastes, 200)
    found = activity(split)
    events = np.bincount(split.train.user, minlength=USERS)
    assert found.tolist() == [2 if count >= 10 else 1 if count else 0 for count in events]


def test_items_may_have_many_tags(tastes: Interactions) -> None:
    split = leave_last(tastes)
    tags = Sets(sparse.csr_matrix(np.eye(ITEMS, dtype=np.float32)), tuple(map(str, range(ITEMS))))
    items = AttributeTable(ITEMS, {"tags": tags})
    asked = questions(split, exclude_seen=False)
    found = evaluate(Popularity().learn(data_of(split)), split, asked, USERS_TABLE, items, (5,)).metrics
    assert found["diversity@5"].value == 1.0


def test_ratings_are_foreseen_better_than_by_their_mean() -> None:
    draws = np.random.default_rng(1)
    user, item = np.repeat(np.arange(80), 20), draws.integers(0, 50, 1_600)
    value = np.clip(3 + (user % 5 - 2) * 0.6 + (item % 3 - 1) * 0.7 + draws.normal(0, 0.2, 1_600), 1, 5)
    log = Interactions.of(user, item, value=value, types=("rating",), ratings=(True,))
    split = by_share_of_user(log, 0.25, seed=0)
    model = BiasedMf().learn(TrainingData(split.train, AttributeTable(80), AttributeTable(50), 0))
    asked = questions(split, exclude_seen=True)
    found = evaluate(model, split, asked, AttributeTable(80), AttributeTable(50), (5,)).metrics
    assert found["rmse"].value == pytest.approx(found["mse"].value ** 0.5)
    assert found["rmse"].value < 0.8 * split.test.value.std()
    assert found["mae"].low < found["mae"].value < found["mae"].high
