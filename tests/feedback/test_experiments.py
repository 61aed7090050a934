"""Splitting users: by share, sticky, independent between experiments, and moving as few as can be."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import UsageError
from mutua.feedback.experiments import Experiment, Split, Variant, stretches

USERS = [f"u{number}" for number in range(20_000)]


def split(name: str = "calm", **shares: float) -> Split:
    return Split.of(name, Experiment("home", {variant: Variant(variant, share) for variant, share in shares.items()}))


def assigned(one: Split, users: list[str] = USERS) -> np.ndarray:
    return np.array([one.variant_of(user)[0] for user in users])


@given(st.lists(st.integers(0, 20), min_size=2, max_size=6).filter(any), st.floats(0.1, 1.0))
def test_stretches_hold_the_shares_and_do_not_overlap(parts: list[int], total: float) -> None:
    shares = [part / sum(parts) * total for part in parts]
    found = sorted(stretches(shares))
    assert all(0 <= low < high <= 1 + 1e-9 for low, high, _ in found)
    assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(found))
    for at, share in enumerate(shares):
        assert sum(high - low for low, high, who in found if who == at) == pytest.approx(share, abs=1e-6)


def test_users_are_split_by_the_shares_and_stay() -> None:
    one = split(a=0.2, b=0.5)
    found = assigned(one)
    shares = {name: float((found == name).mean()) for name in ("calm/a", "calm/b", "")}
    assert shares == pytest.approx({"calm/a": 0.2, "calm/b": 0.5, "": 0.3}, abs=0.012)
    assert (assigned(split(a=0.2, b=0.5)) == found).all()
    code = "from test_experiments import *; print(','.join(assigned(split(a=0.2, b=0.5), USERS[:50])))"
    run = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == ",".join(found[:50])


def test_two_experiments_split_independently() -> None:
    first, second = assigned(split("x", a=0.5, b=0.5)) == "x/a", assigned(split("y", a=0.5, b=0.5)) == "y/a"
    assert float((first & second).mean()) == pytest.approx(0.25, abs=0.012)


@given(*[st.floats(0, 0.5)] * 4)
def test_a_variant_that_grows_keeps_all_and_one_that_shrinks_takes_nobody(
    a: float, b: float, c: float, d: float
) -> None:
    before, after = assigned(split(a=a, b=b), USERS[:1_000]), assigned(split(a=c, b=d), USERS[:1_000])
    for name, old, new in (("calm/a", a, c), ("calm/b", b, d)):
        smaller, larger = (before, after) if new >= old else (after, before)
        assert (larger[smaller == name] == name).all()


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_where_two_share_all_users_only_those_move_who_must(a: float, c: float) -> None:
    before, after = assigned(split(a=a, b=1 - a), USERS[:1_000]), assigned(split(a=c, b=1 - c), USERS[:1_000])
    moved = abs(float((before == "calm/a").mean() - (after == "calm/a").mean()))
    assert float((before != after).mean()) == pytest.approx(moved, abs=0.0025)


def test_of_three_variants_ramping_one_up_moves_nobody_between_the_others() -> None:
    before, after = assigned(split(a=0.1, b=0.1, c=0.1)), assigned(split(a=0.1, b=0.3, c=0.1))
    moved = before != after
    assert set(before[moved]) == {""}
    assert set(after[moved]) == {"calm/b"}


@pytest.mark.parametrize("shares", [{"a": 0.5}, {"a": 0.6, "b": 0.5}, {"a/b": 0.5, "c": 0.5}])
def test_an_experiment_that_cannot_be_split_is_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Experiment("home", {name: Variant(name, share) for name, share in shares.items()})
