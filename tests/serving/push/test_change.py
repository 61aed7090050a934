"""How much two lists differ: the measure, its bounds, and that the four ways to differ cover everything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mutua.serving.push.change import Changes, changed, changes, share

lists = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=10).map(tuple)


def test_a_tenth_of_the_places_counts_and_less_does_not() -> None:
    before = tuple(f"i{place}" for place in range(20))
    swapped = (before[1], before[0], *before[2:])
    assert changed(before, swapped)
    assert not changed(before, (*before[:-1], "other"))
    assert changed(before, (*before[:-1], "other"), threshold=0.05)


def test_equal_lists_never_count_even_at_threshold_zero() -> None:
    assert not changed(("a", "b"), ("a", "b"), threshold=0.0)
    assert not changed((), (), threshold=0.0)
    assert changed((), ("a",))


def test_a_new_first_item_moves_every_place() -> None:
    assert share(("a", "b", "c"), ("x", "a", "b")) == 1.0


def test_what_rose_fell_entered_and_left() -> None:
    assert changes(("a", "b", "c", "d"), ("c", "a", "b", "e")) == Changes(("c",), ("a", "b"), ("e",), ("d",))


@given(lists, lists)
def test_the_parts_cover_both_lists(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    found = changes(before, after)
    stayed = {item for item in after if item in before and before.index(item) == after.index(item)}
    assert {*found.rose, *found.fell, *found.entered} | stayed == set(after)
    assert set(found.left) == set(before) - set(after)
    assert (share(before, after) == 0.0) == (before == after)
    assert share(before, after) == share(after, before) <= 1.0
