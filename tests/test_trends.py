"""What is in demand: counted by the shop's own clock, fading, and never too large to count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mutua.core.clock import DAY
from mutua.events.acts import Acts
from mutua.events.kinds import Interaction
from mutua.store.sqlite.store import SqliteStore
from mutua.trends import HALF_LIFE, Trends


def act(item: int, time: int) -> Acts:
    return Acts([0], [item], [0], [float("nan")], [time], [1], [True])


START = 1_600_000_000_000_000


def test_counts_fade_by_the_clock_that_is_given_and_survive_years(tmp_path: Path) -> None:
    now = START
    with SqliteStore.open(f"sqlite:///{tmp_path / 'x.db'}", write=True) as store:
        store.log.append([Interaction(user="u", item=item, time=START) for item in ("tea", "milk")], recorded=START)
        trends = Trends(store, lambda: now)
        trends.moved(act(0, now))
        counted = dict(trends.top(5))
        now += HALF_LIFE
        assert dict(trends.top(5)) == pytest.approx({item: count / 2 for item, count in counted.items()})
        now += 3_000 * DAY
        assert [count for _, count in trends.top(5)] == pytest.approx([0.0] * len(trends.top(5)))
        trends.moved(act(1, now))
        assert trends.top(5) == [("milk", pytest.approx(1.0))]
        trends.moved(act(0, now + 9_000 * DAY))
        assert trends.top(1)[0][0] == "tea"
        banned = np.array([item == "tea" for item in ("tea", "milk")])
        assert "tea" not in dict(trends.top(5, banned))
