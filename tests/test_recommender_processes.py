"""What one process records and learns, another sees at the next request; damage is told and served around."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mutua import Recommender, Surface
from mutua.core.clock import DAY
from mutua.errors import DamagedModel, StoreLocked
from recommender_shop import NOW, book, bought, built, copied, grocery, open_shop, upsert

STARS = [
    {"user": f"u{n % 8}", "item": book(0, n % 10), "type": "rating", "value": 1 + n % 5, "time": NOW / 1e6}
    for n in range(40)
]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    return copied(learned, tmp_path)


@pytest.fixture
def writer(folder: Path):
    with open_shop(folder) as shop:
        yield shop


@pytest.fixture
def reader(writer: Recommender, folder: Path):  # noqa: ARG001
    with open_shop(folder, write=False) as shop:
        yield shop


def test_a_reader_sees_what_the_writer_recorded_at_once(writer: Recommender, reader: Recommender) -> None:
    reader.recommend("u0")
    for number in range(3):
        done = writer.record(bought("u0", book(1, number), NOW - DAY))
        assert reader.recommend("u0").profile_version == done.version
        assert reader.recommend("u0", 20).items == writer.recommend("u0", 20).items
    writer.record(bought("somebody new", grocery(0, 0), NOW))
    assert reader.recommend("somebody new", 5).items == writer.recommend("somebody new", 5).items


def test_a_reader_sees_the_catalogue_attributes_links_and_erasures(writer: Recommender, reader: Recommender) -> None:
    cheap = Surface(where=("price<=2",), exclude="off")
    reader.recommend("u0", surface=cheap)
    writer.record(upsert(grocery(0, 0), {"price": 99}) | {"time": NOW / 1e6})
    writer.record({"kind": "user-upsert", "user": "new", "attributes": {"household": "single"}})
    writer.record({"kind": "identity-link", "user": "u1", "other": "u2"})
    for user in ("u0", "new", "u1", "u2"):
        assert reader.recommend(user, surface=cheap).items == writer.recommend(user, surface=cheap).items
        assert reader.recommend(user).items == writer.recommend(user).items
    assert grocery(0, 0) not in reader.recommend("u0", surface=cheap).ids
    writer.forget("u0")
    assert reader.recommend("u0").profile_version == 0
    assert reader.recommend("u0").items == writer.recommend("u0").items


def test_a_reader_serves_what_the_writer_learned_or_took_back(writer: Recommender, reader: Recommender) -> None:
    assert reader.recommend("u0").model_version == "000001"
    assert writer.learn("popularity").version == "000002"
    assert reader.recommend("u0").model_version == "000002"
    assert reader.recommend("u0").items == writer.recommend("u0").items
    writer.store.models.roll_back()
    assert writer.recommend("u0").model_version == reader.recommend("u0").model_version == "000001"


def test_a_reader_foresees_ratings_once_they_are_learned(writer: Recommender, reader: Recommender) -> None:
    writer.record(STARS)
    writer.learn("popularity")
    assert reader.predict("u0", book(0, 0)) == writer.predict("u0", book(0, 0))


def test_another_process_sees_the_same(writer: Recommender, folder: Path) -> None:
    writer.record(bought("u0", book(1, 7), NOW - DAY))
    script = (
        "import sys; from mutua import Recommender, Settings\n"
        f"shop = Recommender.open(sys.argv[1], settings=Settings(), now={NOW}, write=False)\n"
        "print(*shop.recommend('u0').ids)"
    )
    url = f"sqlite:///{folder / 'shop.db'}"
    out = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, check=True, timeout=60)
    assert tuple(out.stdout.split()) == writer.recommend("u0").ids


def test_there_is_one_writer(writer: Recommender, folder: Path) -> None:
    assert writer.store.database.write
    with pytest.raises(StoreLocked, match=r"store\.locked"):
        open_shop(folder)


def damage(shop: Recommender, *path: str) -> None:
    target = shop.store.models.root.joinpath(*path, "manifest.json")
    target.write_text(target.read_text()[:-20])


def test_a_damaged_model_is_told_and_the_one_before_serves(folder: Path) -> None:
    with open_shop(folder) as shop:
        before = shop.recommend("u0").items
        shop.learn("popularity")
        damage(shop, "000002")
    with open_shop(folder, write=False) as shop:
        slate = shop.recommend("u0")
        assert slate.model_version == "000001"
        assert slate.items == before
        assert any("000002 is damaged" in note for note in slate.notes)
        assert any("000002 is damaged" in note for note in shop.similar(grocery(0, 0)).notes)


def test_with_every_model_damaged_popularity_serves(folder: Path) -> None:
    with open_shop(folder) as shop:
        damage(shop, "000001")
    with open_shop(folder) as shop:
        slate = shop.recommend("u0")
        assert slate.model_version == ""
        assert "damaged" in slate.notes[0]
        assert len(slate) == 10
        assert shop.learn().version == "000002"
        assert shop.recommend("u0").notes == ()


def test_a_damaged_model_of_ratings_is_refused_and_nothing_else(folder: Path) -> None:
    with open_shop(folder) as shop:
        shop.record(STARS)
        shop.learn("popularity")
        damage(shop, "ratings", "000001")
    with open_shop(folder, write=False) as shop:
        assert len(shop.recommend("u0")) == 10
        with pytest.raises(DamagedModel, match=r"model\.damaged"):
            shop.predict("u0", book(0, 0))


def test_what_a_tool_writes_to_the_open_store_is_seen(writer: Recommender) -> None:
    from mutua import Interaction

    writer.recommend("u0")
    done = writer.store.log.append([Interaction(user="u0", item=book(1, 2), time=NOW)], recorded=NOW)
    writer.record(bought("u5", grocery(0, 0), NOW))
    assert writer.recommend("u0").profile_version == done.last
