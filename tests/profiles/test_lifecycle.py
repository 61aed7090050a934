"""Life-cycle stages against a user's own rhythm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.clock import DAY, HOUR, MINUTE
from mutua.events.interactions import Interactions
from mutua.profiles.lifecycle import POPULATION, Rhythms, Stage, life_cycle, rhythms_of

ORDER = [Stage.ACTIVE, Stage.LAPSING, Stage.LOST]


def visits(count: int, gap: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * gap


def stage(times: np.ndarray, days_silent: float, population: Rhythms = POPULATION) -> Stage:
    return life_cycle(times, int(times[-1] + days_silent * DAY), population).stage


def test_nobody_without_events() -> None:
    assert life_cycle(np.empty(0, np.int64), DAY).stage is Stage.NONE
    assert life_cycle(np.array([5 * DAY]), DAY).stage is Stage.NONE


def test_first_visits_are_new_and_then_lost() -> None:
    once = np.array([0, MINUTE, HOUR], np.int64)
    found = life_cycle(once, 3 * DAY)
    assert (found.stage, found.visits) == (Stage.NEW, 1)
    assert stage(once, 30) is Stage.LAPSING
    assert stage(once, 300) is Stage.LOST


def test_the_same_silence_says_different_things_of_different_people() -> None:
    population = Rhythms(median=7.0 * DAY, longest=14.0 * DAY)
    daily, monthly = visits(60, DAY), visits(24, 30 * DAY)
    assert stage(daily, 20, population) is Stage.LOST
    assert stage(monthly, 20, population) is Stage.ACTIVE
    assert stage(monthly, 80, population) is Stage.LAPSING
    assert stage(monthly, 200, population) is Stage.LOST


def test_nobody_is_lost_before_most_people_would_have_returned() -> None:
    patient = Rhythms(median=7.0 * DAY, longest=90.0 * DAY)
    assert stage(visits(60, DAY), 60, patient) is Stage.LAPSING
    assert stage(visits(60, DAY), 91, patient) is Stage.LOST


def test_a_burst_of_events_is_one_visit() -> None:
    found = life_cycle(np.arange(100, dtype=np.int64) * MINUTE, 2 * HOUR)
    assert found.visits == 1
    assert found.rhythm == pytest.approx(POPULATION.median)


@given(st.lists(st.integers(0, 400 * DAY), min_size=1).map(sorted), st.integers(0, 400), st.integers(1, 400))
def test_silence_only_ever_moves_a_user_forward(times: list[int], days: int, more: int) -> None:
    known = np.array(times, np.int64)
    earlier, later = stage(known, days), stage(known, days + more)
    rank = {Stage.NEW: 0, **{name: place for place, name in enumerate(ORDER)}}
    assert rank[earlier] <= rank[later]


@given(st.lists(st.integers(0, 400 * DAY), min_size=1).map(sorted), st.integers(0, 400 * DAY))
def test_the_future_changes_nothing(times: list[int], now: int) -> None:
    known = np.array(times, np.int64)
    assert life_cycle(known, now) == life_cycle(known[known <= now], now)


def test_rhythms_of_a_population() -> None:
    user = np.repeat(np.arange(10), 11)
    time = np.tile(np.arange(11) * 3 * DAY, 10)
    found = rhythms_of(Interactions.of(user, user, time))
    assert found == Rhythms(3.0 * DAY, 3.0 * DAY)
    assert rhythms_of(Interactions.of([0, 1], [0, 0], [0, 1])) == POPULATION
