"""Item sets against Python sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mutua.learning.itemsets import ItemSets

pairs = st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 9)), max_size=40)


def plain(sets: ItemSets) -> list[list[int]]:
    return [sets.item[low:high].tolist() for low, high in zip(sets.start[:-1], sets.start[1:], strict=True)]


def built(rows: list[tuple[int, int]], size: int = 6) -> ItemSets:
    return ItemSets.of([owner for owner, _ in rows], [item for _, item in rows], size)


@given(pairs)
def test_pairs_become_ascending_distinct_sets(rows: list[tuple[int, int]]) -> None:
    assert plain(built(rows)) == [sorted({item for owner, item in rows if owner == s}) for s in range(6)]


@given(pairs, pairs)
def test_minus_takes_away_set_by_set(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    expected = [sorted({i for o, i in left if o == s} - {i for o, i in right if o == s}) for s in range(6)]
    assert plain(built(left).minus(built(right))) == expected


@given(pairs, st.lists(st.integers(0, 5), max_size=8), st.integers(0, 10))
def test_take_rows_and_below(rows: list[tuple[int, int]], chosen: list[int], n_items: int) -> None:
    sets = built(rows)
    assert plain(sets.take(np.array(chosen, np.intp))) == [plain(sets)[s] for s in chosen]
    assert plain(sets.rows(2, 5)) == plain(sets)[2:5]
    assert plain(sets.below(n_items)) == [[i for i in items if i < n_items] for items in plain(sets)]
    assert sets.owner.tolist() == [s for s, items in enumerate(plain(sets)) for _ in items]


def test_empty() -> None:
    assert plain(ItemSets.empty(2)) == [[], []]
    assert len(ItemSets.of([], [], 0)) == 0
