"""Replay against a walk event by event in plain Python, and on planted streams."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY, HOUR, SECOND
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.lab import prefixes
from mutua.lab.freshness import figures, ratio
from mutua.lab.prefixes import FROZEN
from mutua.lab.replay import LIVE_POPULARITY, POPULARITY, label, replay
from mutua.models.base import Model, TrainingData
from mutua.models.linear.item_knn import ItemKnn
from mutua.profiles import fold

DELAYS = (0, 5 * SECOND, FROZEN)


def data_of(log: Interactions) -> TrainingData:
    return TrainingData(
        log.by_user(), AttributeTable(log.n_users), AttributeTable(log.n_items), int(log.time.max(initial=0))
    )


def learned(data: TrainingData) -> Model:
    return ItemKnn().learn(data)


def ranked(scores: npt.NDArray[np.float32] | npt.NDArray[np.int64], item: int, banned: set[int]) -> int:
    order = sorted((i for i in range(len(scores)) if i not in banned), key=lambda i: (-scores[i], i))
    return order.index(item)


def walked(log: Interactions, cut: int, exclude_seen: bool) -> dict[str, list[int]]:
    """The definition: one event after the other."""
    log = log.by_time()
    past = log.take(np.arange(cut))
    model = learned(data_of(past))
    found: dict[str, list[int]] = {label(delay): [] for delay in DELAYS} | {POPULARITY: [], LIVE_POPULARITY: []}
    static = np.bincount(past.item, minlength=log.n_items)
    for event in range(cut, len(log)):
        own = np.arange(len(log)) < event
        own &= log.user == log.user[event]
        seen = set(log.item[own].tolist()) if exclude_seen else set()
        item = int(log.item[event])
        if item in seen:
            continue
        for delay in DELAYS:
            late = log.time <= log.time[event] - delay if delay != FROZEN else np.arange(len(log)) < cut
            known = log.take(own & late)
            history = fold.history_of(known.by_user(), int(log.user[event]))
            view = fold.view(history, model.encoder, int(log.time[event]))
            found[label(delay)].append(ranked(model.score(view)[0], item, seen))
        live = np.bincount(log.item[:event], minlength=log.n_items)
        found[POPULARITY].append(ranked(static, item, seen))
        found[LIVE_POPULARITY].append(ranked(live, item, seen))
    return found


logs = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 12).map(SECOND.__mul__)), min_size=6, max_size=40
).map(lambda rows: Interactions.of(*zip(*rows, strict=True), n_users=4, n_items=7))


@settings(max_examples=15)
@given(logs, st.booleans(), st.sampled_from([4, 1 << 21]))
def test_equals_the_definition(log: Interactions, exclude_seen: bool, room: int) -> None:
    cut = len(log) // 2
    expected = walked(log, cut, exclude_seen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "ROOM", room)
        if not expected["frozen"]:
            with pytest.raises(NotEnoughData):
                replay(learned, data_of(log), cut, delays=DELAYS, exclude_seen=exclude_seen)
            return
        found = replay(learned, data_of(log), cut, delays=DELAYS, exclude_seen=exclude_seen)
    assert {line: ranks.tolist() for line, ranks in found.ranks.items()} == expected


TURN = 3 * DAY


@pytest.fixture(scope="module")
def moods() -> TrainingData:
    """Everyone has a taste until the turn and another one after it; some join only then."""
    draws = np.random.default_rng(0)
    rows = []
    for user in range(80):
        before, after = draws.integers(0, 8, 2)
        for day in range(0 if user < 50 else 3, 12):
            taste = int(before if day < 3 else after)
            rows += [
                (user, taste * 10 + int(draws.integers(0, 10)), day * DAY + int(draws.integers(0, 6 * HOUR)))
                for _ in range(4)
            ]
    user, item, time = zip(*rows, strict=True)
    return data_of(Interactions.of(user, item, np.array(time) // SECOND * SECOND))


def turn_of(data: TrainingData) -> int:
    return int(np.count_nonzero(data.interactions.time < TURN))


def test_fresh_profiles_win_where_tastes_change(moods: TrainingData) -> None:
    found = replay(learned, moods, turn_of(moods), exclude_seen=False)
    rates = {line: figures(found, line, "all", (10,), 0)["hr@10"].value for line in found.ranks}
    assert rates["0 seconds"] >= rates["1 minute"] > rates["1 hour"] > rates["1 day"] > 1.3 * rates["frozen"]
    for group in ("warm", "new"):
        gain = ratio(found, "0 seconds", "frozen", group, 10, seed=0)
        assert 1.0 < gain.low < gain.value < gain.high
    new = figures(found, "0 seconds", "new", (10,), 0)["hr@10"]
    assert new.low <= new.value <= new.high
    assert ratio(found, "0 seconds", POPULARITY, "new", 10, seed=0).low > 1.0


def test_refits_learn_what_came_since(moods: TrainingData) -> None:
    """Items of the second half are unknown at the cut, and found after a refit."""
    log = moods.interactions
    late = log.time >= 8 * DAY
    shifted = Interactions.of(log.user, log.item + 80 * late, log.time)
    cut = int(np.count_nonzero(~late))
    sizes: list[int] = []

    def learn(data: TrainingData) -> Model:
        sizes.append(len(data.interactions))
        return learned(data)

    once = replay(learn, data_of(shifted), cut, delays=(0,), exclude_seen=False)
    often = replay(learn, data_of(shifted), cut, delays=(0,), refit_every=200, exclude_seen=False)
    assert sizes[0] == cut
    assert sizes[1:] == list(range(cut, len(log), 200))
    assert often.fits == len(sizes) - 1
    hits = [figures(found, "0 seconds", "all", (10,), 0)["hr@10"].value for found in (once, often)]
    assert hits[1] > 2 * hits[0]


def test_groups_are_by_events_before_the_cut(moods: TrainingData) -> None:
    found = replay(learned, moods, turn_of(moods), delays=(FROZEN,))
    assert set(found.group[found.user >= 50].tolist()) <= {0, 1}
    assert set(found.group[found.user < 50].tolist()) == {2}
    assert (
        figures(found, "frozen", "warm", (10,), 0)["recall@10"] == figures(found, "frozen", "warm", (10,), 0)["hr@10"]
    )


def test_marked_events_are_neither_known_nor_foreseen(moods: TrainingData) -> None:
    log = moods.interactions
    marked = np.arange(len(log)) % 7 == 0
    with_marks = TrainingData(
        Interactions(**{**vars(log), "weight": np.where(marked, 0, 1).astype(np.float32)}),
        moods.users,
        moods.items,
        moods.now,
    )
    without = TrainingData(log.take(~marked), moods.users, moods.items, moods.now)
    first, second = (replay(learned, data, 1_000, delays=(0,)) for data in (with_marks, without))
    assert np.array_equal(first.ranks["0 seconds"], second.ranks["0 seconds"])
