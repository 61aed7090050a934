"""The guard: a model that foresees the newest hours worse is kept and told of, but does not serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mutua import LearnSettings, Recommender, Settings, Surface
from mutua.core.clock import HOUR
from mutua.core.seeds import stream
from mutua.judging import cut_of
from mutua.training import training_data
from recommender_shop import NOW, START, bought, built, copied, grocery, open_shop

SETTINGS = Settings(surfaces={"default": Surface(explore=0)}, learn=LearnSettings(judge_hours=24))
WORSE = "item-knn:neighbours=1"


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("judging"))


@pytest.fixture
def shop(learned: Path, tmp_path: Path) -> Iterator[Recommender]:
    """A shop with a model in force, and a day of purchases that it has not learned from."""
    with open_shop(copied(learned, tmp_path), settings=SETTINGS) as opened:
        rng = stream(2, "day")
        day = [
            bought(f"u{user}", grocery(user % 2, int(rng.integers(6))), NOW - 20 * HOUR + n * HOUR)
            for user in range(24)
            for n in range(12)
        ]
        assert not opened.record(day).refused
        yield opened


def test_a_model_that_knows_less_is_not_put_in_force(shop: Recommender) -> None:
    before = shop.store.models.current()
    taste = shop.recommend("u0", 5).ids
    done = shop.learn("popularity")
    assert done.verdict.decision == "worse"
    assert done.verdict.high < 0 < done.verdict.new < done.verdict.old
    assert not done.serves
    assert shop.store.models.current() == before
    assert shop.store.models.manifest(done.version).meta["about"]["verdict"]["decision"] == "worse"
    assert shop.recommend("u0", 5).ids == taste
    assert shop.recommend("u0", 5).model_version == before


def test_forced_it_serves(shop: Recommender) -> None:
    done = shop.learn("popularity", force=True)
    assert done.verdict.decision == "worse"
    assert done.serves
    assert shop.recommend("u0").model_version == done.version == shop.store.models.current()


def test_an_equal_model_is_put_in_force_and_has_learned_from_everything(shop: Recommender) -> None:
    done = shop.learn()
    assert done.verdict.decision in ("no worse", "better")
    assert done.verdict.events == 24 * 12
    assert done.verdict.users == 24
    assert done.serves
    assert shop.store.models.current() == done.version


def test_without_enough_that_neither_has_seen_nothing_is_judged(learned: Path, tmp_path: Path) -> None:
    with open_shop(copied(learned, tmp_path), settings=SETTINGS) as opened:
        done = opened.learn("popularity")
        assert (done.verdict.decision, done.serves) == ("not judged", True)
        assert "too few" in done.verdict.why
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    with open_shop(fresh, settings=SETTINGS) as opened:
        opened.record([bought("a", "x", START), bought("b", "y", START + HOUR)])
        assert "no model" in opened.learn("popularity").verdict.why


def test_what_was_forgotten_weighs_more_than_the_verdict_and_the_pin(shop: Recommender) -> None:
    shop.store.models.standing.pin()
    assert not shop.learn().serves
    shop.forget("u3")
    done = shop.learn("popularity")
    assert "forgotten" in done.verdict.why
    assert done.serves
    assert shop.store.models.current() == done.version


def test_the_newest_hours_begin_after_all_that_the_model_in_force_has_seen(shop: Recommender) -> None:
    rows = training_data(shop.store).interactions
    seen = int(shop.store.models.load().about["sequence"])
    cut = cut_of(rows, seen, 24.0)
    assert cut is not None
    assert rows.time[rows.sequence <= seen].max() < cut
    assert (rows.sequence[rows.time >= cut] > seen).all()
    narrow = cut_of(rows, seen, 5.0)
    assert narrow is not None
    assert narrow == rows.time.max() - 5 * HOUR
    assert cut_of(rows, int(rows.sequence.max()), 24.0) is None


def test_progress_is_told_from_the_first_stage_to_the_last(shop: Recommender) -> None:
    told: list[tuple[str, int, int]] = []
    shop.learn("popularity", force=True, progress=lambda doing, at, of: told.append((doing, at, of)))
    assert [at for _, at, _ in told] == sorted(at for _, at, _ in told)
    assert told[0][1] == 0
    assert told[-1] == ("done", 5, 5)
    assert "judging on the newest hours" in [doing for doing, _, _ in told]


def test_a_pinned_version_stays_and_a_rolled_back_one_does_not_come_back(shop: Recommender) -> None:
    models, first = shop.store.models, shop.store.models.current()
    second = shop.learn().version
    models.standing.pin()
    third = shop.learn("popularity", force=False).version
    assert models.current() == second
    models.standing.unpin()
    assert models.roll_back() == first
    assert models.standing.rejected() == {second, third}
    assert shop.recommend("u0").model_version == first
    fourth = shop.learn(force=True).version
    (models.folder(fourth) / "manifest.json").write_text("{}")
    assert models.load().version == first
    assert models.roll_back(second) == second
    assert second not in models.standing.rejected()
