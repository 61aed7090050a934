"""Intervals, paired tests and Holm's correction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mutua.metrics.bootstrap import draws, holm, means, paired, ratios


def test_interval_of_a_mean_agrees_with_theory() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=4_000)
    [found] = ratios(values[:, None], np.ones((4_000, 1)), seed=1)
    half = 1.96 * values.std() / np.sqrt(4_000)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
    assert found.low < found.value < found.high


def test_users_not_events_are_independent() -> None:
    """Users of 100 equal events each: the interval is as wide as that of one event a user."""
    hits = np.random.default_rng(0).integers(0, 2, 500).astype(np.float64)
    [once] = ratios(hits[:, None], np.ones((500, 1)), seed=1)
    [often] = ratios(100 * hits[:, None], np.full((500, 1), 100.0), seed=1)
    assert (once.low, once.high) == (often.low, often.high)


def test_coverage_of_the_interval() -> None:
    source = np.random.default_rng(2)
    held = 0
    for trial in range(200):
        [found] = ratios(source.exponential(size=(150, 1)), np.ones((150, 1)), seed=trial, resamples=300)
        held += found.low <= 1.0 <= found.high
    assert 0.88 <= held / 200 <= 0.99


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.integers(0, 5))
def test_draws_are_sums_of_resamples_and_the_seed_decides(values: list[float], seed: int) -> None:
    column = np.array(values)[:, None]
    sums = draws(np.hstack((column, np.ones_like(column))), seed, resamples=20)
    assert np.allclose(sums[:, 1], len(values))
    assert (sums[:, 0] <= len(values) * column.max() + 1e-9).all()
    assert (sums[:, 0] >= len(values) * column.min() - 1e-9).all()
    assert np.array_equal(sums, draws(np.hstack((column, np.ones_like(column))), seed, resamples=20))


def test_means_leave_out_what_is_missing() -> None:
    found = means({"a": np.array([1.0, np.nan, 3.0]), "none": np.array([np.nan] * 3)}, seed=0)
    assert set(found) == {"a"}
    assert found["a"].value == 2.0
    assert means({}, seed=0) == {}


def test_paired_test_agrees_with_the_t_test() -> None:
    source = np.random.default_rng(3)
    first, second = source.normal(0.06, 1, 2_000), source.normal(0, 1, 2_000)
    found = paired(first, second, seed=0)
    assert found.p == pytest.approx(stats.ttest_rel(first, second).pvalue, abs=0.02)
    assert found.difference.value == pytest.approx((first - second).mean())


def test_paired_test_of_equal_models_says_nothing() -> None:
    values = np.random.default_rng(4).random(50)
    assert paired(values, values, seed=0).p == 1.0
    assert paired(np.array([np.nan]), np.array([1.0]), seed=0).p == 1.0
    assert paired(values + 1, values, seed=0).p < 0.001


def test_paired_p_is_uniform_enough_without_a_difference() -> None:
    source = np.random.default_rng(5)
    p = [paired(*source.normal(size=(2, 60)), seed=n, flips=500).p for n in range(120)]
    assert 0.3 < np.mean(np.array(p) < 0.5) < 0.7
    assert np.mean(np.array(p) < 0.05) < 0.12


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p_values: dict[str, float]) -> None:
    corrected = holm(p_values)
    assert list(corrected) == list(p_values)
    assert all(p <= corrected[name] <= 1.0 for name, p in p_values.items())
    ranked = sorted(p_values, key=p_values.__getitem__)
    assert all(corrected[a] <= corrected[b] for a, b in pairwise(ranked))


def test_holm_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
