"""The example settings of the docs, served: each place gets what its comment says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mutua import Recommender, Surface, load
from mutua.errors import UsageError
from recommender_shop import book, built, copied, grocery, open_shop, upsert

EXAMPLE = Path(__file__).parents[1] / "docs" / "example.toml"


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("surfaces"))


@pytest.fixture
def shop(learned: Path, tmp_path: Path) -> Iterator[Recommender]:
    with open_shop(copied(learned, tmp_path), settings=load(EXAMPLE, {}).settings) as opened:
        stocked = [upsert(f"{'ab'[t]}-grocery-{n}", {"available": 1}) for t in (0, 1) for n in range(6)]
        assert not opened.record(stocked).refused
        yield opened


def test_every_surface_of_the_example_answers_under_its_name(shop: Recommender) -> None:
    contexts = {
        "home": None,
        "product": {"item": grocery(0, 1)},
        "cart": {"cart": [grocery(0, 1), grocery(0, 2)], "budget": 3},
        "email": None,
        "search": {"items": [book(0, 1), book(1, 1), grocery(0, 3)]},
    }
    for surface, context in contexts.items():
        slate = shop.recommend("u0", 5, surface=surface, context=context, explained=True)
        assert slate.surface == surface
        assert slate.items
        for entry in slate.items:
            assert sum(reason.amount for reason in entry.reasons) == pytest.approx(entry.score, abs=1e-4)


def test_a_product_page_shows_its_like_and_not_the_product(shop: Recommender) -> None:
    for taste in (0, 1):
        slate = shop.recommend(None, 4, surface="product", context={"item": grocery(taste, 1)})
        assert grocery(taste, 1) not in slate.ids
        assert all(item.startswith("ab"[taste]) for item in slate.ids)


def test_a_cart_keeps_to_the_budget_that_is_said_and_asks_for_it(shop: Recommender) -> None:
    slate = shop.recommend("u0", 8, surface="cart", context={"cart": [grocery(0, 1)], "budget": 3})
    assert {shop.catalog.numbers("price").values[shop.store.names.items.get(item)] <= 3 for item in slate.ids} == {True}
    with pytest.raises(UsageError, match="budget"):
        shop.recommend("u0", surface="cart", context={"cart": [grocery(0, 1)]})


def test_search_results_are_those_given_in_this_persons_order(shop: Recommender) -> None:
    given = [book(1, 1), book(0, 1), "unheard of"]
    mine = shop.recommend("u0", 5, surface="search", context={"items": given})
    theirs = shop.recommend("u1", 5, surface="search", context={"items": given})
    assert set(mine.ids) == set(theirs.ids) == set(given[:2])


def test_what_is_said_in_a_context_is_recorded_nowhere(shop: Recommender) -> None:
    before = shop.store.log.last_sequence()
    shop.recommend("u0", surface="product", context={"item": grocery(0, 1)})
    assert shop.store.log.last_sequence() == before
    assert len(shop.profile("u0").as_dict()["interests"]) > 0


def test_an_item_recorded_after_learning_is_recommended_through_its_like(shop: Recommender) -> None:
    shop.record(upsert("fresh", {"category": "grocery 0", "brand": "brand 1", "price": 2, "available": 1}))
    news = Surface(candidates=("new",), explore=0)
    slate = shop.recommend("u0", 30, surface=news, explained=True)
    entry = next(entry for entry in slate.items if entry.item == "fresh")
    assert entry.score > 0
    assert {reason.kind for reason in entry.reasons} == {"content"}


def test_a_surface_may_be_ranked_by_a_version_that_is_kept(shop: Recommender) -> None:
    first = shop.store.models.current()
    mine = shop.recommend("u0", 6).ids
    shop.learn("popularity")
    named = shop.recommend("u0", 6, surface=Surface(ranker=first, explore=0))
    assert named.model_version == first
    assert set(named.ids) & set(mine)
    gone = shop.recommend("u0", 6, surface=Surface(ranker="000099", explore=0))
    assert gone.model_version == shop.store.models.current()
    assert any("000099" in note for note in gone.notes)


def test_popularity_moves_with_every_event_though_a_model_is_in_force(shop: Recommender) -> None:
    by_count = Surface(ranker="popularity", exclude="off", explore=0)
    popular = Surface(candidates=("popular",), exclude="off", explore=0)
    assert shop.recommend("u0", 1, surface=by_count).ids != (book(0, 0),)
    rush = [{"user": f"v{n}", "item": book(0, 0), "type": "purchase"} for n in range(300)]
    shop.record(rush)
    assert shop.recommend("u0", 1, surface=by_count).ids == (book(0, 0),)
    assert book(0, 0) in shop.recommend("u0", 30, surface=popular).ids
