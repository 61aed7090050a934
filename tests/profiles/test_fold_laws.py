"""The laws of the fold on random logs, plus the plain facts that a person would check by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.core.clock import DAY
from mutua.events.interactions import Interactions
from mutua.profiles import fold
from mutua.profiles.encoder import NO_DECAY, Encoder
from mutua.profiles.history import EMPTY, History
from mutua.testing.profiles import LAWS, recorded

N_ITEMS, N_TYPES = 6, 3
NOW = 20_000 * DAY


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    """One user's events in log order; times repeat and go backwards now and then, a third has no value."""
    count = draw(st.integers(0, 25))
    column = lambda values: draw(st.lists(values, min_size=count, max_size=count))  # noqa: E731
    ages = column(st.integers(0, 400) | st.integers(0, 400 * DAY))
    values = column(st.none() | st.floats(-5, 5, width=32))
    return Interactions.of(
        [0] * count,
        column(st.integers(0, N_ITEMS - 1)),
        np.array([NOW - age for age in ages], np.int64),
        value=[np.nan if value is None else value for value in values],
        type=column(st.integers(0, N_TYPES - 1)),
        n_users=1,
        n_items=N_ITEMS,
        types=("view", "purchase", "dislike"),
    )


weights = st.lists(st.floats(-2, 2, width=32), min_size=54, max_size=54)
encoders = weights.map(
    lambda flat: Encoder(np.reshape(flat, (3, 3, 6)).astype(np.float64), np.array([True, True, False]))
)


@pytest.mark.parametrize("name", LAWS)
@settings(max_examples=40, deadline=None)
@given(rows=logs(), encoder=encoders, wait=st.integers(0, 30 * DAY))
def test_law(name: str, rows: Interactions, encoder: Encoder, wait: int) -> None:
    LAWS[name](rows, encoder, NOW + wait)


def test_one_event_has_half_its_weight_after_one_half_life() -> None:
    history = EMPTY.add(4, 0, float("nan"), NOW, 1)
    two_days = Encoder.of((1.0,), shares=(0, 0, 1, 0, 0, 0))
    assert fold.view(history, two_days, NOW).weight.tolist() == [1.0]
    assert fold.view(history, two_days, NOW + 2 * DAY).weight.tolist() == [0.5]
    assert fold.view(history, two_days, NOW - DAY).weight.tolist() == [1.0]


def test_a_power_below_the_smallest_float_is_zero() -> None:
    history = EMPTY.add(4, 0, float("nan"), 0, 1)
    half_hour = Encoder.of((1.0,), shares=(1, 0, 0, 0, 0, 0))
    assert fold.view(history, half_hour, NOW).weight.tolist() == [0.0]


def test_types_weigh_by_sign_and_targets_count() -> None:
    history = EMPTY
    for sequence, (item, kind) in enumerate([(7, 0), (7, 1), (3, 2), (3, 9)], start=1):
        history = history.add(item, kind, float("nan"), NOW + sequence, sequence)
    view = fold.view(history, Encoder.of((1.0, 3.0, -2.0)), NOW + DAY)
    assert view.item.tolist() == [7, 3]
    assert view.weight.tolist() == [4.0, -2.0]
    assert view.count.tolist() == [2.0, 0.0]
    assert view.last.tolist() == [NOW + 2, -1]
    assert view.size.tolist() == [4]


def test_values_above_the_users_mean_weigh_more() -> None:
    history = EMPTY
    for sequence, (item, stars) in enumerate([(0, 5.0), (1, 1.0), (2, 3.0), (3, float("nan"))], start=1):
        history = history.add(item, 0, stars, NOW, sequence)
    by_deviation = fold.view(history, Encoder.of((1.0,), bases=(0, 0, 1)), NOW)
    assert by_deviation.weight.tolist() == [2.0, -2.0, 0.0, 0.0]
    by_value = fold.view(history, Encoder.of((1.0,), bases=(0, 1, 0)), NOW)
    assert by_value.weight.tolist() == [5.0, 1.0, 3.0, 0.0]


def test_marked_rows_weigh_nothing_anywhere() -> None:
    rows = Interactions.of([0, 0, 1], [2, 3, 2], [1, 2, 3], n_items=4)
    rows.weight[0] = 0.0
    batch = fold.views(rows, Encoder.of(), 10)
    assert batch.item.tolist() == [3, 2]
    assert fold.history_of(rows, 0).item.tolist() == [3]


def test_views_of_chosen_users_are_rows_of_the_whole() -> None:
    rng = np.random.default_rng(3)
    rows = Interactions.of(
        rng.integers(0, 30, 400), rng.integers(0, 50, 400), np.sort(rng.integers(0, 90 * DAY, 400)), n_users=32
    ).by_user()
    encoder = Encoder.of((1.0,), shares=(0.1, 0.1, 0.2, 0.2, 0.2, 0.2))
    whole = fold.views(rows, encoder, 100 * DAY)
    chosen = np.array([0, 7, 8, 29, 31], np.int32)
    some = fold.views(rows, encoder, 100 * DAY, chosen)
    for place, user in enumerate(chosen):
        ours, theirs = some.rows(place, place + 1), whole.rows(int(user), int(user) + 1)
        np.testing.assert_array_equal(ours.item, theirs.item)
        np.testing.assert_array_equal(ours.weight, theirs.weight)
    assert len(fold.views(rows, encoder, 0, np.empty(0, np.int32))) == 0


def test_views_may_have_a_time_each() -> None:
    rows = Interactions.of([0, 1], [5, 5], [0, 0], n_items=6)
    encoder = Encoder.of((1.0,), shares=(0, 0, 1, 0, 0, 0))
    batch = fold.views(rows, encoder, np.array([0, 2 * DAY]))
    assert batch.weight.tolist() == [1.0, 0.5]


def test_an_event_older_than_the_window_goes_to_the_tail() -> None:
    history = EMPTY
    for sequence in range(1, 6):
        history = history.add(sequence, 0, float("nan"), NOW + sequence, sequence, 3)
    assert history.item.tolist() == [3, 4, 5]
    late = history.add(9, 0, 2.0, NOW - DAY, 6, 3)
    assert late.item.tolist() == [3, 4, 5]
    assert late.tail.item.tolist() == [1, 2, 9]
    assert late.version == 6
    assert late.tail.time == NOW + 2


def test_without_names_events_and_keeps_the_tail() -> None:
    rows = Interactions.of([0] * 6, range(6), np.arange(6) * DAY)
    history = recorded(rows, 4)
    assert history.without(np.array([4, 5])).item.tolist() == [2, 3]
    assert len(history.without(np.array([99]))) == 4
    assert history.without(np.array([4])).tail is history.tail


def test_a_long_history_folds_at_once_as_it_does_one_by_one() -> None:
    rng = np.random.default_rng(5)
    rows = Interactions.of(
        np.zeros(1_500, int),
        rng.integers(0, 90, 1_500),
        np.sort(rng.integers(0, 900 * DAY, 1_500)),
        value=rng.normal(3, 1, 1_500),
    )
    at_once = fold.history_of(rows, 0).bounded()
    step_by_step = recorded(rows, 500)
    for one, other in zip(at_once.tail.columns, step_by_step.tail.columns, strict=True):
        np.testing.assert_array_equal(one, other)
    assert at_once.tail.count.sum() == 1_000


def test_an_encoder_survives_its_arrays() -> None:
    encoder = Encoder.of((1.0, -2.0), shares=NO_DECAY, bases=(1, 0.5, 0))
    back = Encoder.restore(encoder.arrays())
    np.testing.assert_array_equal(back.weights, encoder.weights)
    assert back.targets.tolist() == [True, False]


def test_two_that_grow_one_history_do_not_meet() -> None:
    base: History = EMPTY.add(0, 0, float("nan"), 1, 1)
    base = base.add(1, 0, float("nan"), 2, 2)
    one, other = base.add(10, 0, float("nan"), 3, 3), base.add(20, 0, float("nan"), 4, 4)
    assert one.add(11, 0, float("nan"), 5, 5).item.tolist() == [0, 1, 10, 11]
    assert other.add(21, 0, float("nan"), 5, 5).item.tolist() == [0, 1, 20, 21]
    assert base.item.tolist() == [0, 1]


def test_threads_that_grow_one_history_do_not_meet() -> None:
    base = recorded(Interactions.of([0] * 20, range(20), range(20)))

    def grown(thread: int) -> History:
        history = base
        for step in range(200):
            history = history.add(1_000 * thread + step, 0, float("nan"), 100 + step, 100 + step)
        return history

    with ThreadPoolExecutor(4) as threads:
        histories = list(threads.map(grown, range(1, 5)))
    for thread, history in enumerate(histories, start=1):
        assert history.item.tolist() == [*range(20), *range(1_000 * thread, 1_000 * thread + 200)]
    assert base.item.tolist() == list(range(20))
