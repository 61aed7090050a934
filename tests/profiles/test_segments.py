"""Segments of users with planted tastes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from mutua.catalog.table import Labels
from mutua.core import arrays
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.segments import Segments, find_segments, interest_vectors

LABELS = tuple(f"label {code}" for code in range(12))


def tastes(n: int, k: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Users of k groups; group g cares most for labels 3g, 3g + 1 and 3g + 2."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, k, n)
    rate = np.full((k, 12), 0.3)
    for place in range(k):
        rate[place, 3 * place : 3 * place + 3] = 6.0
    return rng.poisson(rate[group]).astype(np.float32), group


def test_planted_groups_are_found_with_their_number_and_names() -> None:
    vectors, group = tastes(600)
    found = find_segments(vectors, LABELS)
    assert len(found.names) == 4
    assigned = found.assign_all(vectors)
    assert adjusted_rand_score(group, assigned) > 0.95
    assert found.share.sum() == pytest.approx(1.0)
    assert list(found.share) == sorted(found.share, reverse=True)
    for segment, name in enumerate(found.names):
        planted = np.bincount(group[assigned == segment]).argmax()
        assert set(name.split(" and ")) <= {LABELS[3 * planted + offset] for offset in range(3)}


def test_given_k_and_seed_give_one_result() -> None:
    vectors, _ = tastes(300)
    one, other = find_segments(vectors, LABELS, k=5, seed=3), find_segments(vectors, LABELS, k=5, seed=3)
    assert len(one.names) == 5
    np.testing.assert_array_equal(one.centres, other.centres)
    assert one.names == other.names


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100), st.floats(0.01, 1_000))
def test_how_much_somebody_does_makes_no_difference(seed: int, scale: float) -> None:
    vectors, _ = tastes(200)
    found = find_segments(vectors, LABELS, k=4)
    some = tastes(20, seed=seed)[0]
    scaled = (some * np.float32(scale)).astype(np.float32)
    np.testing.assert_array_equal(found.assign_all(some), found.assign_all(scaled))


def test_one_is_assigned_as_all_are() -> None:
    vectors, _ = tastes(100)
    found = find_segments(vectors, LABELS, k=4)
    assert [found.assign(vector) for vector in vectors[:10]] == found.assign_all(vectors)[:10].tolist()
    assert found.assign(np.zeros(12)) == -1
    assert found.assign(np.full(12, -1.0)) == -1


def test_segments_survive_the_disk(tmp_path: Path) -> None:
    vectors, _ = tastes(100)
    found = find_segments(vectors, LABELS, k=3)
    arrays.save(tmp_path / "s", "segments", found.arrays(), found.meta())
    back = Segments.restore(*arrays.load(tmp_path / "s", "segments"))
    assert (back.names, back.labels) == (found.names, found.labels)
    np.testing.assert_array_equal(back.assign_all(vectors), found.assign_all(vectors))


def test_too_few_users_are_refused() -> None:
    with pytest.raises(NotEnoughData) as caught:
        find_segments(np.ones((50, 12), np.float32), LABELS, k=2)
    assert caught.value.code == "data.too-few"
    with pytest.raises(NotEnoughData):
        find_segments(np.zeros((50, 12), np.float32), LABELS)


def test_users_without_interest_do_not_count() -> None:
    vectors, _ = tastes(200)
    padded = np.concatenate((vectors, np.zeros((50, 12), np.float32)))
    np.testing.assert_array_equal(
        find_segments(padded, LABELS, k=4).centres, find_segments(vectors, LABELS, k=4).centres
    )


def test_interest_vectors_sum_weights_by_category() -> None:
    rows = Interactions.of([0, 0, 0, 1, 1], [0, 1, 2, 2, 9], n_users=3, type=[0, 0, 0, 1, 0], types=("buy", "hate"))
    views = fold.views(rows, Encoder.of((1.0, -1.0)), 0)
    categories = Labels(np.array([0, 0, 1, -1], np.int32), ("a", "b"))
    assert interest_vectors(views, categories).tolist() == [[2.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
