"""Forgetting through the facade: the slate, the profile, the names, and at the next learn the models."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua import Recommender
from mutua.errors import NotEnoughData, NotKnown, UsageError
from mutua.people import KIND
from mutua.privacy.forgetting import verify
from recommender_shop import HOUSEHOLDS, NOW, START, book, bought, built, copied, grocery, open_shop

STARS = [{"user": "u0", "item": book(0, n), "type": "rating", "value": 1 + n % 5, "time": NOW / 1e6} for n in range(9)]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(learned: Path, tmp_path: Path):
    with open_shop(copied(learned, tmp_path)) as opened:
        yield opened


def test_a_forgotten_user_is_a_stranger_at_once(shop: Recommender) -> None:
    shop.record({"kind": "user-upsert", "user": "u0", "attributes": {"household": HOUSEHOLDS[1]}})
    stranger, mine = shop.recommend("nobody", 8), shop.recommend("u0", 8)
    assert mine.items != stranger.items
    receipt = shop.forget("u0")
    assert receipt.counts["events"] > 0
    assert receipt.models == ("000001",)
    assert all(check.ok for check in receipt.checks)
    after = shop.recommend("u0", 8)
    assert after.items == stranger.items
    assert after.profile_version == 0
    assert any("no history" in note for note in after.notes)
    assert shop.store.names.users.get("u0") is None
    for question in (lambda: shop.profile("u0"), lambda: shop.forget("u0")):
        with pytest.raises(NotKnown):
            question()


def test_models_forget_at_the_next_learn(shop: Recommender) -> None:
    shop.record(STARS)
    shop.learn()
    folder = shop.store.models.root
    rated = (folder / "ratings").rglob("manifest.json")
    before = {path: path.read_bytes() for path in rated}
    population = (folder / KIND / "manifest.json").read_bytes()
    receipt = shop.forget("u0")
    assert set(receipt.models) == {"000001", "000002"}
    assert not receipt.complete
    done = shop.learn()
    assert set(done.purged) == {"000001", "000002"}
    assert shop.store.models.versions() == (done.version,) == ("000003",)
    assert before
    assert not any(path.exists() for path in before)
    assert not done.ratings
    assert (folder / KIND / "manifest.json").read_bytes() != population
    assert all(check.ok for check in verify(shop.store, receipt))
    assert len(shop.recommend("u1", 8)) == 8


def test_the_model_of_ratings_is_replaced_where_others_still_rate(shop: Recommender) -> None:
    shop.record([*STARS, *({**star, "user": "u1"} for star in STARS)])
    shop.learn()
    assert shop.store.models.root.joinpath("ratings", "000001").is_dir()
    shop.forget("u0")
    assert shop.learn().ratings
    assert [path.name for path in shop.store.models.root.joinpath("ratings").glob("0*")] == ["000002"]


def test_a_forgotten_event_takes_its_part_of_the_score(shop: Recommender) -> None:
    shop.record([bought("eve", book(1, 0), NOW - 1, id="first"), bought("eve", book(1, 1), NOW, id="second")])
    whole = {entry.item: entry for entry in shop.recommend("eve", 30, explained=True).items}
    sequence = shop.store.log.last_sequence()
    shop.forget(event="second")
    less = {entry.item: entry.score for entry in shop.recommend("eve", 30).items}
    assert book(1, 1) in less
    for item in whole.keys() & less.keys():
        told = sum(reason.amount for reason in whole[item].reasons if sequence in reason.sequences)
        assert whole[item].score - less[item] == pytest.approx(told, abs=2e-6)
    assert shop.profile("eve").history.events == 1


def test_linked_ids_are_forgotten_together(shop: Recommender) -> None:
    shop.record([bought("phone", grocery(0, 0), NOW), {"kind": "identity-link", "user": "u0", "other": "phone"}])
    receipt = shop.forget("phone")
    assert len(receipt.subjects) == 2
    assert shop.recommend("u0", 8).items == shop.recommend("phone", 8).items == shop.recommend("nobody", 8).items


def test_the_name_may_come_back_as_somebody_new(shop: Recommender) -> None:
    index = shop.store.names.users.get("u0")
    shop.forget("u0")
    shop.record(bought("u0", grocery(1, 1), START))
    assert shop.store.names.users.get("u0") != index
    assert shop.profile("u0").history.events == 1


def test_forgetting_takes_a_user_or_an_event(shop: Recommender) -> None:
    for wrong in ({}, {"user": "u0", "event": "x"}):
        with pytest.raises(UsageError):
            shop.forget(**wrong)
    with pytest.raises(NotKnown):
        shop.forget(event="never")


def test_without_anybody_left_there_is_nothing_to_learn(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.record(bought("ann", "milk", START))
        shop.forget("ann")
        with pytest.raises(NotEnoughData):
            shop.learn()
