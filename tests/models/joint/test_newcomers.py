"""Items recorded after the model was learned: in slates at once, and taken apart as exactly as all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.catalog.facts import gathered
from mutua.catalog.live import LiveTable
from mutua.catalog.table import AttributeTable
from mutua.core.clock import DAY
from mutua.models.base import TrainingData
from mutua.models.joint import newcomers as module
from mutua.models.joint.arrivals import AT_ONCE, Arrivals
from mutua.models.joint.learner import Joint
from mutua.models.joint.model import JointModel
from mutua.models.joint.newcomers import Newcomers, opened
from mutua.profiles.views import Evidence, Views
from mutua.testing.planted import planted

KNOWN = 48
NOBODY = np.empty(0, np.int32)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return planted()


@pytest.fixture(scope="module")
def learned(data: TrainingData) -> JointModel:
    return Joint(factors=16).learn(data)


def room(learned: JointModel) -> Newcomers:
    assert learned.content is not None
    return Newcomers(learned, learned.content)


def like(data: TrainingData, rows: list[int]) -> AttributeTable:
    """What is known of some items of the catalogue, as a table of others that are told of in the same words."""
    columns = data.items.columns
    said = [
        {"category": f"taste {row % 4}", "tags": [f"taste {row % 4}"], "title": columns["title"].values[row]}  # type: ignore[union-attr]
        for row in rows
    ]
    places = np.arange(len(rows))
    return LiveTable(gathered(said, places, places, places, places, places), len(rows)).table


def had(items: list[int], weights: list[float]) -> tuple[Views, Evidence]:
    """A view and the events that make it, one an item."""
    count, numbers = len(items), np.arange(len(items), dtype=np.int64)
    weight = np.array(weights, np.float32)
    extra = np.stack([weight, weight, weight]) if count else np.zeros((3, 0), np.float32)
    views = Views(
        start=np.array([0, count]),
        item=np.array(items, np.int32),
        weight=weight,
        last=60 * DAY - numbers,
        count=np.ones(count, np.float32),
        now=np.array([61 * DAY]),
        size=np.array([count], np.int32),
        extra=extra,
    )
    evidence = Evidence(numbers + 7, views.item, numbers.astype(np.int16), views.last, weight.astype(float), extra)
    return views, evidence


def test_without_newcomers_everything_is_the_models_own(learned: JointModel) -> None:
    views, evidence = had([0, 5, 9], [1, 2, 1])
    found, own = room(learned), learned
    assert found.n_items == own.n_items
    assert found.top(views, 5, NOBODY)[0].tolist() == own.top(views, 5, NOBODY)[0].tolist()
    assert np.array_equal(found.score(views), own.score(views))
    assert found.explain(views, evidence, 3) == own.explain(views, evidence, 3)
    assert np.array_equal(found.similar(3), own.similar(3))


def test_a_newcomer_is_for_those_who_have_its_likes(data: TrainingData, learned: JointModel) -> None:
    shop = room(learned)
    shop.welcome(np.array([KNOWN, KNOWN + 5], np.int32), like(data, [4, 5]))
    for taste, newcomer in ((0, KNOWN), (1, KNOWN + 5)):
        views, _ = had([taste, taste + 8, taste + 12], [1, 1, 1])
        items = shop.top(views, 40, views.item)[0].tolist()
        other = KNOWN + 5 if taste == 0 else KNOWN
        assert newcomer in items[:10]
        assert other not in items[: items.index(newcomer)]
    assert shop.similar(KNOWN).argmax() % 4 == 0
    assert np.isinf(shop.similar(KNOWN)[KNOWN])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, KNOWN + 4), st.integers(-2, 4)), max_size=9, unique_by=lambda one: one[0]))
def test_reasons_sum_to_the_score_and_each_is_what_its_event_adds(
    data: TrainingData, learned: JointModel, history: list[tuple[int, float]]
) -> None:
    shop = room(learned)
    shop.welcome(np.array([KNOWN, KNOWN + 1, KNOWN + 3], np.int32), like(data, [4, 5, 8]))
    items, weights = [item for item, _ in history], [weight for _, weight in history]
    views, evidence = had(items, weights)
    scores = shop.score(views)[0]
    for item in (0, 5, KNOWN, KNOWN + 1, KNOWN + 2, KNOWN + 3):
        reasons = shop.explain(views, evidence, item)
        assert sum(reason.amount for reason in reasons) == pytest.approx(float(scores[item]), abs=1e-5)
        for reason in reasons:
            if len(reason.sequences) == 1 and reason.kind != "repeat":
                at = reason.sequences[0] - 7
                assert reason.item == items[at]
                rest, _ = had(items[:at] + items[at + 1 :], weights[:at] + weights[at + 1 :])
                if items[at] != item:
                    without = float(shop.score(rest)[0, item])
                    assert float(scores[item]) - without == pytest.approx(reason.amount, abs=1e-5)
    excluded = np.array(items[:3], np.int32)
    banned = np.zeros(shop.n_items, np.bool_)
    banned[KNOWN + 1] = True
    found, amounts = shop.top(views, 12, excluded, banned)
    allowed = [item for item in range(shop.n_items) if item not in items[:3] and not banned[item]]
    best = sorted(allowed, key=lambda item: (-round(float(scores[item]), 5), item))
    new = {KNOWN, KNOWN + 3}
    expected = [item for item in best if item < KNOWN or (item in new and scores[item] > 0)][:12]
    assert amounts == pytest.approx(scores[expected], abs=1e-5)
    assert set(found.tolist()).isdisjoint({*items[:3], KNOWN + 1, KNOWN + 2})


def test_newcomers_are_bounded_and_the_oldest_gives_way(
    data: TrainingData, learned: JointModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    shop = room(learned)
    for number in range(5):
        shop.welcome(np.array([KNOWN + number], np.int32), like(data, [4]))
    shop.welcome(np.array([KNOWN + 2], np.int32), AttributeTable(1))
    views, _ = had([0, 8, 12], [1, 1, 1])
    scores = shop.score(views)[0, KNOWN:]
    assert (scores > 0).tolist() == [False, False, False, True, True]
    assert scores[3] == scores[4]


def test_the_content_map_survives_being_saved(data: TrainingData, learned: JointModel) -> None:
    again = JointModel.restore(learned.arrays(), learned.meta()).content
    assert again is not None
    assert learned.content is not None
    for one, other in zip(
        again.nearest(like(data, [4, 9]), 5), learned.content.nearest(like(data, [4, 9]), 5), strict=True
    ):
        assert np.array_equal(one, other)


def test_where_nothing_is_known_of_items_there_is_no_room(data: TrainingData) -> None:
    bare = Joint(factors=4).learn(TrainingData(data.interactions, data.users, AttributeTable(KNOWN), data.now))
    assert bare.content is None
    assert opened(bare) is bare


def test_arrivals_are_told_newest_first_and_a_few_at_a_time(learned: JointModel) -> None:
    told: list[list[int]] = []

    class Door(Newcomers):
        def welcome(self, rows: Any, items: AttributeTable) -> None:
            told.append(rows.tolist())
            super().welcome(rows, items)

    assert learned.content is not None
    live = LiveTable({}, KNOWN)
    arrivals = Arrivals(Door(learned, learned.content))
    arrivals.welcome(live)
    for number in range(AT_ONCE + 5):
        live.say(KNOWN + number, {"category": "taste 1"}, number)
    live.say(3, {"category": "taste 1"}, 1)
    live.grow(KNOWN + AT_ONCE + 9)
    arrivals.welcome(live)
    arrivals.welcome(live)
    arrivals.welcome(live)
    first = KNOWN + 5
    assert told == [list(range(first, first + AT_ONCE)), list(range(KNOWN, first))]
    live.say(KNOWN + 1, {"category": "taste 2"}, 9)
    arrivals.welcome(live)
    assert told[2:] == [[KNOWN + 1]]
