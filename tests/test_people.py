"""One user read against the population, at any instant, with the consents and attributes of that instant."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua.core.clock import DAY
from mutua.core.clock import now as wall_clock
from mutua.errors import DamagedModel, NotKnown
from mutua.people import KIND, population
from recommender_shop import NOW, START, book, bought, built, copied, grocery, open_shop, upsert


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(learned: Path, tmp_path: Path):
    with open_shop(copied(learned, tmp_path)) as opened:
        yield opened


def consent(granted: bool, time: int) -> dict[str, object]:
    return {"kind": "consent", "user": "u0", "purpose": "train", "granted": granted, "time": time / 1e6}


def test_interests_are_those_of_the_taste(shop) -> None:
    for user, label in (("u0", "grocery 0"), ("u1", "grocery 1")):
        assert shop.profile(user).interests.kinds["category"][0].label == label


def test_before_learning_plain_assumptions_stand_in(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.record([upsert("milk", {"category": "dairy"}), bought("ann", "milk", START)])
        assert population(shop.store, shop.catalog).segments is None
        found = shop.profile("ann")
        assert found.segment is None
        assert found.interests.kinds["category"][0].label == "dairy"


def test_after_learning_there_are_rhythms_and_segments(shop) -> None:
    found = population(shop.store, shop.catalog)
    assert found.segments is not None
    assert 0 < found.rhythms.median < 30 * DAY
    segments = {user: shop.profile(f"u{user}").segment for user in range(8)}
    assert len({segments[user] for user in (0, 2, 4)} & {segments[user] for user in (1, 3, 5)}) == 0


def test_a_profile_follows_the_catalogue_at_once(shop) -> None:
    assert shop.profile("u0").interests.kinds["category"][0].label == "grocery 0"
    for number in range(6):
        shop.record(upsert(grocery(0, number), {"category": "renamed"}) | {"time": NOW / 1e6})
    assert shop.profile("u0").interests.kinds["category"][0].label == "renamed"


def test_a_category_that_came_later_moves_nobody_to_another_segment(shop) -> None:
    before = {user: shop.profile(user).segment for user in ("u0", "u1", "u2", "u3")}
    shop.record(upsert("a new thing", {"category": "a first of its kind"}))
    assert {user: shop.profile(user).segment for user in before} == before


def test_consents_are_those_of_the_instant(shop) -> None:
    shop.record(consent(True, NOW - 3 * DAY))
    between = wall_clock()
    shop.record(consent(False, NOW - DAY))
    assert shop.profile("u0").consent == {"train": False}
    assert shop.profile("u0", as_of=between).consent == {"train": True}
    assert shop.profile("u0", as_of_event=NOW - 2 * DAY).consent == {"train": True}
    assert shop.profile("u0", as_of_event=NOW - 4 * DAY).consent == {}
    assert shop.profile("u1").consent == {}


def test_linked_ids_are_one_person_from_the_time_they_were_linked(shop) -> None:
    alone = shop.profile("u0").history.events
    before = wall_clock()
    shop.record([bought("phone", book(1, 1), NOW), {"kind": "identity-link", "user": "u0", "other": "phone"}])
    joined = shop.profile("phone")
    assert joined.identities == ("u0",)
    assert joined.history.events == shop.profile("u0").history.events == alone + 1
    assert shop.profile("u0", as_of=before).identities == ()
    assert shop.profile("u0", as_of=before).history.events == alone


def test_both_instants_cut_together(shop) -> None:
    day = START + 10 * DAY
    before = wall_clock()
    shop.record(bought("u0", book(1, 1), day - DAY))
    both = shop.profile("u0", as_of=before, as_of_event=day)
    assert both.now == day
    assert both.history.events == shop.profile("u0", as_of_event=day).history.events - 1
    assert shop.profile("u0", as_of=START).now == START
    assert shop.profile("u0", as_of=START).history.events == 0


def test_a_profile_is_made_of_json_values(shop) -> None:
    import json

    found = json.loads(json.dumps(shop.profile("u0").as_dict()))
    assert found["user"] == "u0"
    assert found["attributes"]["household"]["value"] == "family"


def test_a_damaged_population_is_refused_and_learned_again(shop) -> None:
    manifest = shop.store.models.root / KIND / "manifest.json"
    manifest.write_text(manifest.read_text()[:-9])
    with pytest.raises(DamagedModel):
        shop.profile("u0")
    assert len(shop.recommend("u0")) == 10
    shop.learn("popularity")
    assert shop.profile("u0").segment is not None


def test_nobody_has_no_profile(shop) -> None:
    with pytest.raises(NotKnown, match="check the spelling"):
        shop.profile("nobody")
