"""Page's test on hits and misses: quiet while nothing changes, soon after a fall to half."""

from __future__ import annotations

import pytest

from mutua.core.seeds import stream
from mutua.feedback.drift import Fall


def alarm(rates: list[tuple[float, int]], seed: int) -> int | None:
    """Returns after how many values the fall is told; None for never."""
    fall, rng, count = Fall(), stream(seed, "drift"), 0
    for rate, length in rates:
        for hit in (rng.random(length) < rate).tolist():
            count += 1
            if fall.seen(hit):
                return count
    return None


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_a_rate_that_stays_gives_no_alarm(rate: float) -> None:
    assert all(alarm([(rate, 50_000)], seed) is None for seed in range(5))


@pytest.mark.parametrize(
    ("before", "after", "within"),
    [((0.1, 2_000), 0.05, 4_000), ((0.1, 20_000), 0.05, 2_500), ((0.1, 2_000), 0.03, 1_000), ((0.1, 2_000), 0.0, 400)],
)
def test_a_fall_is_told_soon(before: tuple[float, int], after: float, within: int) -> None:
    for seed in range(20):
        found = alarm([before, (after, within)], seed)
        assert found is not None
        assert found > before[1]


def test_a_fall_by_a_tenth_is_borne() -> None:
    assert all(alarm([(0.1, 5_000), (0.09, 10_000)], seed) is None for seed in range(10))


def test_a_rise_is_no_fall_and_a_restart_forgets() -> None:
    assert alarm([(0.1, 2_000), (0.3, 10_000)], 0) is None
    fall = Fall(least=100)
    assert any(fall.seen(value) for value in [True, False] * 100 + [False] * 100)
    fall.restart()
    assert not fall.seen(False)
    assert fall.mean == 0.0


@pytest.mark.parametrize("value", [True, False])
def test_what_never_differs_tells_nothing(value: bool) -> None:
    fall = Fall(least=10)
    assert not any(fall.seen(value) for _ in range(5_000))
    assert fall.mean == float(value)
