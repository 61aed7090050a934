"""The live state: every cache is bounded, every drop is only a forgetting, whatever order things come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua import Boost, Interaction, Recommender, Settings, Surface
from mutua import state as state_module
from mutua.core.clock import DAY
from mutua.errors import NotKnown
from mutua.events.acts import Acts
from mutua.events.interactions import Interactions
from mutua.events.kinds import AnyEvent, IdentityLink
from mutua.models.base import TrainingData
from mutua.pipeline import plans
from mutua.pipeline.live import Histories
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.history import EMPTY, WINDOW, History
from mutua.profiles.identity import Link, canonical
from mutua.state import LiveState
from mutua.store.sqlite import placing
from mutua.store.sqlite.store import SqliteStore
from mutua.training import training_data
from recommender_shop import NOW, START, book, bought, built, copied, grocery, open_shop, upsert

FADING = Encoder.of((1.0,), shares=(0.1, 0.1, 0.2, 0.2, 0.2, 0.2))
SURFACES = (
    Surface(),
    Surface(exclude="off", boosts=(Boost("price<=3", 2.0),)),
    Surface(pins={2: "new 1"}, where=("price<=5",)),
    Surface(caps={"brand": 1}),
)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shop"))


def answers(shop: Recommender) -> list[Any]:
    asked = [(user, surface) for user in ("u0", "u1", "x", "y") for surface in SURFACES]
    return [shop.recommend(user, 12, surface=surface).items for user, surface in asked]


users, items = st.sampled_from(["u0", "u1", "x", "y"]), st.sampled_from([grocery(0, 0), book(1, 2), "new 1", "new 2"])
kinds = st.sampled_from(["view", "purchase", "dislike", "mystery"])
said = st.fixed_dictionaries(
    {"price": st.one_of(st.none(), st.integers(1, 9)), "brand": st.sampled_from(["press", "brand 1", "new"])},
    optional={"available": st.booleans()},
)
households = st.sampled_from(["family", "single", None])
statements = st.one_of(
    st.fixed_dictionaries({"user": users, "item": items, "type": kinds}),
    st.fixed_dictionaries(
        {"kind": st.just("item-upsert"), "item": items, "attributes": said, "source": st.sampled_from(["a", "b"])}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("user-upsert"), "user": users, "attributes": st.fixed_dictionaries({"household": households})}
    ),
    st.fixed_dictionaries({"kind": st.just("identity-link"), "user": users, "other": users, "undo": st.booleans()}),
    st.fixed_dictionaries({"kind": st.just("impression"), "user": users, "items": items.map(lambda item: [item])}),
)
steps = st.builds(lambda said, day: said | {"time": (START + day * DAY) / 1e6}, statements, st.integers(0, 3))


@settings(max_examples=15)
@given(st.lists(steps, min_size=1, max_size=6), st.booleans())
def test_a_state_moved_by_events_equals_one_read_from_the_log(
    learned: Path, tmp_path_factory: pytest.TempPathFactory, log: list[dict[str, Any]], model: bool
) -> None:
    folder = tmp_path_factory.mktemp("live")
    if model:
        folder = copied(learned, folder)
    with open_shop(folder) as shop:
        shop.record([upsert(grocery(0, 0), {"price": 2, "brand": "press"}), bought("u0", grocery(0, 0), START)])
        for step in log:
            answers(shop)
            shop.record(step)
        live = answers(shop)
        with open_shop(folder, write=False) as fresh:
            assert answers(fresh) == live
        shop._state.drop()
        assert answers(shop) == live
        shop._state.load_models()
        assert answers(shop) == live


def test_plans_are_reused_and_bounded(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "MOST", 5)
    with open_shop(learned, write=False) as shop:
        state = shop._state
        snapshot = state.snapshot("u0")
        first = state.plan(Surface(diversity=0.5), snapshot)
        assert state.plan(Surface(diversity=0.5), snapshot) is first
        assert state.plan(Surface(diversity=0.6), snapshot) is not first
        assert first.name == "inline"
        assert state.plan(Surface(), snapshot, "home") is state.plan(Surface(), snapshot, "home")
        for number in range(40):
            state.plan(Surface(diversity=number / 100), snapshot)
        assert len(state._plans) <= 5


def test_encoded_attributes_are_bounded(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "CAPACITY", 4)
    with open_shop(learned, write=False) as shop:
        before = [shop.recommend(f"u{user}").items for user in range(12)]
        assert len(shop._state.in_force.encoded) <= 4
        assert [shop.recommend(f"u{user}").items for user in range(12)] == before


def test_plans_are_made_anew_for_another_model_or_catalogue(learned: Path, tmp_path: Path) -> None:
    with open_shop(copied(learned, tmp_path)) as shop:
        plan = shop._state.plan(Surface(), shop._state.snapshot(None), "home")
        shop.record(bought("u0", grocery(0, 0), NOW))
        assert shop._state.plan(Surface(), shop._state.snapshot(None), "home") is plan
        shop.record(upsert(grocery(0, 0), {"price": 3}))
        renewed = shop._state.plan(Surface(), shop._state.snapshot(None), "home")
        assert renewed is not plan
        shop.learn("popularity")
        assert shop._state.plan(Surface(), shop._state.snapshot(None), "home") is not renewed


def test_what_was_shown_or_allowed_moves_no_history(learned: Path, tmp_path: Path) -> None:
    with open_shop(copied(learned, tmp_path)) as shop:
        before = shop.recommend("u0").items
        state = shop._state
        plan = state.plan(Surface(), state.snapshot(None), "default")
        shop.record({"kind": "impression", "user": "u0", "items": [grocery(0, 0)]})
        shop.record({"kind": "consent", "user": "u0", "purpose": "train", "granted": True})
        assert shop.recommend("u0").items == before
        assert state.plan(Surface(), state.snapshot(None), "default") is plan


def test_items_are_looked_up_by_what_the_model_knows(learned: Path) -> None:
    with open_shop(learned, write=False) as shop:
        assert shop._state.item(grocery(0, 0)) == 0
        with pytest.raises(NotKnown, match="learn again"):
            shop._state.item(grocery(0, 1), below=1)
        with pytest.raises(NotKnown, match="check the spelling"):
            shop._state.item("unheard")


def noted(kept: Histories, user: int, item: int, sequence: int) -> None:
    kept.moves.note(Acts([user], [item], [0], [np.nan], [5], [sequence], [True]))


def test_histories_are_loaded_once_moved_and_bounded() -> None:
    loads: list[int] = []

    def load(user: int) -> History:
        loads.append(user)
        return EMPTY.add(user, 0, np.nan, 1, 1)

    kept = Histories(load, capacity=3)
    for user in (1, 2, 1, 3, 1, 4, 1, 2):
        assert kept.get(user).item[0] == user
    assert loads == [1, 2, 3, 4, 2]
    assert len(kept) == 3
    noted(kept, 2, 9, 7)
    noted(kept, 99, 9, 7)
    assert kept.get(2).item.tolist() == [2, 9]
    assert kept.get(2).version == 7
    assert kept.get(3).item.tolist() == [3]
    kept.drop(2)
    assert kept.get(2).item.tolist() == [2, 9]
    kept.drop()
    assert len(kept) == 0


def test_a_history_that_lacks_a_move_is_loaded_again_once_the_log_tells_of_it() -> None:
    told = {1: EMPTY.add(1, 0, np.nan, 1, 1), 2: EMPTY.add(2, 0, np.nan, 1, 2)}
    loads: list[int] = []

    def load(user: int) -> History:
        loads.append(user)
        return told[user]

    kept = Histories(load)
    for user in (1, 2):
        kept.get(user)
        noted(kept, user, 9, 6 + user)
    assert kept.get(2).item.tolist() == [2, 9]
    told[1] = told[1].add(9, 0, np.nan, 5, 7)
    noted(kept, 2, 5, 9)
    kept.settle(8)
    assert len(kept.moves) == 1
    assert [kept.get(user).item.tolist() for user in (1, 2)] == [[1, 9], [2, 5]]
    assert loads == [1, 2, 1, 2]


def test_the_moves_of_linked_users_come_in_log_order() -> None:
    kept = Histories(lambda _: EMPTY)
    kept.union = canonical([Link(1, 8, 10, 1)])
    noted(kept, 8, 3, 4)
    noted(kept, 1, 2, 3)
    noted(kept, 8, 4, 6)
    noted(kept, 1, 5, 7)
    assert kept.get(1).item.tolist() == kept.get(8).item.tolist() == [2, 3, 4, 5]
    assert len(kept.get(2)) == 0


@pytest.mark.parametrize("step", range(1, 8))
def test_the_state_is_that_of_the_log_wherever_places_are_given(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "TAIL", step)
    with SqliteStore.open(f"sqlite:///{tmp_path / 'x.db'}", write=True) as store:
        state = LiveState(store, Settings(), NOW, fed=True)
        state.warm()
        for number in range(30):
            user = f"u{number % 5}"
            events: list[AnyEvent] = [Interaction(user=user, item=f"i{number}", time=START + number)]
            if number in (9, 21):
                events.append(IdentityLink(user="u1", other="u2", undo=number == 21, time=START + number))
            done = store.log.append(events, recorded=NOW)
            state.apply(events, done.sequences, NOW)
            for index in range(number % 3, len(store.names.users), 3):
                live, loaded = state.histories.get(index), store.log.history(index)
                assert live.sequence.tolist() == loaded.sequence.tolist()
                assert live.item.tolist() == loaded.item.tolist()


def test_a_history_beyond_the_window_is_moved_as_it_would_be_loaded(tmp_path: Path) -> None:
    with SqliteStore.open(f"sqlite:///{tmp_path / 'x.db'}", write=True) as store:
        state = LiveState(store, Settings(), NOW)
        state.histories.get(0)
        for number in range(WINDOW + 30):
            event = Interaction(user="u", item=f"i{number % 7}", time=START + (number * 37 % 600) * DAY // 9)
            done = store.log.append([event], recorded=NOW)
            state.apply([event], done.sequences, NOW)
        live, loaded = state.histories.get(0), store.log.history(0).bounded()
        assert len(live) == len(loaded) == WINDOW
        moved, read = (fold.view(history, FADING, NOW) for history in (live, loaded))
        assert dict(zip(moved.item.tolist(), moved.weight.tolist(), strict=True)) == pytest.approx(
            dict(zip(read.item.tolist(), read.weight.tolist(), strict=True)), rel=1e-5
        )


def test_training_data_of_a_log_are_what_the_state_folds(learned: Path) -> None:
    """The view that is served is the view that is learned from."""
    with open_shop(learned, write=False) as shop:
        data = training_data(shop.store)
        assert isinstance(data, TrainingData)
        assert isinstance(data.interactions, Interactions)
        model = shop._state.rankers.model
        whole = fold.views(data.interactions, model.encoder, NOW)
        for user in (0, 5, 11):
            index = shop.store.names.users.get(f"u{user}")
            assert index is not None
            one = fold.view(shop._state.snapshot(f"u{user}").history, model.encoder, NOW)
            row = whole.rows(index, index + 1)
            assert np.array_equal(one.item, row.item)
            assert np.array_equal(one.weight, row.weight)
