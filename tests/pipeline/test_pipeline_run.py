"""The pipeline on a model with given scores: rules, guards, caps, pins, boosts, exploration, whatever the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets
from mutua.core.ids import Vocabulary
from mutua.errors import UsageError
from mutua.models.base import Floats
from mutua.pipeline import run
from mutua.pipeline.guards import banned_items
from mutua.pipeline.spec import Boost, Surface
from mutua.profiles.encoder import Encoder
from mutua.profiles.history import EMPTY, History
from mutua.profiles.views import Views
from mutua.slates import Slate
from mutua.snapshot import Snapshot

SIZE = 12
CATEGORY = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, -1, -1], np.int32)
BRAND = np.arange(SIZE, dtype=np.int32) % 3
PRICE = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, np.nan, 12], np.float32)
AVAILABLE = np.array([1, 0, 1, np.nan, 1, 1, 1, 0, 1, 1, 1, 1], np.float32)
CATALOG = AttributeTable(
    SIZE,
    {
        "category": Labels(CATEGORY, ("dairy", "bakery", "fish")),
        "brand": Labels(BRAND, ("a", "b", "c")),
        "price": Numbers(PRICE),
        "available": Numbers(AVAILABLE),
    },
)
IN_STOCK = np.flatnonzero(AVAILABLE != 0)
RULES = ("category=dairy|bakery", "category!=dairy", "price<=6", "price>3", "brand=a|b", "available")


@dataclass(frozen=True, eq=False)
class Given:
    """A model that scores as it is told."""

    scores: Floats
    again: np.ndarray | None = None
    name = "given"
    linear = True
    encoder = Encoder.of((1.0, -1.0))

    @property
    def n_items(self) -> int:
        return len(self.scores)

    def score(self, views: Views) -> Floats:
        return np.repeat(self.scores[None], len(views), axis=0)

    def similar(self, item: int) -> Floats:
        alike = np.where(BRAND[item] == BRAND, 1.0, -0.5).astype(np.float32)[: self.n_items]
        alike[item] = -np.inf
        return alike


@dataclass(frozen=True, eq=False)
class Returning(Given):
    """A model that also says what people come back for."""

    def repeatable(self) -> np.ndarray:
        return np.asarray(self.again)


def snapshot(history: History = EMPTY, catalog: AttributeTable = CATALOG, **more: Any) -> Snapshot:
    items = Vocabulary([f"i{n}" for n in range(SIZE)])
    told = {"popularity": np.zeros(SIZE, np.float32), "attributes": None, "user": "ann", "now": 10, "version": 3}
    return Snapshot("7", items, catalog, history=history, **(told | more))


def served(surface: Surface, scores: Floats, n: int, view: Snapshot | None = None, seed: int = 0) -> Slate:
    found = snapshot() if view is None else view
    return run.recommend(run.prepared(surface, Given(scores), found, "test"), found, n, seed)


def numbers(slate: Slate) -> list[int]:
    return [int(outer[1:]) for outer in slate.ids]


scores_of = st.lists(st.integers(-20, 20), min_size=SIZE, max_size=SIZE).map(lambda given: np.array(given, np.float32))
surfaces = st.builds(
    Surface,
    exclude=st.sampled_from(["on", "off", "auto"]),
    where=st.lists(st.sampled_from(RULES), max_size=2).map(tuple),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
    caps=st.dictionaries(st.sampled_from(["category", "brand"]), st.integers(1, 3), max_size=2),
    pins=st.dictionaries(st.integers(1, 6), st.integers(0, SIZE + 1).map("i{}".format), max_size=3),
    boosts=st.lists(st.builds(Boost, st.sampled_from(RULES), st.sampled_from([0.0, 0.5, 3.0])), max_size=2).map(tuple),
    explore=st.sampled_from([0.0, 0.3, 1.0]),
    temperature=st.sampled_from([0.0, 0.0, 0.2]),
    candidates=st.sampled_from([("model",), ("model",), ("new", "recent"), ("similar",), ("given", "content")]),
    pool=st.integers(2, 6),
)
histories = st.lists(st.integers(0, SIZE + 2), max_size=5).map(
    lambda items: History(
        np.array(items, np.int32),
        np.zeros(len(items), np.int16),
        np.full(len(items), np.nan, np.float32),
        np.arange(len(items), dtype=np.int64),
        np.arange(1, len(items) + 1, dtype=np.int64),
    )
)


@settings(max_examples=300)
@given(surfaces, scores_of, histories, st.integers(1, 14), st.integers(0, 3))
def test_every_slate_keeps_its_promises(surface: Surface, scores: Floats, history: History, n: int, seed: int) -> None:
    view = snapshot(history)
    slate = served(surface, scores, n, view, seed)
    found = numbers(slate)
    allowed = set(np.flatnonzero(~banned_items(surface.where, CATALOG, SIZE)).tolist())
    pinned = {int(outer[1:]) for outer in surface.pins.values()} & allowed
    assert len(found) == len(set(found)) <= n
    assert set(found) <= allowed <= set(IN_STOCK.tolist())
    if surface.exclude != "off":
        assert not set(found) - pinned & set(history.item.tolist())
    for column, most in surface.caps.items():
        codes = {"category": CATEGORY, "brand": BRAND}[column][[item for item in found if item not in pinned]]
        assert all(
            count <= most for code, count in zip(*np.unique(codes, return_counts=True), strict=True) if code >= 0
        )
    assert all(0 < entry.propensity <= 1 for entry in slate.items)
    assert len(found) == n or any(f"{len(found)} of {n}" in note for note in slate.notes)
    again = served(surface, scores, n, view, seed)
    assert again.items == slate.items
    assert again.id != slate.id


@settings(max_examples=100)
@given(scores_of, st.integers(1, SIZE), st.sampled_from(["off", "on"]), histories)
def test_a_plain_slate_is_the_best_by_score_then_by_item(
    scores: Floats, n: int, exclude: str, history: History
) -> None:
    left = [i for i in IN_STOCK.tolist() if exclude == "off" or i not in history.item]
    slate = served(Surface(exclude=exclude, explore=0), scores, n, snapshot(history))
    assert numbers(slate) == sorted(left, key=lambda i: (-scores[i], i))[:n]
    assert [entry.score for entry in slate.items] == [float(scores[i]) for i in numbers(slate)]
    assert all(entry.adjustments == () and entry.propensity == 1 for entry in slate.items)


@settings(max_examples=100)
@given(surfaces, scores_of, st.integers(1, 8))
def test_moves_lead_from_the_order_of_scores_to_the_place_shown(surface: Surface, scores: Floats, n: int) -> None:
    slate = served(surface, scores, n)
    first = {item: at for at, item in enumerate(sorted(IN_STOCK.tolist(), key=lambda i: (-scores[i], i)))}
    for place, (item, entry) in enumerate(zip(numbers(slate), slate.items, strict=True)):
        moved = sum(adjustment.moved for adjustment in entry.adjustments)
        stages = [adjustment.stage for adjustment in entry.adjustments]
        assert stages == sorted(stages, key=["boost", "diversity", "explore", "cap", "pin"].index)
        assert all(adjustment.moved for adjustment in entry.adjustments)
        if not surface.where and surface.ranks_all and first[item] < n * surface.pool:
            assert first[item] - moved == place


@given(scores_of, st.dictionaries(st.integers(1, 5), st.sampled_from(IN_STOCK.tolist()), min_size=1, max_size=4))
def test_a_pin_stands_at_its_place_and_the_rest_keep_their_order(scores: Floats, pins: dict[int, int]) -> None:
    slate = numbers(served(Surface(explore=0, pins={at: f"i{item}" for at, item in pins.items()}), scores, 5))
    topmost: dict[int, int] = {}
    for at, item in sorted(pins.items()):
        topmost.setdefault(item, at)
    assert all(slate[at - 1] == item for item, at in topmost.items())
    rest = [item for item in slate if item not in topmost]
    assert rest == sorted(set(IN_STOCK.tolist()) - topmost.keys(), key=lambda i: (-scores[i], i))[: len(rest)]
    assert len(slate) == 5


def test_a_banned_pin_leaves_no_gap_and_no_trace() -> None:
    scores = np.arange(SIZE, 0, -1).astype(np.float32)
    plain = numbers(served(Surface(explore=0), scores, 4))
    assert numbers(served(Surface(explore=0, pins={1: "i1", 2: "unheard", 3: "i7"}), scores, 4)) == plain
    assert numbers(served(Surface(explore=0, pins={1: "i11"}, where=("price<=6",)), scores, 3)) == [0, 2, 3]


@given(scores_of, st.sampled_from(RULES))
def test_a_boost_of_nothing_sends_matching_items_to_the_end(scores: Floats, rule: str) -> None:
    slate = served(Surface(boosts=(Boost(rule, 0.0),), pool=12, explore=0), scores, SIZE)
    matching = set(np.flatnonzero(~banned_items((rule,), CATALOG, SIZE)).tolist())
    lowest = scores[IN_STOCK].min()
    order = [item in matching or scores[item] == lowest for item in numbers(slate)]
    assert order == sorted(order) or len(set(scores[IN_STOCK].tolist())) == 1


def test_what_people_come_back_for_is_kept_unless_disliked() -> None:
    again = CATEGORY == 0
    model = Returning(np.arange(SIZE, 0, -1).astype(np.float32), again)
    history = (
        EMPTY.add(0, 0, np.nan, 1, 1).add(2, 1, np.nan, 2, 2).add(4, 0, np.nan, 3, 3).add(SIZE + 1, 0, np.nan, 4, 4)
    )
    view = snapshot(history)
    slate = run.recommend(run.prepared(Surface(explore=0), model, view), view, SIZE)
    assert 0 in numbers(slate)
    assert not {2, 4} & set(numbers(slate))


def test_a_capped_item_that_is_pinned_comes_back() -> None:
    scores = np.arange(SIZE, 0, -1).astype(np.float32)
    slate = served(Surface(explore=0, caps={"category": 1}, pins={2: "i2"}), scores, 4)
    assert numbers(slate)[:2] == [0, 2]
    assert slate.items[1].adjustments[-1].stage == "pin"
    assert sum(adjustment.moved for adjustment in slate.items[1].adjustments) == 0


@pytest.mark.parametrize(
    "surface",
    [
        Surface(where=("colour=red",)),
        Surface(boosts=(Boost("colour=red", 2.0),)),
        Surface(caps={"price": 1}),
    ],
)
def test_a_surface_that_does_not_fit_the_catalogue_is_refused_before_serving(surface: Surface) -> None:
    with pytest.raises(UsageError):
        run.prepared(surface, Given(np.zeros(SIZE, np.float32)), snapshot())


def test_without_a_model_popularity_serves_under_the_same_rules() -> None:
    view = snapshot(popularity=np.arange(SIZE).astype(np.float32))
    slate = run.recommend(run.prepared(Surface(where=("price<=6",), explore=0), None, view), view, 5)
    assert numbers(slate) == [5, 4, 3, 2, 0]
    assert any("no model" in note for note in slate.notes)


def test_notes_tell_what_the_snapshot_has_to_say() -> None:
    view = snapshot(EMPTY.add(0, 0, np.nan, 1, 1), note="version 3 is damaged")
    assert served(Surface(), np.zeros(SIZE, np.float32), 3, view).notes == ("version 3 is damaged",)
    assert served(Surface(), np.zeros(SIZE, np.float32), 3, snapshot(EMPTY.add(0, 0, np.nan, 1, 1))).notes == ()


def test_similar_leaves_out_what_is_not_alike_or_not_in_stock() -> None:
    slate = run.similar(Given(np.zeros(SIZE, np.float32)), snapshot(), 1, 10)
    assert numbers(slate) == [4, 10]


@pytest.mark.parametrize("n", [0, -3, 1_001])
def test_lengths_outside_the_range_are_refused(n: int) -> None:
    with pytest.raises(UsageError, match="1 to 1,000"):
        served(Surface(), np.zeros(SIZE, np.float32), n)


def test_a_pool_that_is_empty_is_an_empty_slate() -> None:
    everything = Surface(where=("price>100",), diversity=0.5, caps={"brand": 1}, explore=0.5)
    slate = served(everything, np.zeros(SIZE, np.float32), 3)
    assert slate.items == ()
    assert "0 of 3" in slate.notes[-1]


def test_availability_in_words_keeps_back_too() -> None:
    words = Labels(np.array([0, 1, 2, -1], np.int32), ("No", "yes", "out of stock"))
    assert banned_items((), AttributeTable(4, {"available": words}), 5).tolist() == [True, False, True, False, False]


def test_items_beyond_the_catalogue_match_only_what_denies() -> None:
    assert banned_items(("category!=dairy",), CATALOG, SIZE + 1)[-1].tolist() is False
    assert banned_items(("category=dairy",), CATALOG, SIZE + 1)[-1].tolist() is True


def test_diversity_by_tags_and_vectors_and_by_the_model() -> None:
    scores = np.arange(SIZE, 0, -1).astype(np.float32)
    tags = sparse.csr_matrix((np.ones(SIZE, np.float32), (np.arange(SIZE), np.arange(SIZE) // 4)))
    catalog = AttributeTable(SIZE, {"tags": Sets(tags, ("x", "y", "z"))})
    slate = served(Surface(diversity=0.9, pool=4, explore=0), scores, 3, snapshot(catalog=catalog))
    assert sorted(item // 4 for item in numbers(slate)) == [0, 1, 2]
    bare = served(Surface(diversity=0.9, pool=4, explore=0), scores, 3, snapshot(catalog=AttributeTable(SIZE)))
    assert len({BRAND[item] for item in numbers(bare)}) == 3
