"""Identity links: one person from many ids, undone and dated, and one history from many."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.core.clock import DAY
from mutua.events.interactions import Interactions
from mutua.profiles.encoder import Encoder
from mutua.profiles.history import EMPTY, History
from mutua.profiles.identity import NO_LINKS, Link, canonical, merged
from mutua.testing.profiles import exact_weights, recorded

links = st.lists(
    st.builds(Link, st.integers(0, 7), st.integers(0, 7), st.integers(0, 9), st.integers(0, 10**6), st.booleans()),
    unique_by=lambda link: link.sequence,
)


@given(links, st.randoms())
def test_the_order_of_links_is_free(said: list[Link], random: object) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert canonical(shuffled) == canonical(said)


@given(links)
def test_people_do_not_overlap_and_have_one_head(said: list[Link]) -> None:
    union = canonical(said)
    everyone = [user for group in union.members.values() for user in group]
    assert len(everyone) == len(set(everyone))
    for head, group in union.members.items():
        assert head in group
        assert list(group) == sorted(group)
        assert all(union.canonical[user] == head and union.of(user) == group for user in group)


@given(links)
def test_linked_is_reachable_by_standing_links(said: list[Link]) -> None:
    newest = {frozenset((link.user, link.other)): link for link in sorted(said, key=lambda x: (x.time, x.sequence))}
    near: dict[int, set[int]] = {}
    for link in newest.values():
        if not link.undo:
            near.setdefault(link.user, set()).add(link.other)
            near.setdefault(link.other, set()).add(link.user)
    union = canonical(said)
    for user in range(8):
        reached, edge = {user}, [user]
        while edge:
            fresh = near.get(edge.pop(), set()) - reached
            reached |= fresh
            edge += fresh
        assert set(union.of(user)) == reached


@given(links, st.integers(0, 7), st.integers(0, 7))
def test_undoing_restores_what_was(said: list[Link], user: int, other: int) -> None:
    pair = {user, other}
    before = [link for link in said if {link.user, link.other} != pair]
    linked = [*before, Link(user, other, 10, 2_000_000)]
    undone = [*linked, Link(other, user, 11, 2_000_001, undo=True)]
    assert canonical(undone) == canonical(before)
    assert canonical(undone, as_of=10) == canonical(linked)
    assert set(canonical(linked).of(user)) >= pair


def test_the_named_user_stands_for_the_person() -> None:
    union = canonical([Link(9, 2, 1, 1), Link(9, 4, 2, 2)])
    assert union.canonical == {2: 9, 4: 9, 9: 9}
    assert canonical([Link(3, 5, 1, 1), Link(5, 3, 2, 2)]).canonical == {3: 5, 5: 5}
    assert NO_LINKS.of(3) == (3,)


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    count = draw(st.integers(0, 30))
    column = lambda values: draw(st.lists(values, min_size=count, max_size=count))  # noqa: E731
    return Interactions.of(
        column(st.integers(0, 2)),
        column(st.integers(0, 5)),
        np.array(column(st.integers(0, 20)), np.int64) * DAY,
        value=column(st.floats(-5, 5, width=32)),
        n_users=3,
        n_items=6,
    )


def of_user(rows: Interactions, user: int, window: int) -> History:
    history = EMPTY
    for row in np.flatnonzero(rows.user == user):
        parts = (rows.item[row], rows.type[row], rows.value[row], rows.time[row], rows.sequence[row] + 1)
        history = history.add(*(part.item() for part in parts), window)
    return history


def under_one_id(rows: Interactions, window: int) -> History:
    one = Interactions.of(np.zeros(len(rows), int), rows.item, rows.time, value=rows.value, n_items=6)
    one.sequence[:] += 1
    return recorded(one, window)


@settings(max_examples=50, deadline=None)
@given(rows=logs())
def test_the_union_has_the_bits_of_a_single_id(rows: Interactions) -> None:
    union = merged([of_user(rows, user, 500) for user in range(3)], window=500)
    single = under_one_id(rows, 500)
    for one, other in zip(union.columns, single.columns, strict=True):
        assert one.tobytes() == other.tobytes()
        assert one.dtype == other.dtype


@settings(max_examples=50, deadline=None)
@given(rows=logs())
def test_the_union_of_tails_weighs_as_a_single_id(rows: Interactions) -> None:
    encoder = Encoder.of((1.0,), shares=(0.1, 0.1, 0.2, 0.2, 0.2, 0.2), bases=(1, 0.5, 0.2))
    union = merged([of_user(rows, user, 3) for user in range(3)], window=4)
    single = under_one_id(rows, 4)
    assert union.version == single.version
    ours, theirs = (exact_weights(history, encoder, 30 * DAY, 6) for history in (union, single))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    assert union.tail.count.sum() + len(union) == len(rows)


def test_members_without_events_add_nothing() -> None:
    assert merged([]) is EMPTY
    assert merged([EMPTY, EMPTY]) is EMPTY
    one = EMPTY.add(1, 0, 2.0, 5, 1)
    assert merged([EMPTY, one]).item.tolist() == [1]
