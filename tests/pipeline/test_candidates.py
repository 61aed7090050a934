"""Sources: each brings what its name says, rules and guards hold for all, and one score ranks them together."""

from __future__ import annotations

import numpy as np
import pytest
from test_pipeline_run import BRAND, CATALOG, CATEGORY, IN_STOCK, SIZE, Given, numbers, served, snapshot

from mutua.errors import UsageError
from mutua.models.features import item_features
from mutua.pipeline import run
from mutua.pipeline.spec import Surface
from mutua.profiles.history import EMPTY
from mutua.snapshot import Shelves, Snapshot

FALLING = np.arange(SIZE, 0, -1).astype(np.float32)
FEATURES = item_features(CATALOG, SIZE)
SEEN = EMPTY.add(4, 0, np.nan, 1, 1).add(9, 0, np.nan, 2, 2)


def items(*chosen: int) -> np.ndarray:
    return np.array(chosen, np.int32)


def shelved() -> Shelves:
    return Shelves(items(11, 8, 7, 2), items(3, 10, 0), FEATURES)


def shown(view: Snapshot, *candidates: str, n: int = 4, **more: object) -> list[int]:
    return numbers(served(Surface(candidates=candidates, explore=0, **more), FALLING, n, view))


def test_each_source_brings_its_own_and_scores_order_them() -> None:
    view = snapshot(SEEN, shelves=shelved(), given=items(6, 5, 11), seeds=items(3))
    assert shown(view, "popular") == [2, 8, 11]
    assert shown(view, "trending") == [0, 3, 10]
    assert shown(view, "given") == [5, 6, 11]
    assert shown(view, "recent", exclude="off") == [4, 9]
    assert shown(view, "new", n=3, pool=2) == [3, 5, 6]
    assert shown(view, "similar", n=9) == [item for item in IN_STOCK if BRAND[item] == BRAND[3] and item not in (3, 9)]
    assert set(shown(view, "content", n=9, exclude="on")) >= set(np.flatnonzero(CATEGORY == 0)) & set(IN_STOCK) - {3}


def test_sources_are_joined_and_each_item_comes_once() -> None:
    view = snapshot(shelves=shelved(), given=items(2, 5))
    assert shown(view, "given", "popular", "trending", n=12) == [0, 2, 3, 5, 8, 10, 11]


def test_rules_guards_and_the_past_hold_for_every_source() -> None:
    view = snapshot(SEEN, shelves=shelved(), given=items(1, 4, 5, 11), seeds=items(3))
    for source in ("popular", "trending", "given", "similar", "content", "new"):
        found = shown(view, source, n=12, where=("price<=9",), exclude="on")
        assert not set(found) & {1, 7, 10, 11, 4, 9}, source


def test_without_seeds_the_last_item_of_the_profile_stands_in() -> None:
    view = snapshot(SEEN)
    assert shown(view, "similar", n=9, exclude="on") == [i for i in IN_STOCK if BRAND[i] == BRAND[9] and i != 9]


def test_what_brings_nothing_gives_way_to_the_ranking_of_all() -> None:
    assert shown(snapshot(), "similar") == shown(snapshot(), "model")


def test_an_item_that_the_model_has_no_column_for_scores_nothing() -> None:
    view = snapshot(given=items(2, 11))
    surface = Surface(candidates=("given",), explore=0)
    slate = run.recommend(run.prepared(surface, Given(FALLING[:10]), view), view, 2)
    assert {entry.item: entry.score for entry in slate.items} == {"i2": FALLING[2], "i11": 0.0}


def test_popularity_ranks_where_it_is_asked_to() -> None:
    view = snapshot(popularity=np.arange(SIZE).astype(np.float32))
    surface = Surface(ranker="popularity", explore=0)
    slate = run.recommend(run.prepared(surface, None, view), view, 3)
    assert numbers(slate) == [11, 10, 9]
    assert slate.notes == ()


@pytest.mark.parametrize(
    "bad",
    [{"candidates": ()}, {"candidates": ("recent",), "exclude": "on"}, {"ranker": "best"}, {"where": ("price<=",)}],
)
def test_a_surface_that_cannot_work_is_refused_when_made(bad: dict) -> None:
    with pytest.raises(UsageError):
        Surface(**bad)
