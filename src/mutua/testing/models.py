"""The laws that every model keeps, each a function of a learner and data to learn from; a breach raises AssertionError.

Example:
    >>> from mutua.models.registry import learner
    >>> for law in LAWS:
    ...     law(learner("popularity"), planted())
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable, Column, Labels, Numbers, Sets, Texts, Vectors
from mutua.errors import NotEnoughData
from mutua.models.base import Learner, Model, TrainingData
from mutua.models.saving import restore, save
from mutua.profiles import fold
from mutua.profiles.history import EMPTY, History
from mutua.profiles.views import Views
from mutua.slates import Reason
from mutua.testing.planted import planted as planted

Law = Callable[[Learner, TrainingData], None]
_USERS = (0, 1, 5)
_CLOSE = 1e-4


def scores_are_finite(learner: Learner, data: TrainingData) -> None:
    """Scores are finite float32, one row a view and one column an item."""
    model = learner.learn(data)
    scores = model.score(views_of(model, data))
    assert scores.dtype == np.float32
    assert scores.shape == (data.interactions.n_users, data.n_items) == (data.interactions.n_users, model.n_items)
    assert np.isfinite(scores).all()


def equal_seeds_give_equal_models(learner: Learner, data: TrainingData) -> None:
    """Learning twice gives the same arrays, bit for bit."""
    first, second = learner.learn(data, 3).arrays(), learner.learn(data, 3).arrays()
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


def saving_changes_nothing(learner: Learner, data: TrainingData) -> None:
    """A model read back from disk has equal arrays and settings, and gives equal scores, bit for bit."""
    model = learner.learn(data)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "model", model)
        again = restore(Path(folder) / "model")
        assert type(again) is type(model)
        assert again.meta() == model.meta()
        assert all(np.array_equal(array, again.arrays()[name]) for name, array in model.arrays().items())
        views = views_of(model, data)
        assert np.array_equal(again.score(views), model.score(views))
        assert np.array_equal(again.similar(1), model.similar(1))


def users_are_exchangeable(learner: Learner, data: TrainingData) -> None:
    """Numbering the users otherwise changes no score of the same history."""
    log = data.interactions
    order = np.random.default_rng(5).permutation(log.n_users).astype(np.int32)
    shuffled = replace(data, interactions=replace(log, user=order[log.user]).by_user())
    model = learner.learn(data)
    views = views_of(model, data)
    assert_close(learner.learn(shuffled).score(views), model.score(views))


def items_are_exchangeable(learner: Learner, data: TrainingData) -> None:
    """Numbering the items otherwise numbers the scores otherwise."""
    log = data.interactions
    order = np.random.default_rng(7).permutation(data.n_items).astype(np.int32)
    items = AttributeTable(data.n_items, {name: _moved(column, order) for name, column in data.items.columns.items()})
    shuffled = replace(data, interactions=replace(log, item=order[log.item], n_items=data.n_items), items=items)
    model, other = learner.learn(data), learner.learn(shuffled)
    assert_close(other.score(views_of(other, shuffled))[:, order], model.score(views_of(model, data)))


def reasons_sum_to_the_score(learner: Learner, data: TrainingData) -> None:
    """The reasons of an item add up to its score and come largest first, also where older events are only sums."""
    model = learner.learn(data)
    for user in _USERS:
        for history in (full(data, user), full(data, user).bounded(3), EMPTY):
            views = fold.view(history, model.encoder, data.now)
            scores = model.score(views)[0]
            for item in _looked_at(history, data):
                reasons = model.explain(views, fold.evidence(history, model.encoder, data.now), item)
                sizes = [abs(reason.amount) for reason in reasons]
                assert sizes == sorted(sizes, reverse=True)
                total, scale = sum(reason.amount for reason in reasons), max(float(np.abs(scores).max()), sum(sizes))
                assert abs(total - float(scores[item])) <= _CLOSE * scale, (item, total, scores[item])


def removing_a_reason_removes_its_amount(learner: Learner, data: TrainingData) -> None:
    """In a linear model, taking out a reason's events changes the score by exactly that reason."""
    model = learner.learn(data)
    if not model.linear:
        return
    for user in _USERS:
        history = full(data, user)
        largest = float(np.abs(model.score(fold.view(history, model.encoder, data.now))).max())
        for item in _looked_at(history, data):
            before, reasons = explained(model, history, data.now, item)
            scale = max(largest, sum(abs(reason.amount) for reason in reasons))
            for reason in reasons:
                if reason.sequences:
                    less = history.without(np.array(reason.sequences, np.int64))
                    after = float(model.score(fold.view(less, model.encoder, data.now))[0, item])
                    assert abs(before - after - reason.amount) <= 1e-5 * scale, (item, reason)


def unknown_items_are_ignored(learner: Learner, data: TrainingData) -> None:
    """Events on items recorded after learning change no score, and are explained without harm."""
    model = learner.learn(data)
    history = full(data, 0)
    grown = history.add(data.n_items + 3, int(history.type[0]), float(history.value[0]), data.now, 10**6)
    views = fold.view(grown, model.encoder, data.now)
    assert views.item.max() == data.n_items + 3
    assert_close(model.score(views), model.score(fold.view(history, model.encoder, data.now)))
    score, reasons = explained(model, grown, data.now, 1)
    assert abs(score - sum(reason.amount for reason in reasons)) <= _CLOSE * max(1.0, abs(score))


def an_empty_view_is_served(learner: Learner, data: TrainingData) -> None:
    """A user of whom nothing is known gets finite scores."""
    model = learner.learn(data)
    scores = model.score(fold.view(EMPTY, model.encoder, data.now))
    assert scores.shape == (1, data.n_items)
    assert np.isfinite(scores).all()


def one_event_is_enough(learner: Learner, data: TrainingData) -> None:
    """A model learns from a single target event that is a rating."""
    log = data.interactions
    model = learner.learn(replace(data, interactions=log.take(np.flatnonzero(log.is_target & log.is_rating)[:1])))
    assert np.isfinite(model.score(views_of(model, data))).all()


def nothing_is_refused(learner: Learner, data: TrainingData) -> None:
    """Without a target event, learning raises NotEnoughData."""
    log = data.interactions
    marked = replace(log, weight=np.zeros_like(log.weight))
    for empty in (marked, log.take(np.zeros(len(log), np.bool_))):
        try:
            learner.learn(replace(data, interactions=empty))
        except NotEnoughData:
            continue
        raise AssertionError("learned from nothing")


def marked_rows_teach_nothing(learner: Learner, data: TrainingData) -> None:
    """Rows that cleaning marked are as if they were not there."""
    log = data.interactions
    keep = np.random.default_rng(11).random(len(log)) < 0.8
    marked = replace(data, interactions=replace(log, weight=keep.astype(np.float32)))
    absent = replace(data, interactions=log.take(keep))
    first, second = learner.learn(marked).arrays(), learner.learn(absent).arrays()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


def an_item_is_not_similar_to_itself(learner: Learner, data: TrainingData) -> None:
    """The item asked about is at −inf, every other item finite."""
    model = learner.learn(data)
    for item in (0, data.n_items - 1):
        likeness = model.similar(item)
        assert likeness.shape == (data.n_items,)
        assert likeness.dtype == np.float32
        assert likeness[item] == -np.inf
        assert np.isfinite(np.delete(likeness, item)).all()


def a_batch_equals_one_by_one(learner: Learner, data: TrainingData) -> None:
    """The score of a view does not depend on the views beside it."""
    model = learner.learn(data)
    views = views_of(model, data)
    alone = np.concatenate([model.score(views.rows(row, row + 1)) for row in range(len(views))])
    assert_close(alone, model.score(views))
    assert model.score(views.rows(0, 0)).shape == (0, data.n_items)


def candidates_are_few_and_learn(learner: Learner, data: TrainingData) -> None:
    """There are 1 to 12 different candidates of the same class, and the last learns as well as the first."""
    found = learner.candidates(data)
    assert 1 <= len(found) == len(set(found)) <= 12
    assert all(type(candidate) is type(learner) for candidate in found)
    found[-1].learn(data)


LAWS: tuple[Law, ...] = (
    scores_are_finite,
    equal_seeds_give_equal_models,
    saving_changes_nothing,
    users_are_exchangeable,
    items_are_exchangeable,
    reasons_sum_to_the_score,
    removing_a_reason_removes_its_amount,
    unknown_items_are_ignored,
    an_empty_view_is_served,
    one_event_is_enough,
    nothing_is_refused,
    marked_rows_teach_nothing,
    an_item_is_not_similar_to_itself,
    a_batch_equals_one_by_one,
    candidates_are_few_and_learn,
)


def views_of(model: Model, data: TrainingData) -> Views:
    """Returns the view of every user at `data.now`."""
    return fold.views(data.interactions, model.encoder, data.now)


def full(data: TrainingData, user: int) -> History:
    """Returns the whole history of one user."""
    return fold.history_of(data.interactions, user)


def explained(model: Model, history: History, now: int, item: int) -> tuple[float, tuple[Reason, ...]]:
    """Returns the score of one item for a history, and its reasons."""
    views = fold.view(history, model.encoder, now)
    reasons = model.explain(views, fold.evidence(history, model.encoder, now), item)
    return float(model.score(views)[0, item]), reasons


def assert_close(found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> None:
    """Raises AssertionError where scores differ by more than rounding, measured against the largest of their row."""
    scale = np.maximum(np.abs(expected).max(axis=1, keepdims=True, initial=0.0), 1e-6)
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= _CLOSE * scale).all(), float((np.abs(found - expected) / scale).max())


def _looked_at(history: History, data: TrainingData) -> list[int]:
    """An item of the history, two others, and one that nobody had."""
    return sorted({*history.item[:1].tolist(), 2, data.n_items // 2, data.n_items - 1})


def _moved(column: Column, order: npt.NDArray[np.int32]) -> Column:
    """The column with row i at order[i]."""
    back = np.argsort(order)
    if isinstance(column, Labels):
        return replace(column, codes=column.codes[back])
    if isinstance(column, Sets):
        return replace(column, matrix=column.matrix[back])
    if isinstance(column, Texts):
        return Texts(tuple(column.values[row] for row in back))
    if isinstance(column, Numbers | Vectors):
        return replace(column, values=column.values[back])
    raise TypeError(f"column of {type(column).__name__}")
