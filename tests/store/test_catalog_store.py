"""The catalog's fold: sources, types of columns, speed that does not depend on how facts are spread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua.catalog.columns import column
from mutua.catalog.facts import gathered
from mutua.catalog.table import Labels, Numbers, Sets, Texts, Vectors
from mutua.events.kinds import ItemUpsert, UserUpsert
from mutua.profiles.facts import facts_of, standing
from mutua.store.sqlite.store import SqliteStore


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(SqliteStore.open("sqlite:///:memory:", write=True)) as opened:
        yield opened


statements = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 5)),
        st.integers(0, 2),
        st.integers(0, 4),
    ),
    max_size=25,
)


@given(statements)
def test_columns_fold_as_single_facts_do(said: list[tuple[int, dict[str, int | None], int, int]]) -> None:
    columns = gathered(
        [attributes for _, attributes, *_ in said],
        [row for row, *_ in said],
        [source for *_, source, _ in said],
        [time for *_, time in said],
        [0] * len(said),
        range(len(said)),
    )
    for row in range(3):
        mine = [
            fact
            for sequence, (whose, attributes, source, time) in enumerate(said)
            if whose == row
            for fact in facts_of(attributes, str(source), time, sequence)
        ]
        expected = {name: claims[-1].value for name, claims in standing(mine).items()}
        newest = {name: facts.newest() for name, facts in columns.items()}
        found = {name: facts.values[at] for name, facts in newest.items() for at in np.flatnonzero(facts.row == row)}
        assert found == expected


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(6)))
def test_order_of_arrival_is_free(order: list[int]) -> None:
    events = [
        ItemUpsert(item="milk", source=f"s{number % 2}", time=number, attributes={"price": number, "x": None})
        for number in range(6)
    ]
    with closing(SqliteStore.open("sqlite:///:memory:", write=True)) as shuffled:
        shuffled.log.append([events[number] for number in order], recorded=9)
        prices = shuffled.catalog.items().numbers("price")
        assert prices is not None
        assert prices.values.tolist() == [5]


def test_users_and_items_are_apart_and_follow_new_events(store: SqliteStore) -> None:
    store.log.append([UserUpsert(user="ann", attributes={"age": 30})], recorded=1)
    assert store.catalog.users().size == 1
    assert store.catalog.items().columns == {}
    kept = store.catalog.users()
    assert store.catalog.users() is kept
    store.log.append([UserUpsert(user="bob", attributes={"age": 40})], recorded=2)
    ages = store.catalog.users().numbers("age")
    assert ages is not None
    assert ages.values.tolist() == [30, 40]


def test_facts_keep_their_provenance(store: SqliteStore) -> None:
    store.log.append([UserUpsert(user="ann", source="crm", time=3, attributes={"age": 30, "city": None})], recorded=5)
    facts = store.catalog.facts_of_users([0])
    assert [(fact.name, fact.value, fact.source, fact.time, fact.sequence) for fact in facts] == [
        ("age", 30, "crm", 3, 1),
        ("city", None, "crm", 3, 1),
    ]
    columns = store.catalog.user_facts()
    assert columns["age"].recorded.tolist() == [5]
    assert store.names.sources.outer(int(columns["age"].source[0])) == "crm"


def made(name: str, *values: object) -> Labels | Numbers | Sets | Texts | Vectors:
    return column(name, np.arange(len(values), dtype=np.int32), values, len(values) + 1)


def test_a_number_among_texts_is_a_label() -> None:
    found = made("size", 38, "L", True)
    assert isinstance(found, Labels)
    assert found.levels == ("38", "L", "true")
    assert found.codes.tolist() == [0, 1, 2, -1]


def test_a_category_is_a_label_even_as_a_number() -> None:
    found = made("category", 12, 7)
    assert isinstance(found, Labels)
    assert found.levels == ("12", "7")


def test_lists_of_texts_are_sets_single_texts_too() -> None:
    found = made("genres", ["b", "a", "b"], "c", [])
    assert isinstance(found, Sets)
    assert found.levels == ("a", "b", "c")
    assert found.matrix.toarray().tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_vectors_have_the_usual_length_others_are_missing() -> None:
    found = made("vector", [1, 2], [3.5, 4], [5], [])
    assert isinstance(found, Vectors)
    assert found.values.tolist() == [[1, 2], [3.5, 4], [0, 0], [0, 0], [0, 0]]


def test_empty_lists_alone_are_an_empty_set() -> None:
    found = made("embedding", [], [])
    assert isinstance(found, Sets)
    assert found.matrix.shape == (3, 0)


def test_text_names_are_text_whatever_they_hold() -> None:
    found = made("title", "Milk", 7, ["a", "b"])
    assert isinstance(found, Texts)
    assert found.values == ("Milk", "7", "a b", "")


def test_truth_values_are_numbers() -> None:
    found = made("fresh", True, False)
    assert isinstance(found, Numbers)
    assert found.values[:2].tolist() == [1, 0]
    assert np.isnan(found.values[2])
