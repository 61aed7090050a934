"""The best n and the ranks agree with a full sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mutua.models.topn import ranks, top_n, top_rows

ROWS = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.sampled_from([-1, 0, 0.5, 2])
)


def ordered(row: np.ndarray, banned: np.ndarray) -> list[int]:
    """All items not banned, best first, ties by index."""
    return [int(item) for item in np.lexsort((np.arange(len(row)), -row)) if not banned[item]]


@given(ROWS, st.integers(0, 35), st.integers(0, 2**31))
def test_top_n_is_the_head_of_a_full_sort(scores: np.ndarray, n: int, seed: int) -> None:
    row = scores[0]
    banned = np.random.default_rng(seed).random(len(row)) < 0.3
    items, best = top_n(row, n, banned)
    assert items.tolist() == ordered(row, banned)[:n]
    assert np.array_equal(best, row[items])
    assert top_n(row, n)[0].tolist() == ordered(row, np.zeros(len(row), bool))[:n]


@given(ROWS, st.integers(1, 35), st.integers(0, 2**31))
def test_every_row_of_a_batch_is_its_own_top_n(scores: np.ndarray, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    banned, seen = rng.random(scores.shape[1]) < 0.2, rng.random(scores.shape) < 0.3
    start = np.concatenate(([0], np.cumsum(seen.sum(axis=1))))
    items, best = top_rows(scores, n, banned, (start, np.nonzero(seen)[1].astype(np.int32)))
    for row in range(len(scores)):
        expected = ordered(scores[row], banned | seen[row])[:n]
        assert items[row, : len(expected)].tolist() == expected
        assert (items[row, len(expected) :] == -1).all()
        assert np.isneginf(best[row, len(expected) :]).all()


@given(ROWS, st.integers(0, 2**31))
def test_ranks_are_places_in_a_full_sort(scores: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    banned, seen = rng.random(scores.shape[1]) < 0.2, rng.random(scores.shape) < 0.2
    wanted = rng.random(scores.shape) < 0.5
    start = np.concatenate(([0], np.cumsum(wanted.sum(axis=1))))
    seen_start = np.concatenate(([0], np.cumsum(seen.sum(axis=1))))
    rows, items = np.nonzero(wanted)
    found = ranks(scores, (start, items.astype(np.int32)), banned, (seen_start, np.nonzero(seen)[1].astype(np.int32)))
    for row, item, rank in zip(rows, items, found, strict=True):
        order = ordered(scores[row], banned | seen[row])
        assert rank == (order.index(item) + 1 if item in order else 0)


def test_what_is_minus_infinite_is_never_returned() -> None:
    items, _ = top_n(np.array([-np.inf, 1.0, -np.inf], np.float32), 3)
    assert items.tolist() == [1]
