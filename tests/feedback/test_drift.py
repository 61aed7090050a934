"""The test of Page and Hinkley: quiet while nothing changes, soon after a fall."""

from __future__ import annotations

import pytest

from mutua.core.seeds import stream
from mutua.feedback.drift import Fall


def alarm(rates: list[tuple[float, int]], seed: int) -> int | None:
    """Returns after how many values the fall is told; None for never."""
    fall, rng, count = Fall(), stream(seed, "drift"), 0
    for rate, length in rates:
        for value in rng.random(length) < rate:
            count += 1
            if fall.seen(float(value)):
                return count
    return None


def test_a_rate_that_stays_gives_no_alarm() -> None:
    assert all(alarm([(rate, 20_000)], seed) is None for seed in range(5) for rate in (0.02, 0.1, 0.5))


@pytest.mark.parametrize(("after", "within"), [(0.03, 2_500), (0.0, 500)])
def test_a_fall_is_told_soon(after: float, within: int) -> None:
    for seed in range(10):
        found = alarm([(0.1, 2_000), (after, 4_000)], seed)
        assert found is not None
        assert 2_000 < found <= 2_000 + within


def test_a_rise_is_no_fall_and_a_restart_forgets() -> None:
    assert alarm([(0.1, 2_000), (0.3, 10_000)], 0) is None
    fall = Fall(least=1)
    assert any(fall.seen(value) for value in [1.0] * 50 + [0.0] * 200)
    fall.restart()
    assert not fall.seen(0.0)
