"""Ids: what is accepted, and the laws of the vocabulary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.ids import MAX_BYTES, Vocabulary, checked_id
from mutua.errors import InvalidId

ids = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)


@given(ids)
def test_plain_text_is_an_id_and_stays_as_it_is(text: str) -> None:
    assert checked_id(text) == text


@given(st.integers(-(10**18), 10**18))
def test_whole_numbers_become_text(number: int) -> None:
    assert checked_id(number) == str(number)


@pytest.mark.parametrize(
    "given_id", ["", "a\nb", "\x00", "\x7f", "\x85", "\ud800", "x" * 257, "é" * 129, None, True, 1.5, b"a", ["a"]]
)
def test_anything_else_is_refused_with_the_reason(given_id: object) -> None:
    with pytest.raises(InvalidId) as caught:
        checked_id(given_id, "item")
    assert caught.value.code == "id.invalid"
    assert "item" in caught.value.came


def test_the_limit_counts_bytes() -> None:
    assert checked_id("é" * (MAX_BYTES // 2)) == "é" * 128


@given(st.lists(ids))
def test_indices_are_dense_in_order_of_arrival_and_lead_back(names: list[str]) -> None:
    vocabulary = Vocabulary()
    indices = [vocabulary.add(name) for name in names]
    assert vocabulary.outers(indices) == names
    assert len(vocabulary) == len(set(names)) == max(indices, default=-1) + 1
    assert vocabulary.indices(names).tolist() == indices
    assert [vocabulary.outer(index) for index in range(len(vocabulary))] == list(dict.fromkeys(names))


@given(st.lists(ids, min_size=1, unique=True), st.data())
def test_a_forgotten_id_leaves_a_tombstone_that_is_never_reused(names: list[str], data: st.DataObject) -> None:
    vocabulary = Vocabulary(names)
    gone = data.draw(st.sampled_from(names))
    place = vocabulary.get(gone)
    assert vocabulary.bury(gone) == place
    assert vocabulary.bury(gone) is None
    assert gone not in vocabulary
    assert vocabulary.outers([place or 0]) == [None]
    assert vocabulary.add(gone) == len(names)
    restored = Vocabulary(vocabulary.outers(range(len(vocabulary))))
    assert restored.get(gone) == len(names)
    assert len(restored) == len(names) + 1


def test_unknown_ids_are_minus_one() -> None:
    assert Vocabulary(["a"]).indices(["b", "a"]).tolist() == [-1, 0]
    assert Vocabulary(["a"]).get("b") is None
