"""From a store to a model in force: what is kept, for how long, and in which order others come to see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mutua.core.clock import DAY
from mutua.errors import ConfigError, NotEnoughData, StoreLocked, UnknownPart
from mutua.people import KIND
from mutua.store.sqlite.lock import WriterLock
from mutua.training import LOCK, dataset_of, train, training_data
from recommender_shop import NOW, START, book, bought, built, copied, open_shop, upsert


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(learned: Path, tmp_path: Path):
    with open_shop(copied(learned, tmp_path)) as opened:
        yield opened


def test_a_saved_model_says_how_far_it_learned_and_how_it_was_chosen(shop) -> None:
    done = shop.learn(budget=60)
    about = shop.store.models.manifest(done.version).meta["about"]
    assert about["sequence"] == shop.store.log.last_sequence()
    assert about["metric"] == done.metric
    assert about["best"] == pytest.approx(max(trial.value for trial in done.trials))
    assert about["learned"] > NOW
    assert done.seconds > 0
    assert (done.users, done.items) == (24, 32)
    assert "best" not in shop.store.models.manifest(shop.learn().version).meta["about"]


def test_candidates_are_judged_on_items_had_before_where_people_come_back(shop) -> None:
    """Groceries of every week are the answer here; nobody who judged new items only could tell."""
    done = shop.learn(budget=60)
    assert max(trial.value for trial in done.trials) > 0.5


def test_only_the_newest_versions_are_kept(shop) -> None:
    for _ in range(6):
        shop.learn("popularity")
    assert shop.store.models.versions() == ("000003", "000004", "000005", "000006", "000007")


def test_what_cannot_be_learned_leaves_everything_as_it_was(shop) -> None:
    folder = shop.store.models.root
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for wrong, error in (("defalt", UnknownPart), ("ease:ridge=-1", ConfigError), ("ease:rigde=1", ConfigError)):
        with pytest.raises(error):
            shop.learn(wrong)
    with pytest.raises(NotEnoughData):
        shop.learn(until=1)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert len(shop.recommend("u0")) == 10


def test_learning_from_dislikes_alone_is_not_enough(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.record([bought("ann", "milk", START) | {"type": "dislike"}])
        with pytest.raises(NotEnoughData):
            shop.learn()
        assert shop.store.models.versions() == ()


def test_attributes_are_as_they_were_by_the_time_learned_until(shop) -> None:
    day = START + 30 * DAY
    shop.record(upsert(book(0, 0), {"category": "moved"}) | {"time": (day + DAY) / 1e6})
    shop.record({"kind": "user-upsert", "user": "u0", "attributes": {"club": "yes"}, "time": (day + DAY) / 1e6})
    then, today = training_data(shop.store, day), training_data(shop.store)
    assert "moved" not in then.items.labels("category").levels
    assert "moved" in today.items.labels("category").levels
    assert "club" not in then.users.columns
    assert then.now <= day < today.now
    assert then.n_items == today.n_items


def test_the_population_is_replaced_by_every_learning(shop) -> None:
    manifest = shop.store.models.root / KIND / "manifest.json"
    before = manifest.stat().st_ino
    shop.learn("popularity")
    assert manifest.stat().st_ino != before
    assert json.loads(manifest.read_text())["kind"] == KIND
    assert not list(shop.store.models.root.glob(".*.part"))


def test_the_main_model_is_published_last(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    folders = shop.store.models
    monkeypatch.setattr("mutua.training.learn_population", lambda *_: seen.append(f"population at {folders.current()}"))
    monkeypatch.setattr("mutua.training._learn_ratings", lambda *_: seen.append(f"ratings at {folders.current()}"))
    train(shop.store, shop._state.rankers.rating_models, "popularity", 0, 0)
    assert seen == ["population at 000001", "ratings at 000001"]
    assert folders.current() == "000002"


def test_only_one_learns_at_a_time(learned: Path) -> None:
    with open_shop(learned, write=False) as shop:
        lock = WriterLock(shop.store.models.root / LOCK)
        with pytest.raises(StoreLocked, match=LOCK):
            train(shop.store, shop._state.rankers.rating_models, "popularity", 0, 0)
        lock.release()
        assert train(shop.store, shop._state.rankers.rating_models, "popularity", 0, 0).learner.name == "popularity"


def test_a_store_is_data_to_experiment_on(shop) -> None:
    data = dataset_of(shop.store)
    assert data.interactions.n_items == 32
    assert data.item_ids.outer(0) == "a-grocery-0"
