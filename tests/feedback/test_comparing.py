"""Comparing variants: a planted difference is found with its truth in the interval, and none is rarely found."""

from __future__ import annotations

import numpy as np
import pytest

from mutua.core.seeds import stream
from mutua.feedback.comparing import compared
from mutua.feedback.joining import Joined, Unit

RATES = {"click_through": 0.2, "conversion": 0.1, "value_per_user": 0.1 * 20}


def simulated(seed: int, users: int, lift: float) -> Joined:
    """Users with one to five lists seen; those of variant b click and buy `lift` times as often."""
    rng = stream(seed, "experiment")
    found = Joined()
    for name, factor in (("a", 1.0), ("b", lift)):
        lists = rng.integers(1, 6, users)
        clicked = rng.binomial(lists, RATES["click_through"] * factor)
        goals = (rng.random(users) < RATES["conversion"] * factor).astype(int)
        values = goals * rng.exponential(20, users)
        columns = zip(lists.tolist(), lists.tolist(), clicked.tolist(), goals.tolist(), values.tolist(), strict=True)
        found.units[name] = [Unit(*row) for row in columns]
    return found


def test_a_planted_difference_is_found_and_its_truth_is_in_the_interval() -> None:
    covered = found = 0
    for seed in range(20):
        shown = compared("x", simulated(seed, 2_000, 1.4), ("a", "b"), {"a": 0.5, "b": 0.5}, seed)
        for metric, other in shown.variants["b"].differences.items():
            covered += other.difference.low <= 0.4 * RATES[metric] <= other.difference.high
            found += other.p_holm < 0.05
        assert shown.variants["a"].differences == {}
        assert not shown.notes
    assert covered >= 52
    assert found >= 50


def test_no_difference_is_found_about_as_often_as_it_is_said_to_be() -> None:
    alarms, families, runs = 0, 0, 120
    for seed in range(runs):
        shown = compared("x", simulated(1_000 + seed, 400, 1.0), ("a", "b"), {}, seed)
        differences = shown.variants["b"].differences
        alarms += differences["click_through"].p < 0.05
        families += any(other.p_holm < 0.05 for other in differences.values())
        assert all(other.p_holm >= other.p for other in differences.values())
    assert alarms / runs == pytest.approx(0.05, abs=0.055)
    assert families / runs == pytest.approx(0.05, abs=0.06)


def test_users_that_are_no_sample_of_the_shares_are_told_of() -> None:
    found = simulated(1, 500, 1.0)
    found.units["b"] = found.units["b"][:380]
    shown = compared("x", found, ("a", "b"), {"a": 0.5, "b": 0.5})
    assert shown.mismatch is not None
    assert shown.mismatch < 0.001
    assert "no sample of their shares" in shown.notes[0]
    fair = compared("x", found, ("a", "b"), {"a": 0.568, "b": 0.432})
    assert fair.mismatch is not None
    assert fair.mismatch > 0.5
    assert compared("x", found, (), {}).mismatch is None


def test_figures_are_those_of_the_units() -> None:
    found = Joined({"a": [Unit(2, 2, 1, 1, 10.0), Unit(1, 0)], "b": [Unit(3, 2, 2, 0, 0.0)]}, moved=2, anonymous=1)
    shown = compared("x", found, ("b", "a"), {})
    assert list(shown.variants) == ["b", "a"]
    a = shown.variants["a"]
    assert (a.users, a.slates, a.impressions) == (2, 3, 2)
    values = {metric: interval.value for metric, interval in a.metrics.items()}
    assert values == {"click_through": 0.5, "conversion": 0.5, "value_per_user": 5.0}
    assert a.differences["click_through"].difference.value == -0.5
    assert len(shown.notes) == 2
    nothing = compared("x", Joined({"a": [Unit(1)], "b": [Unit(1)]}), (), {})
    assert np.isnan(nothing.variants["b"].metrics["click_through"].value)
    assert "no impressions" in nothing.notes[0]
