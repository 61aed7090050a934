"""Exploration: what is logged as the odds of a placement is how often it happens, given the items above it."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_pipeline_run import SIZE, served, snapshot

from mutua.pipeline.explore import by_chance, deepest, greedy_odds, key_of, picks, plackett_luce
from mutua.pipeline.spec import EXPLORED, Boost, Surface
from mutua.slates import Slate
from mutua.store.logged import LoggedSlate

FALLING = np.arange(SIZE, 0, -1).astype(np.float32)
DRAWS = 3_000
EXPLORING = {
    "epsilon": Surface(explore=0.4, pool=2),
    "epsilon after a boost": Surface(explore=0.4, pool=2, boosts=(Boost("category=bakery", 1.0),)),
    "epsilon of a small shop": Surface(explore=0.4, pool=2, where=("price<=4",)),
    "plackett-luce": Surface(temperature=0.3, pool=2),
}


@pytest.mark.parametrize("surface", EXPLORING.values(), ids=EXPLORING)
def test_logged_odds_are_the_frequencies_of_each_place_given_those_above(surface: Surface) -> None:
    happened: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    said: defaultdict[tuple[int, ...], dict[int, float]] = defaultdict(dict)
    for moment in range(DRAWS):
        entries = logged(served(surface, FALLING, 3, snapshot(now=moment))).entries
        for place, (item, odds) in enumerate(
            zip(entries["item"].tolist(), entries["propensity"].tolist(), strict=True)
        ):
            above = tuple(entries["item"][:place].tolist())
            happened[above][item] += 1
            assert said[above].setdefault(item, odds) == odds
    judged = 0
    for above, counts in happened.items():
        total = counts.total()
        for item, odds in said[above].items() if total >= 200 else ():
            judged += 1
            assert counts[item] / total == pytest.approx(odds, abs=4.5 * np.sqrt(odds * (1 - odds) / total) + 1e-9)
        assert sum(said[above].values()) <= 1 + 1e-6
    assert judged >= 6


def logged(slate: Slate) -> LoggedSlate:
    return LoggedSlate.of(slate, slate.inner)


def test_the_default_leaves_two_in_a_hundred_positions_to_chance() -> None:
    assert Surface().explore == EXPLORED == 0.02
    moved = sum(
        any(one.stage == "explore" and one.moved > 0 for one in entry.adjustments)
        for moment in range(2_000)
        for entry in served(Surface(pool=4), FALLING, 2, snapshot(now=moment)).items
    )
    assert moved / 4_000 == pytest.approx(EXPLORED * 7 / 8, abs=0.006)


def test_what_a_constraint_moved_is_flagged() -> None:
    surface = Surface(explore=0.5, caps={"category": 1}, pins={3: "i11"}, pool=4)
    pinned = 0
    for moment in range(50):
        slate = served(surface, FALLING, 3, snapshot(now=moment))
        flags = logged(slate).entries["constrained"].tolist()
        moves = [any(one.stage in ("cap", "pin") for one in entry.adjustments) for entry in slate.items]
        assert flags == [int(moved) for moved in moves]
        assert slate.ids[2] == "i11"
        pinned += flags[2]
    assert pinned > 40  # chance may have put it there before the pin did


def test_the_same_profile_at_the_same_moment_draws_the_same() -> None:
    surface, views = Surface(explore=0.5, pool=3), [snapshot(now=moment) for moment in range(40)]
    first = [served(surface, FALLING, 4, view).items for view in views]
    assert [served(surface, FALLING, 4, view).items for view in views] == first
    assert [served(surface, FALLING, 4, view, seed=1).items for view in views] != first
    other = [snapshot(now=moment, user="bob") for moment in range(40)]
    assert [served(surface, FALLING, 4, view).items for view in other] != first


@given(
    st.integers(1, 30), st.integers(1, 30), st.sampled_from([0.0, 0.02, 0.5, 1.0]), st.binary(min_size=64, max_size=64)
)
def test_every_candidate_keeps_a_place_and_odds(depth: int, pool: int, rate: float, key: bytes) -> None:
    depth = min(depth, pool)
    chosen = picks(depth, pool, rate, key)
    order, odds = by_chance(range(pool), depth, pool, rate, chosen)
    assert sorted(order) == list(range(pool))
    assert len(odds) == depth
    assert all(0 < chance <= 1 for chance in odds)
    if rate == 1:
        assert [position for position, _ in chosen] == list(range(depth))
    if chosen:
        short, same = by_chance(range(max(depth, deepest(chosen))), depth, pool, rate, chosen)
        assert (short[:depth], same) == (order[:depth], odds)
    if not chosen:
        assert order == list(range(pool))
        assert tuple(odds) == greedy_odds(depth, pool, rate)


def test_a_high_temperature_draws_evenly_and_a_low_one_by_rank() -> None:
    order, relevance = np.arange(4), np.array([1.0, 0.7, 0.3, 0.0], np.float32)
    even = [plackett_luce(order, relevance, 1, 10.0, key_of(0, "", 0, draw))[0][0] for draw in range(4_000)]
    assert np.allclose(np.bincount(even, minlength=4) / 4_000, 0.25, atol=0.04)
    drawn, odds = plackett_luce(order, relevance, 4, 0.001, key_of(0, "", 0, 0))
    assert drawn == [0, 1, 2, 3]
    assert np.allclose(odds, 1.0)
