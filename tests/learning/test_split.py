"""Splits: nothing twice, nothing from the future, the same again for the same seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.learning import split as cut
from mutua.learning.split import Split, questions

rows = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 20)), min_size=2, max_size=50)
ALL: dict[str, Callable[[Interactions], Split]] = {
    "at": lambda log: cut.by_time(log, 100),
    "tail": lambda log: cut.by_share_of_time(log, 0.3),
    "last": cut.leave_last,
    "share": lambda log: cut.by_share_of_user(log, 0.25, 3),
    "fold": lambda log: cut.k_fold(log, 3, 3)[1],
}


def log_of(given_rows: list[tuple[int, int, int]]) -> Interactions:
    user, item, time = zip(*given_rows, strict=True)
    return Interactions.of(user, item, np.multiply(time, 10), n_users=7, n_items=8)


@pytest.mark.parametrize("kind", ALL)
@given(rows)
def test_no_row_is_in_both_parts_and_each_is_grouped_by_user(kind: str, given_rows: list[tuple[int, int, int]]) -> None:
    log = log_of(given_rows)
    split = ALL[kind](log)
    train, test = set(split.train.sequence.tolist()), set(split.test.sequence.tolist())
    assert not train & test
    assert train | test <= set(log.sequence.tolist())
    for part in (split.train, split.test):
        assert np.array_equal(part.sequence, part.by_user().sequence)


@given(rows)
def test_by_time_cuts_at_the_moment(given_rows: list[tuple[int, int, int]]) -> None:
    split = cut.by_time(log_of(given_rows), 100)
    assert (split.train.time < 100).all()
    assert (split.test.time >= 100).all()
    assert len(split.train) + len(split.test) == len(given_rows)


@given(rows, st.sampled_from([0.1, 0.2, 0.5]))
def test_share_of_time_holds_out_the_newest(given_rows: list[tuple[int, int, int]], fraction: float) -> None:
    log = log_of(given_rows)
    split = cut.by_share_of_time(log, fraction)
    if log.has_time:
        assert split.train.time.max(initial=-1) < split.test.time.min(initial=999)
        assert len(split.train)
    else:
        assert split.train.sequence.max(initial=-1) < split.test.sequence.min(initial=99)
        assert len(split.test)


@given(rows)
def test_leave_last_keeps_each_users_past_only(given_rows: list[tuple[int, int, int]]) -> None:
    log = log_of(given_rows)
    split = cut.leave_last(log)
    assert len(set(split.test.user.tolist())) == len(split.test)
    counts = np.bincount(log.user, minlength=7)
    assert set(split.test.user.tolist()) == set(np.flatnonzero(counts > 1).tolist())
    for row in range(len(split.test)):
        user = split.test.user[row]
        past = split.train.take(split.train.user == user)
        assert len(past) == counts[user] - 1
        assert past.time.max() <= split.test.time[row] == split.moment[user]


def test_what_follows_the_held_out_event_is_in_neither_part() -> None:
    log = Interactions.of(
        [0, 0, 0, 0], [1, 2, 3, 4], [1, 2, 3, 4], type=[0, 0, 0, 1], types=("buy", "hide"), targets=(True, False)
    )
    split = cut.leave_last(log)
    assert split.train.item.tolist() == [1, 2]
    assert split.test.item.tolist() == [3]


@given(rows)
def test_share_of_user_keeps_an_item_and_takes_items_whole(given_rows: list[tuple[int, int, int]]) -> None:
    log = log_of(given_rows)
    split = cut.by_share_of_user(log, 0.25, 3)
    held = set(zip(split.test.user.tolist(), split.test.item.tolist(), strict=True))
    kept = set(zip(split.train.user.tolist(), split.train.item.tolist(), strict=True))
    assert not held & kept
    for user in set(log.user.tolist()):
        had = len({pair for pair in held | kept if pair[0] == user})
        assert len({pair for pair in held if pair[0] == user}) == min(int(had * 0.25 + 0.5), had - 1)


@given(rows)
def test_random_splits_ask_each_user_at_their_newest_event(given_rows: list[tuple[int, int, int]]) -> None:
    split = cut.by_share_of_user(log_of(given_rows), 0.5, 0)
    for user in set(split.test.user.tolist()):
        assert split.moment[user] == split.train.time[split.train.user == user].max()


@given(rows)
def test_folds_hold_out_each_item_once(given_rows: list[tuple[int, int, int]]) -> None:
    log = log_of(given_rows)
    held = np.concatenate([split.test.sequence for split in cut.k_fold(log, 4, 0)])
    assert sorted(held.tolist()) == log.sequence.tolist()


def test_the_seed_decides() -> None:
    log = Interactions.of(np.repeat(0, 60), np.arange(60))
    first, again, other = (cut.by_share_of_user(log, 0.5, seed).test.item for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ALL)
@given(rows, st.booleans())
def test_questions_ask_for_what_was_held_out(
    kind: str, given_rows: list[tuple[int, int, int]], exclude_seen: bool
) -> None:
    split = ALL[kind](log_of(given_rows))
    seen = set(zip(split.train.user.tolist(), split.train.item.tolist(), strict=True)) if exclude_seen else set()
    wanted = set(zip(split.test.user.tolist(), split.test.item.tolist(), strict=True)) - seen
    if not wanted:
        with pytest.raises(NotEnoughData):
            questions(split, exclude_seen)
        return
    asked = questions(split, exclude_seen)
    users = asked.users[asked.targets.owner].tolist()
    assert set(zip(users, asked.targets.item.tolist(), strict=True)) == wanted
    banned = set(zip(asked.users[asked.banned.owner].tolist(), asked.banned.item.tolist(), strict=True))
    assert banned == {pair for pair in seen if pair[0] in set(asked.users.tolist())}
    assert asked.left_out == len(set(split.test.user.tolist())) - len(asked)
