"""Full ranking against a plain sort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mutua.catalog.table import AttributeTable
from mutua.events.interactions import Interactions
from mutua.learning import ranking
from mutua.learning.itemsets import ItemSets
from mutua.learning.split import by_time, questions
from mutua.metrics import MISSED
from mutua.models.base import Floats, Model, TrainingData
from mutua.models.linear.popularity import Popularity
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Views


@dataclass(frozen=True)
class Table:
    """Scores by the first item of a view."""

    scores: Floats

    @property
    def n_items(self) -> int:
        return self.scores.shape[1]

    def score(self, views: Views) -> Floats:
        return self.scores[views.item]


def views_of(count: int) -> Views:
    log = Interactions.of(np.arange(count), np.arange(count))
    return fold.views(log, Encoder.of(), 0)


cases = st.integers(1, 5).flatmap(
    lambda users: st.tuples(
        arrays.arrays(np.float32, (users, 7), elements=st.sampled_from([0.0, 0.5, 1.0, -2.0])),
        st.lists(st.tuples(st.integers(0, users - 1), st.integers(0, 9)), max_size=12),
        st.lists(st.tuples(st.integers(0, users - 1), st.integers(0, 9)), max_size=12),
        st.integers(0, 9),
    )
)


@given(cases)
@pytest.mark.parametrize("block", [7, 1 << 20])
def test_equals_a_plain_sort(
    block: int, case: tuple[Floats, list[tuple[int, int]], list[tuple[int, int]], int]
) -> None:
    scores, wanted, barred, k = case
    users, n_items = scores.shape
    targets = ItemSets.of([u for u, _ in wanted], [i for _, i in wanted], users)
    banned = ItemSets.of([u for u, _ in barred], [i for _, i in barred], users)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "BLOCK", block)
        found = ranking.rank(cast(Model, Table(scores)), views_of(users), targets, banned, k)
    for user in range(users):
        out = {i for u, i in barred if u == user}
        order = sorted((i for i in range(n_items) if i not in out), key=lambda i: (-scores[user, i], i))
        assert [i for i in found.lists[user].tolist() if i >= 0] == order[:k]
        assert found.candidates[user] == len(order)
        low, high = targets.start[user], targets.start[user + 1]
        expected = [order.index(i) if i in order else MISSED for i in targets.item[low:high].tolist()]
        assert found.placements.rank[low:high].tolist() == expected


def test_answers_of_popularity_are_the_popular_items_not_yet_had() -> None:
    log = Interactions.of([0, 1, 2, 2, 0, 1], [0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 9, 9])
    split = by_time(log, 5)
    data = TrainingData(split.train, AttributeTable(3), AttributeTable(3), 1)
    model = Popularity().learn(data)
    asked = questions(split, exclude_seen=True)
    found = ranking.answers(model, split.train, data.users, asked, k=2)
    assert asked.users.tolist() == [0, 1]
    assert found.lists.tolist() == [[1, 2], [1, 2]]
    assert found.placements.rank.tolist() == [0, 1]
