"""Events to rows and back without loss."""

from __future__ import annotations

import string
from contextlib import closing

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.events.kinds import (
    AnyEvent,
    Consent,
    Edit,
    Forget,
    IdentityLink,
    Impression,
    Interaction,
    ItemUpsert,
    UserUpsert,
)
from mutua.store.codec import derived_ids, encode
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import batch_of, events_of

ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | texts
attributes = st.dictionaries(st.text(string.printable, max_size=8), scalars | st.lists(scalars, max_size=3), max_size=4)
shared = {
    "id": ids,
    "time": st.integers(0, 2**52),
    "source": ids,
}
events = st.one_of(
    st.builds(
        Interaction,
        user=ids,
        item=ids,
        type=ids,
        value=numbers,
        session=texts,
        device=texts,
        context=st.none() | attributes,
        text=texts,
        slate=texts,
        position=st.none() | st.integers(0, 1_000),
        **shared,
    ),
    st.builds(
        Impression,
        user=ids,
        items=st.lists(ids, max_size=4).map(tuple),
        slate=texts,
        session=texts,
        surface=texts,
        **shared,
    ),
    st.builds(UserUpsert, user=ids, attributes=attributes, **shared),
    st.builds(ItemUpsert, item=ids, attributes=attributes, **shared),
    st.builds(Edit, user=ids, field=ids, action=ids, value=numbers, **shared),
    st.builds(Consent, user=ids, purpose=ids, granted=st.booleans(), **shared),
    st.builds(IdentityLink, user=ids, other=ids, undo=st.booleans(), **shared),
    st.builds(Forget, subject=ids, erased=st.integers(0, 9), **shared),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=8, unique_by=lambda event: event.id))
def test_any_event_comes_back_equal(given_events: list[AnyEvent]) -> None:
    for batched in (False, True):
        with closing(SqliteStore.open("sqlite:///:memory:", write=True)) as store:
            if batched:
                store.log.append_batch(batch_of(given_events, 1), recorded=1)
            else:
                store.log.append(given_events, recorded=1)
            assert events_of(store) == given_events


def test_derived_ids_depend_on_content_and_ordinal_only() -> None:
    first = Interaction(user="ann", item="milk", time=1, context={"a": 1, "b": 2})
    turned = Interaction(user="ann", item="milk", time=1, context={"b": 2, "a": 1})
    later = msgspec.structs.replace(first, time=2)
    one, same, other = encode([first, turned, later], recorded=9)
    assert len({one.id, same.id, other.id}) == 3
    assert encode([turned], recorded=10)[0].id == one.id
    assert encode([later], recorded=10)[0].id == other.id
    assert list(derived_ids([one._replace(id="")])) == [one.id]


def test_a_missing_time_is_the_record_time() -> None:
    row = encode([Interaction(user="ann", item="milk")], recorded=77)[0]
    assert row.time == 77
    assert row.id != encode([Interaction(user="ann", item="milk")], recorded=78)[0].id
