"""What each model is known for, on data with a known structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY
from mutua.errors import NotEnoughData, TooLarge
from mutua.events.interactions import Interactions
from mutua.models.base import Rates, TrainingData
from mutua.models.linear import ease
from mutua.models.linear.biased_mf import BiasedMf
from mutua.models.linear.content import Content
from mutua.models.linear.ease import Ease
from mutua.models.linear.frequency import Frequency
from mutua.models.linear.ials import Ials, IalsModel
from mutua.models.linear.incremental_svd import IncrementalSvd, update
from mutua.models.linear.intervals import by_class
from mutua.models.linear.popularity import Popularity
from mutua.models.matrices import learning_matrix
from mutua.models.registry import learner
from mutua.models.topn import top_rows
from mutua.profiles import fold
from mutua.testing.planted import planted


def training(log: Interactions, now: int = 0) -> TrainingData:
    return TrainingData(log.by_user(), AttributeTable(log.n_users), AttributeTable(log.n_items), now)


def share_of_taste(name: str) -> float:
    """How many of the ten best unseen items are of the user's planted taste."""
    data = planted(users=80, items=84, events=14)
    model = learner(name).learn(data)
    views = fold.views(data.interactions, model.encoder, data.now)
    items, _ = top_rows(model.score(views), 10, None, (views.start, views.item))
    return float((items % 4 == np.arange(80)[:, None] % 4).mean())


@pytest.mark.parametrize(
    "name",
    [
        "item-knn",
        "user-knn",
        "content",
        "ials:factors=4",
        "biased-mf:factors=4",
        "incremental-svd:factors=4",
        "ease:ridge=5",
    ],
)
def test_personal_models_find_the_planted_taste(name: str) -> None:
    assert share_of_taste(name) > 1.5 * share_of_taste("popularity")


def test_popularity_halves_after_its_half_life() -> None:
    data = training(Interactions.of([0, 1, 2], [0, 1, 1], np.array([10, 8, 6]) * DAY), 10 * DAY)
    assert Popularity(half_life=2).learn(data).counts.tolist() == [1.0, 0.75]


def test_frequency_prefers_what_is_bought_often_and_due() -> None:
    """Everyone buys every item once a week: what was bought yesterday is not due, what was bought a week ago is."""
    weeks = np.arange(12) * 7
    rows = [(user, item, day + item) for user in range(30) for item in range(3) for day in weeks]
    user, item, day = np.array(rows).T
    data = training(Interactions.of(user, item, day * DAY), (84 + 1) * DAY)
    model = Frequency(half_life=0, horizon=1).learn(data)
    log = Interactions.of([0, 0, 0], [0, 1, 1], np.array([1.0, 6.8, -0.2]) * DAY, n_items=3).by_user()
    scores = model.score(fold.views(log, model.encoder, 7 * DAY))[0]
    assert scores[0] > 2 * scores[1] > 0
    assert scores[2] == pytest.approx(model.popularity[2])


def test_frequency_without_times_is_the_count() -> None:
    data = training(Interactions.of([0, 0, 0, 1], [0, 1, 1, 2]))
    model = Frequency(half_life=0, tie=0).learn(data)
    views = fold.views(data.interactions, model.encoder, 0)
    assert model.score(views) == pytest.approx(np.array([[1, 2, 0], [0, 0, 1]]))


def test_ease_is_the_best_regression_without_its_own_column() -> None:
    matrix = sparse.csr_matrix((np.random.default_rng(3).random((40, 9)) < 0.3).astype(np.float32))
    weights, dense = ease.regression(matrix, 2.0), matrix.toarray().astype(np.float64)
    for item in range(9):
        others = np.delete(np.arange(9), item)
        left = dense[:, others]
        expected = np.linalg.solve(left.T @ left + 2.0 * np.eye(8), left.T @ dense[:, item])
        assert weights[others, item] == pytest.approx(expected, abs=1e-5)
        assert weights[item, item] == 0


def test_ease_keeps_the_largest_coefficients_of_each_column() -> None:
    weights = np.random.default_rng(0).standard_normal((6, 6)).astype(np.float32)
    kept = ease.cut(weights, 2).toarray()
    for column in range(6):
        best = np.argsort(-np.abs(weights[:, column]))[:2]
        assert set(np.flatnonzero(kept[:, column])) == set(best)


def test_ease_refuses_more_items_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "LIMIT", 10)
    with pytest.raises(TooLarge, match="item-knn"):
        Ease().learn(planted())


def ials_loss(model: IalsModel, matrix: sparse.csr_matrix, users: np.ndarray, items: np.ndarray) -> float:
    """The objective as the docstring of Ials writes it."""
    dense, scores = matrix.toarray().astype(np.float64), users @ items.T
    fit = (dense * (1 - scores) ** 2).sum() + model.alpha * (scores**2).sum()
    penalty = model.learner.penalties(matrix, model.alpha) @ (users**2).sum(axis=1)
    return float(
        fit + penalty + model.learner.penalties(sparse.csr_matrix(matrix.T), model.alpha) @ (items**2).sum(axis=1)
    )


def test_ials_lowers_its_objective_at_every_iteration() -> None:
    data, losses = planted(), []
    for iterations in (1, 2, 4, 8):
        settings_ = Ials(factors=6, iterations=iterations)
        model = settings_.learn(data)
        matrix = learning_matrix(data, model.encoder, "log")
        users = model.fold_in(fold.views(data.interactions, model.encoder, data.now)).astype(np.float64)
        losses.append(ials_loss(model, matrix, users, model.factors.astype(np.float64)))
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1]


def test_ials_folds_in_the_exact_minimum() -> None:
    data = planted()
    model = Ials(factors=6, iterations=3).learn(data)
    views = fold.views(data.interactions, model.encoder, data.now)
    matrix, items = model.confidence(views), model.factors.astype(np.float64)
    scale = model.learner.penalties(matrix, model.alpha)
    for user, vector in enumerate(model.fold_in(views)[:5]):
        weight = matrix[[user]].toarray()[0].astype(np.float64)
        left = items.T @ np.diag(weight + model.alpha) @ items + scale[user] * np.eye(6)
        assert vector == pytest.approx(np.linalg.solve(left, items.T @ weight), rel=1e-4, abs=1e-6)


def test_content_recommends_items_without_events() -> None:
    data = planted()
    model = Content().learn(data)
    scores = model.score(fold.views(data.interactions, model.encoder, data.now))
    new = scores[:, -4:]
    assert (new.argmax(axis=1) == np.arange(60) % 4).mean() > 0.9


def test_content_needs_something_known_of_items() -> None:
    with pytest.raises(NotEnoughData, match="text, category"):
        Content().learn(replace(planted(), items=AttributeTable(48)))


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_updated_svd_equals_a_new_one(seed: int, parts: int) -> None:
    """With room for all directions, taking events in piece by piece gives the projection that learning at once does."""
    rng = np.random.default_rng(seed)
    count = 60
    log = Interactions.of(rng.integers(0, 12, count), rng.integers(0, 9, count), n_users=12, n_items=9)
    settings_ = IncrementalSvd(factors=9)
    first = log.take(np.arange(count) < 20)
    model = settings_.learn(
        training(replace(first, n_users=int(first.user.max()) + 1, n_items=int(first.item.max()) + 1))
    )
    for rows in np.array_split(np.arange(20, count), parts):
        model = update(model, log.take(rows).by_user())
    whole = settings_.learn(training(log))
    assert model.n_items == 9
    assert np.allclose(model.right @ model.right.T, whole.right @ whole.right.T, atol=1e-6)
    assert model.values == pytest.approx(whole.values, rel=1e-6)
    assert (model.rows != whole.rows).nnz == 0


def test_updated_svd_stays_close_where_directions_are_cut() -> None:
    data = planted(users=80, items=84, events=14)
    order = data.interactions.by_time()
    early = np.arange(len(order)) < len(order) // 2
    half = replace(data, interactions=order.take(early).by_user())
    settings_ = IncrementalSvd(factors=4)
    model = update(settings_.learn(half), order.take(~early).by_user())
    whole = settings_.learn(data)
    assert np.linalg.norm(model.right.T @ whole.right) ** 2 > 0.95 * 4


def rated(seed: int, users: int = 150, items: int = 60, each: int = 25) -> tuple[Interactions, np.ndarray]:
    """Ratings from a planted factor model with noise of deviation 0.5, and which rows to hold out."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), each)
    item = np.concatenate([rng.permutation(items)[:each] for _ in range(users)])
    vectors, others = rng.standard_normal((users, 2)), rng.standard_normal((items, 2)) * 0.7
    exact = 3 + 0.4 * rng.standard_normal(items)[item] + (vectors[user] * others[item]).sum(axis=1)
    value = np.clip(exact + 0.5 * rng.standard_normal(len(user)), 1, 5)
    log = Interactions.of(user, item, value=value, types=("rating",), ratings=(True,), n_users=users, n_items=items)
    return log, rng.random(len(user)) < 0.2


def test_foreseen_ratings_beat_the_mean_and_intervals_hold_four_in_five() -> None:
    log, held = rated(0, users=500, items=80, each=40)
    data, test = training(log.take(~held)), log.take(held)
    model = BiasedMf(factors=2, ridge=0.03).learn(data)
    assert isinstance(model, Rates)
    every = fold.views(data.interactions, model.encoder, 0)
    found = model.predict(every.take(test.user.astype(np.intp)), test.item)
    error = np.sqrt(((found[:, 0] - test.value) ** 2).mean())
    assert error < 0.75 * test.value.std()
    inside = (found[:, 1] <= test.value) & (test.value <= found[:, 2])
    assert 0.74 < inside.mean() < 0.86
    assert found.min() >= data.interactions.value.min()
    assert found.max() <= data.interactions.value.max()


def test_a_small_class_borrows_its_interval_from_the_nearest() -> None:
    """Few ratings give wide errors, many give narrow ones; the last class has none of its own."""
    place = np.repeat([0, 1, 5], [400, 400, 400])
    error = np.random.default_rng(0).uniform(-1, 1, 1200) * np.where(place < 5, 3.0, 1.0)
    low, high = by_class(error, place).around(np.array([0, 30, 900]))
    assert high == pytest.approx([2.4, 0.8, 0.8], rel=0.1)
    assert low == pytest.approx([-2.4, -0.8, -0.8], rel=0.1)


def test_an_item_recorded_later_gets_what_the_user_gives_on_average() -> None:
    log, _ = rated(1)
    model = BiasedMf(factors=2).learn(training(log))
    views = fold.views(log.by_user(), model.encoder, 0).rows(0, 1)
    own = model.learner.fold_in(model.ratings.residuals(views, 60), model.features, model.bias)[0, 0]
    assert model.predict(views, np.array([99], np.int32))[0, 0] == pytest.approx(model.ratings.mean + own, rel=1e-5)


def test_a_rating_event_without_a_value_is_no_rating() -> None:
    log, _ = rated(2)
    model = BiasedMf(factors=2).learn(training(log))
    empty = replace(log, value=np.full(len(log), np.nan, np.float32)).by_user()
    views = fold.views(empty, model.encoder, 0)
    assert model.ratings.residuals(views, 60).nnz == 0
