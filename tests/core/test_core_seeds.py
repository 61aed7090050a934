"""Seeded streams: one path, one stream; different paths, independent streams."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.seeds import stream

paths = st.lists(st.text(max_size=5) | st.integers(0, 9), max_size=3).map(tuple)


@given(st.integers(0, 2**63 - 1), paths)
def test_one_seed_and_path_give_one_stream(seed: int, path: tuple[str | int, ...]) -> None:
    np.testing.assert_array_equal(
        stream(seed, *path).integers(1 << 60, size=4), stream(seed, *path).integers(1 << 60, size=4)
    )


@given(st.integers(0, 2**32), st.integers(0, 2**32), paths, paths)
def test_another_seed_or_path_gives_another_stream(
    seed: int, other: int, path: tuple[str | int, ...], another: tuple[str | int, ...]
) -> None:
    same = seed == other and "\x1f".join(map(str, path)) == "\x1f".join(map(str, another))
    ours, theirs = stream(seed, *path).integers(1 << 60, size=4), stream(other, *another).integers(1 << 60, size=4)
    assert same == bool((ours == theirs).all())


def test_drawing_from_one_part_never_moves_another() -> None:
    expected = stream(1, "b").random()
    stream(1, "a").random(1_000)
    assert stream(1, "b").random() == expected


def test_neighbouring_streams_are_not_correlated() -> None:
    draws = np.array([stream(0, "part", part).random(2_000) for part in range(5)])
    off_diagonal = np.corrcoef(draws)[np.triu_indices(5, 1)]
    assert np.abs(off_diagonal).max() < 0.1
