"""Anomalies: planted ones are found, normal users are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from mutua.catalog.table import Labels
from mutua.core.clock import DAY, HOUR, MINUTE, SECOND
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.profiles.anomalies import Norms, anomalies_of, norms_of, worst
from mutua.profiles.history import EMPTY, History

NOW = 20_000 * DAY
N_ITEMS, N_CATEGORIES = 200, 20
CATEGORIES = Labels(
    np.arange(N_ITEMS, dtype=np.int32) % N_CATEGORIES, tuple(f"c{code}" for code in range(N_CATEGORIES))
)


def shopper(user: int) -> History:
    """Somebody with favourite categories who comes every few days, looks around, and buys a basket at one instant."""
    rng = stream(user, "shopper")
    taste = rng.dirichlet(np.full(N_CATEGORIES, 0.3))
    gap, visits, size = rng.uniform(0.5, 15), int(rng.integers(5, 60)), rng.uniform(1, 25)
    moments = NOW - np.cumsum(rng.exponential(gap, visits) * DAY).astype(np.int64)
    item, kind, value, time = [], [], [], []
    for moment in moments:
        views = int(rng.poisson(size))
        steps = moment + np.cumsum(rng.exponential(40, views) * SECOND).astype(np.int64)
        basket = int(rng.poisson(size))
        chosen = rng.choice(N_CATEGORIES, views + basket, p=taste)
        item += (chosen + N_CATEGORIES * rng.integers(0, 10, views + basket)).tolist()
        kind += [0] * views + [1] * basket
        value += [np.nan] * views + np.exp(rng.normal(1, 0.8, basket)).tolist()
        time += [*np.minimum(steps, NOW).tolist(), *[int(moment)] * basket]
    order = np.argsort(time, kind="stable")[-500:]
    return History(
        np.array(item, np.int32)[order],
        np.array(kind, np.int16)[order],
        np.array(value, np.float32)[order],
        np.array(time, np.int64)[order],
        np.arange(1, len(order) + 1),
    )


SHOPPERS = [shopper(user) for user in range(300)]


def norms() -> Norms:
    value, kind = (np.concatenate([getattr(one, name) for one in SHOPPERS]) for name in ("value", "type"))
    count = len(value)
    return norms_of(
        Interactions.of(np.zeros(count), np.zeros(count), value=value, type=kind, types=("view", "purchase"))
    )


NORMS = norms()


def acts(times: np.ndarray, items: np.ndarray | None = None, value: float = np.nan) -> History:
    count = len(times)
    return History(
        np.zeros(count, np.int32) if items is None else items.astype(np.int32),
        np.ones(count, np.int16),
        np.full(count, value, np.float32),
        np.asarray(times, np.int64),
        np.arange(1, count + 1),
    )


def codes(history: History) -> set[str]:
    return {anomaly.code for anomaly in anomalies_of(history, NOW, NORMS, CATEGORIES)}


def test_normal_users_are_hardly_ever_flagged() -> None:
    flagged = [one for one in SHOPPERS if codes(one)]
    assert len(flagged) <= 3, [codes(one) for one in flagged]


def test_acts_faster_than_a_hand_are_flagged() -> None:
    found = anomalies_of(acts(NOW - HOUR + np.arange(200) * 300_000), NOW)
    assert "rate" in {anomaly.code for anomaly in found}
    assert all(0 < anomaly.severity <= 1 for anomaly in found)
    assert worst(found) == found[0].severity


def test_a_basket_of_a_thousand_is_one_act() -> None:
    assert codes(acts(np.full(1_000, NOW - HOUR), np.arange(1_000) % N_ITEMS)) == set()


def test_clockwork_is_flagged_but_daily_habits_are_not() -> None:
    assert codes(acts(NOW - np.arange(60)[::-1] * 30 * SECOND)) == {"clockwork"}
    assert codes(acts(NOW - np.arange(60)[::-1] * DAY)) == set()


@pytest.mark.parametrize("user", range(10))
def test_a_burst_is_told_from_the_users_own_days(user: int) -> None:
    rng = stream(user, "burst")
    usual = NOW - np.sort(rng.choice(np.arange(2 * DAY, 60 * DAY, 7 * MINUTE), 80, replace=False))[::-1]
    burst = NOW - np.sort(rng.choice(np.arange(0, 20 * HOUR, MINUTE), 120, replace=False))[::-1]
    items = np.zeros(200)
    assert codes(acts(np.concatenate((usual, burst)), items)) == {"burst"}
    assert codes(acts(usual, items[:80])) == set()


def test_a_sudden_other_taste_is_flagged_with_its_events() -> None:
    rng = stream(0, "shift")
    before, after = rng.choice([0, 1, 2, 3], 160), rng.choice([11, 12], 20)
    times = NOW - np.arange(180)[::-1] * DAY
    found = anomalies_of(acts(times, np.concatenate((before, after))), NOW, categories=CATEGORIES)
    assert [anomaly.code for anomaly in found] == ["taste-shift"]
    assert min(found[0].sequences) > 160
    assert "c11" in found[0].text or "c12" in found[0].text
    assert anomalies_of(acts(times[:160], before), NOW, categories=CATEGORIES) == ()


def test_a_wide_taste_that_always_changes_is_normal() -> None:
    always_new = np.repeat(np.arange(9), 20)
    assert codes(acts(NOW - np.arange(180)[::-1] * DAY, always_new)) == set()


@pytest.mark.parametrize("value", [1e9, -1e6, 1e30])
def test_implausible_values_are_flagged(value: float) -> None:
    found = anomalies_of(acts(np.array([NOW - DAY]), value=value), NOW, NORMS)
    assert [(anomaly.code, anomaly.sequences) for anomaly in found] == [("value", (1,))]


def test_types_without_values_have_no_bounds() -> None:
    odd = History(*(column[:1] for column in acts(np.array([NOW]), value=1e9).columns))
    unknown = History(odd.item, np.array([7], np.int16), odd.value, odd.time, odd.sequence)
    viewed = History(odd.item, np.array([0], np.int16), odd.value, odd.time, odd.sequence)
    assert codes(unknown) == codes(viewed) == set()


def test_nothing_is_said_of_nobody_or_of_the_future() -> None:
    assert anomalies_of(EMPTY, NOW, NORMS, CATEGORIES) == ()
    assert anomalies_of(acts(NOW + HOUR + np.arange(500)), NOW, NORMS, CATEGORIES) == ()
