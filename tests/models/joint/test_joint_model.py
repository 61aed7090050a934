"""The joint model's scores, its way to the best items, its repeat term and attributes, and its saved form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from scipy import sparse

from mutua.catalog.table import CATEGORY, AttributeTable, Labels
from mutua.core.clock import DAY, HOUR
from mutua.events.interactions import Interactions
from mutua.models.base import TrainingData
from mutua.models.joint import attributes, kernels
from mutua.models.joint.learner import Joint
from mutua.models.joint.model import NEAR, SESSION, USUAL, JointModel
from mutua.models.joint.repeat import CURVES, GAPS, Repeat, hats
from mutua.models.joint.returns import returned_to
from mutua.models.joint.rows import Rows
from mutua.models.saving import revived
from mutua.profiles import fold
from mutua.profiles.attributes import AttributeEncoding
from mutua.profiles.encoder import Encoder
from mutua.profiles.history import EMPTY
from mutua.profiles.views import Views
from mutua.store.models import ModelFolders
from mutua.testing.models import LAWS, Law
from mutua.testing.planted import planted

CONFIGURATIONS = (
    Joint(memory="fading", following=2.0, order="sequence", reach=0.5),
    Joint(memory="steady", following=0.5, ridge=0.0, factors=8, product=0.0, tilt=0.7),
    Joint(following=0.5, order="page", tags=0.2, lasting=0.5),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("learner", CONFIGURATIONS, ids=range(len(CONFIGURATIONS)))
def test_laws_hold_for_other_settings_too(learner: Joint, law: Law) -> None:
    law(learner, planted())


def repeat_of(rng: np.random.Generator, items: int) -> Repeat:
    curves = {name: rng.normal(size=len(knots)) for name, knots in CURVES}
    return Repeat(rng.normal(size=items), rng.normal(size=3), curves)


def sparse_rows(rng: np.random.Generator, items: int) -> Rows:
    """Entries are multiples of 1/8, so that sums are exact and ties are real; stored zeros among them."""
    cells = rng.random((items, items)) < 0.3
    matrix = sparse.csr_matrix(cells.astype(np.float32))
    matrix.data = rng.integers(-4, 9, matrix.nnz).astype(np.float32) / 8
    return Rows.of(matrix)


def random_model(rng: np.random.Generator, items: int, repeats: bool, groups: int = 0) -> JointModel:
    plain = Encoder.of((1.0,))
    return JointModel(
        encoder=Encoder.of((1.0,), extra=(plain, plain, plain)),
        influence=sparse_rows(rng, items),
        following=sparse_rows(rng, items) if rng.random() < 0.6 else Rows.none(items),
        base=rng.integers(0, 3, items).astype(np.float32) / 8,
        repeat=repeat_of(rng, items) if repeats else None,
        encoding=AttributeEncoding({"plan": tuple("abc"[:groups])} if groups else {}, {}),
        groups=rng.integers(-8, 9, (groups, items)).astype(np.float32) / 8,
        again=np.zeros(items, np.bool_),
    )


def random_view(rng: np.random.Generator, items: int, groups: int) -> Views:
    """Items of a view may be unknown to the model; weights may be negative or 0."""
    size = int(rng.integers(0, min(items + 3, 9)))
    extra = rng.integers(-4, 5, (3, size)).astype(np.float32) / 4
    extra[NEAR:] = np.abs(extra[NEAR:])
    return Views(
        start=np.array([0, size]),
        item=rng.choice(items + 3, size, replace=False).astype(np.int32),
        weight=rng.integers(-3, 5, size).astype(np.float32),
        last=rng.integers(-1, 90, size) * DAY,
        count=rng.integers(0, 5, size).astype(np.float32),
        now=np.array([90 * DAY]),
        size=np.array([size], np.int32),
        attributes=rng.integers(0, 2, (1, groups)).astype(np.float32) if groups else None,
        extra=extra,
    )


def dense_scores(model: JointModel, views: Views) -> np.ndarray:
    """The score as the docstring of the model writes it."""
    scores = model.base.astype(np.float64)
    influence, following = model.influence.matrix().toarray(), model.following.matrix().toarray()
    own = np.zeros(len(views.item))
    if model.repeat is not None:
        own = model.repeat.terms(views, views.extra[NEAR], views.extra[USUAL])
    for place, item in enumerate(views.item):
        if item < model.n_items:
            scores = scores + views.weight[place] * influence[item] + views.extra[SESSION][place] * following[item]
            scores[item] += own[place]
    if views.attributes is not None and len(model.groups):
        scores = scores + 1 / (1 + views.size[0] / 5) * (views.attributes[0] @ model.groups)
    return scores


@settings(max_examples=100)
@given(st.integers(0, 10**9), st.integers(1, 14), st.integers(1, 16), st.booleans(), st.sampled_from([0, 0, 2]))
def test_the_best_items_equal_a_dense_score_sorted(seed: int, items: int, n: int, repeats: bool, groups: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng, items, repeats, groups)
    for _ in range(3):  # the second and third time on the buffers that the first has used
        views = random_view(rng, items, groups)
        expected = dense_scores(model, views)
        assert model.score(views)[0] == pytest.approx(expected, abs=1e-5)
        excluded = rng.integers(0, items + 4, int(rng.integers(0, 6))).astype(np.int32)
        banned = rng.random(items) < 0.3 if rng.random() < 0.5 else None
        out = np.isin(np.arange(items), excluded) | (np.zeros(items, np.bool_) if banned is None else banned)
        found, scores = model.top(views, n, excluded, banned)
        exact = model.score(views)[0]
        assert scores == pytest.approx(exact[found], abs=1e-6)
        assert not out[found].any()
        assert len(found) == min(n, int((~out).sum())) == len(set(found.tolist()))
        if not repeats and not groups:
            order = sorted(np.flatnonzero(~out).tolist(), key=lambda item: (-exact[item], item))
            assert found.tolist() == order[:n]
        else:
            assert (np.diff(scores) <= 0).all()
            left = np.setdiff1d(np.flatnonzero(~out), found)
            assert not len(left) or exact[left].max() <= scores.min() + 1e-6


def test_similar_items_are_those_of_influence_either_way() -> None:
    model = random_model(np.random.default_rng(4), 9, False)
    dense = model.influence.matrix().toarray()
    alike = model.similar(3)
    assert np.delete(alike, 3) == pytest.approx(np.delete(dense[3] + dense[:, 3], 3))
    assert alike[3] == -np.inf


def test_likeness_among_a_few_is_that_of_each_to_all() -> None:
    model = random_model(np.random.default_rng(4), 9, False)
    items = np.array([5, 3, 8, 0], np.int32)
    whole = np.stack([model.similar(item)[items] for item in items.tolist()])
    np.fill_diagonal(whole, 0.0)
    assert model.alike(items) == pytest.approx(whole)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=8), st.integers(0, 99), st.sampled_from(CURVES))
def test_hats_are_the_interpolation_of_the_kernel(xs: list[float], seed: int, curve: tuple[str, np.ndarray]) -> None:
    knots = curve[1]
    heights = np.random.default_rng(seed).normal(size=len(knots))
    shares = hats(np.array(xs), knots)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares @ heights == pytest.approx([kernels.interpolated(knots, heights, x) for x in xs], abs=1e-5)
    assert shares @ heights == pytest.approx(np.interp(xs, knots, heights), abs=1e-5)


def test_repeat_terms_are_the_formula_written() -> None:
    rng = np.random.default_rng(3)
    repeat, views = repeat_of(rng, 5), random_view(np.random.default_rng(8), 5, 0)
    near, usual = views.extra[NEAR], views.extra[USUAL]
    terms = repeat.terms(views, near, usual)
    assert (views.count > 0).any()
    for place, item in enumerate(views.item):
        if item >= 5 or views.count[place] <= 0:
            assert terms[place] == 0
            continue
        days = np.log(max((views.now[0] - views.last[place]) / DAY, 1e-4))
        times, rate = np.log(max(views.count[place], 1.0)), repeat.rate[item]
        odds = repeat.mixed[0] + rate * (repeat.mixed[1] * times + repeat.mixed[2] * (days - 3))
        places = (days, times, np.log(max(near[place], 1e-3)), np.log(max(usual[place], 1e-3)), rate)
        odds += sum(np.interp(x, knots, repeat.curves[name]) for x, (name, knots) in zip(places, CURVES, strict=True))
        assert terms[place] == pytest.approx(1 / (1 + np.exp(-odds)), rel=1e-5)


def fortnightly(users: int = 120, days: int = 130) -> TrainingData:
    """Milk and its like (items 0 to 4) come back every second week, once tried; films (items 5 to 39) never."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(users):
        for item in rng.choice(5, 2, replace=False):
            first = int(rng.integers(0, days - 7))
            rows += [(user, item, day * DAY + rng.integers(0, 20) * HOUR) for day in range(first, days, 14)]
        rows += [(user, 5 + item, rng.integers(0, days * DAY)) for item in rng.choice(35, 6, replace=False)]
    user, item, time = np.array(rows).T
    log = Interactions.of(user, item, time, types=("purchase",)).by_user()
    codes = np.where(np.arange(40) < 5, 0, 1).astype(np.int32)
    items = AttributeTable(40, {CATEGORY: Labels(codes, ("milk", "film"))})
    return TrainingData(log, AttributeTable(users), items, days * DAY)


@pytest.fixture(scope="module")
def habits() -> JointModel:
    return Joint(memory="steady").learn(fortnightly())


def bought_again(model: JointModel, item: int, gaps: list[float], times: int = 6) -> list[float]:
    """The repeat term of an item bought `times` times two weeks apart, so many days after the last time."""
    assert model.repeat is not None
    found = []
    for gap in gaps:
        history = EMPTY
        for number in range(times):
            history = history.add(item, 0, np.nan, (100 + 14 * number) * DAY, number + 1)
        views = fold.view(history, model.encoder, int((100 + 14 * (times - 1) + gap) * DAY))
        found.append(float(model.repeat.terms(views, views.extra[NEAR], views.extra[USUAL])[0]))
    return found


def test_what_comes_back_every_second_week_is_due_then_not_the_day_after(habits: JointModel) -> None:
    odds = bought_again(habits, 0, [0.5, 3, 6, 9, 12])
    assert odds == sorted(odds)
    assert odds[0] < 0.3
    assert odds[-1] > 0.7


def test_films_do_not_come_back(habits: JointModel) -> None:
    milk, film = bought_again(habits, 0, [12], 3)[0], bought_again(habits, 7, [12], 3)[0]
    assert film < 0.1 < 0.5 < milk
    assert habits.repeatable()[:5].all()
    assert not habits.repeatable()[5:].any()


def test_the_gap_grid_covers_a_minute_to_a_year() -> None:
    assert np.exp(GAPS[0]) * 1440 == pytest.approx(1)
    assert np.exp(GAPS[-1]) >= 365
    assert (np.diff(GAPS) > 0).all()


def test_shares_of_returns_are_counted_by_user_and_item() -> None:
    rows = Interactions.of([0, 0, 0, 1, 1], [0, 0, 1, 0, 1])
    assert rows.share_of_returns == pytest.approx(1 / 5)
    assert returned_to(rows, AttributeTable(3), 3).all()


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 20.0]))
def test_attributes_are_regressed_in_closed_form(seed: int, ridge: float) -> None:
    rng = np.random.default_rng(seed)
    encoded = rng.integers(-1, 2, (12, 3)).astype(np.float32)
    weights = (rng.random((12, 5)) * (rng.random((12, 5)) < 0.5)).astype(np.float32)
    found = attributes.regress(encoded, sparse.csr_matrix(weights), ridge)
    known = (np.abs(encoded).sum(1) > 0) & (weights.sum(1) > 0)
    if not known.any():
        assert not found.any()
        return
    x, y = encoded[known].astype(np.float64), weights[known].astype(np.float64)
    shares = y / y.sum(1, keepdims=True)
    expected = np.linalg.solve(x.T @ x + ridge * np.eye(3), x.T @ (shares - shares.mean(0)))
    assert found == pytest.approx(expected, abs=1e-5)


def test_attributes_count_half_after_five_events_and_nothing_after_a_hundred() -> None:
    assert attributes.fading(np.array([0, 5, 99, 100], np.int32)) == pytest.approx([1, 0.5, 1 / 20.8, 0])


def test_a_share_of_the_attributes_may_last() -> None:
    assert attributes.fading(np.array([0, 5, 99, 100], np.int32), 0.2) == pytest.approx([1, 0.5, 0.2, 0.2])


def test_lasting_attributes_of_long_histories_are_in_the_list_and_in_the_reasons() -> None:
    rng = np.random.default_rng(4)
    model = replace(random_model(rng, 12, False, 2), lasting=0.5)
    view = structs.replace(
        random_view(rng, 12, 2), size=np.array([500], np.int32), attributes=np.ones((1, 2), np.float32)
    )
    told = 0.5 * model.groups.sum(axis=0)
    items, values = model.top(view, 3, np.empty(0, np.int32))
    scores = model.score(view)[0]
    assert scores == pytest.approx(dense_scores(replace(model, groups=model.groups[:0]), view) + told, abs=1e-5)
    assert items.tolist() == np.lexsort((np.arange(12), -scores))[:3].tolist()
    assert values == pytest.approx(scores[items])
    assert sum(reason.amount for reason in model._known(view, 4)) == pytest.approx(float(told[4]))


@pytest.mark.parametrize("learner", [Joint(), *CONFIGURATIONS])
def test_a_model_kept_in_a_folder_gives_equal_scores_and_reasons(learner: Joint, tmp_path: Path) -> None:
    data = planted()
    plans = Labels((np.arange(60) % 4).astype(np.int32), tuple("abcd"))
    data = replace(data, users=AttributeTable(60, {"plan": plans}))
    model, folders = learner.learn(data), ModelFolders(tmp_path / "models")
    folders.save(model, sequence=7)
    stored = folders.load()
    again = revived(stored.version, stored.name, stored.arrays, stored.meta)
    assert isinstance(again, JointModel)
    rows = np.arange(60, dtype=np.int32)
    encoded = model.encode(data.users, rows)
    assert np.array_equal(again.encode(data.users, rows), encoded)
    views = fold.views(data.interactions, model.encoder, data.now, attributes=encoded)
    assert np.array_equal(again.score(views), model.score(views))
    assert np.array_equal(again.repeatable(), model.repeatable())
    history = fold.history_of(data.interactions, 3)
    view, evidence = (f(history, again.encoder, data.now) for f in (fold.view, fold.evidence))
    assert again.explain(view, evidence, 5) == model.explain(view, evidence, 5)
    best = [one.top(view, 9, np.empty(0, np.int32)) for one in (model, again)]
    assert np.array_equal(best[0][0], best[1][0])
    assert np.array_equal(best[0][1], best[1][1])


def test_attributes_lead_new_users_to_what_their_group_chooses() -> None:
    data = planted()
    plans = Labels((np.arange(60) % 4).astype(np.int32), tuple("abcd"))
    data = replace(data, users=AttributeTable(60, {"plan": plans}))
    model = Joint().learn(data)
    for group in range(4):
        encoded = model.encode(data.users, np.array([group], np.int32))
        items, _ = model.top(fold.view(EMPTY, model.encoder, data.now, encoded), 5, np.empty(0, np.int32))
        assert (items % 4 == group).mean() >= 0.8
