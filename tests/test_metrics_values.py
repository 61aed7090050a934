"""Ratings, probabilities, lists and gaps, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import metrics as theirs

from mutua import metrics

labelled = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)
pairs = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=50)


@given(labelled)
def test_probabilities_agree_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([label for label, _ in rows])
    p = np.array([score / 20 for _, score in rows])
    assert metrics.area_under_roc(labels, p) == pytest.approx(theirs.roc_auc_score(labels, p))
    assert metrics.log_loss(labels, p) == pytest.approx(theirs.log_loss(labels, np.clip(p, 1e-15, 1 - 1e-15)))
    assert metrics.accuracy_of_labels(labels, p) == pytest.approx(theirs.accuracy_score(labels, p >= 0.5))
    for ours, other in zip(
        metrics.roc_curve(labels, p), theirs.roc_curve(labels, p, drop_intermediate=False), strict=True
    ):
        assert ours == pytest.approx(other)


@given(pairs)
def test_rating_errors_agree_with_scikit_learn(rows: list[tuple[float, float]]) -> None:
    truth, foreseen = np.array(rows).T
    assert metrics.mae(truth, foreseen) == pytest.approx(theirs.mean_absolute_error(truth, foreseen))
    assert metrics.mse(truth, foreseen) == pytest.approx(theirs.mean_squared_error(truth, foreseen))
    assert metrics.rmse(truth, foreseen) == pytest.approx(theirs.mean_squared_error(truth, foreseen) ** 0.5)


def test_roc_of_one_class_is_not_a_number() -> None:
    assert np.isnan(metrics.area_under_roc([1, 1], [0.1, 0.2]))
    assert np.isnan(metrics.area_under_roc([], []))


@given(labelled)
def test_reliability_counts_every_row_once(rows: list[tuple[bool, int]]) -> None:
    labels, p = np.array([label for label, _ in rows]), np.array([score / 20 for _, score in rows])
    diagram = metrics.reliability(labels, p, bins=5)
    assert diagram.count.sum() == len(rows)
    weighted = np.nan_to_num(diagram.observed) @ diagram.count
    assert weighted == pytest.approx(labels.sum())
    assert 0.0 <= metrics.calibration_error(labels, p) <= 1.0


def test_calibration_error_of_the_truth_is_zero() -> None:
    assert metrics.calibration_error([0, 1, 1], [0.0, 1.0, 1.0]) == 0.0
    assert metrics.calibration_error([1, 1], [0.0, 0.0]) == 1.0


def test_exposure_and_its_spread() -> None:
    lists = np.array([[0, 1], [0, -1]], np.int32)
    shown = metrics.exposure(lists, 4)
    assert shown.tolist() == [2.0, 1.0, 0.0, 0.0]
    assert metrics.coverage(shown) == 0.5
    assert metrics.gini(shown) == pytest.approx(7 / 12)
    assert metrics.gini(np.zeros(3)) == 0.0


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    shown = np.array(counts, np.float64)
    if shown.sum():
        difference = np.abs(shown[:, None] - shown[None, :]).mean()
        assert metrics.gini(shown) == pytest.approx(difference / (2 * shown.mean()), abs=1e-12)


def test_novelty_is_surprise_in_bits() -> None:
    lists = np.array([[0, 1], [2, -1], [-1, -1]], np.int32)
    found = metrics.novelty(lists, np.array([7, 3, 0]), n_users=7)
    assert found[:2].tolist() == [0.5, 3.0]
    assert np.isnan(found[2])


def test_diversity_is_one_less_the_mean_cosine() -> None:
    features = np.array([[1.0, 0.0], [2.0, 2.0], [0.0, 3.0], [0.0, 0.0]])
    lists = np.array([[0, 1, 2], [0, 2, -1], [3, 0, -1], [1, -1, -1]], np.int32)
    found = metrics.diversity(lists, sparse.csr_matrix(features))
    cosines = theirs.pairwise.cosine_similarity(features)
    assert found[0] == pytest.approx(1 - (cosines[0, 1] + cosines[0, 2] + cosines[1, 2]) / 3)
    assert found[1:3].tolist() == [1.0, 1.0]
    assert np.isnan(found[3])


def test_calibration_is_zero_for_the_same_shares_and_grows_with_distance() -> None:
    features = sparse.csr_matrix(np.eye(3)[[0, 0, 1, 2]])
    history = sparse.csr_matrix(np.array([[1.0, 0, 1, 0], [1, 0, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0]]))
    lists = np.array([[1, 2], [0, 1], [3, -1], [0, 1]], np.int32)
    found = metrics.calibration(lists, history, features)
    assert found[0] == pytest.approx(0.0)
    assert 0 < found[1] < found[2]
    assert np.isnan(found[3])


def test_gap_needs_two_groups() -> None:
    values = np.array([0.2, np.nan, 0.4])
    assert metrics.gap(values, np.array([0, 1, 0], np.int32), ("a", "b")) is None
    found = metrics.gap(values, np.array([0, 0, 1], np.int32), ("a", "b"))
    assert found is not None
    assert (found.best, found.worst, found.ratio) == ("b", "a", 0.5)
