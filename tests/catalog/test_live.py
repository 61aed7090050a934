"""The live table: after any upserts, in any order, it is what one read afresh would be; each costs what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.catalog import growing, live
from mutua.catalog.columns import column
from mutua.catalog.facts import Facts, gathered
from mutua.catalog.live import LiveTable
from mutua.catalog.table import AttributeTable, Column, Labels, Numbers, Sets, Texts, Vectors


class Said(NamedTuple):
    row: int
    attributes: dict[str, Any]
    source: int
    time: int


values = st.one_of(
    st.none(),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["red", "blue", "7", ""]),
    st.lists(st.sampled_from(["red", "blue", "green"]), max_size=3),
    st.lists(st.integers(0, 2), max_size=3),
)
statements = st.builds(
    Said,
    st.integers(0, 5),
    st.dictionaries(st.sampled_from(["category", "title", "price", "tags", "colour", "vector"]), values, max_size=3),
    st.integers(0, 1),
    st.integers(0, 3),
)


def facts_of(said: Sequence[Said]) -> dict[str, Facts]:
    row, attributes, source, time = zip(*said, strict=True) if said else ((), (), (), ())
    return gathered(attributes, row, source, time, time, range(len(said)))


def afresh(said: Sequence[Said], size: int) -> AttributeTable:
    newest = {name: facts.newest() for name, facts in facts_of(said).items()}
    return AttributeTable(
        size, {name: column(name, one.row, one.values, size) for name, one in newest.items() if len(one)}
    )


def plain(column: Column) -> list[Any]:
    """What a column says of each row, whatever order its labels are kept in."""
    if isinstance(column, Labels):
        return [None if code < 0 else column.levels[code] for code in column.codes]
    if isinstance(column, Sets):
        return [{column.levels[code] for code in row.indices} for row in column.matrix]
    return [str(value) for value in column.values]


def same(one: AttributeTable, other: AttributeTable) -> bool:
    assert one.size == other.size
    assert set(one.columns) == set(other.columns)
    for name, expected in other.columns.items():
        found = one.columns[name]
        assert type(found) is type(expected), name
        assert plain(found) == plain(expected), name
    return True


def moved(table: LiveTable, said: Said, log: Sequence[Said]) -> None:
    if not table.say(said.row, said.attributes, said.time):
        table.correct([said.row], facts_of([one for one in log if one.row == said.row]))


@given(st.lists(statements, max_size=8), st.lists(st.tuples(statements, st.booleans()), max_size=12))
def test_a_live_table_is_what_one_read_afresh_would_be(first: list[Said], then: list[tuple[Said, bool]]) -> None:
    log = list(first)
    table = LiveTable(facts_of(log), 6)
    for said, look in then:
        log.append(said)
        moved(table, said, log)
        if look:
            assert same(table.table, afresh(log, 6))
    assert same(table.table, afresh(log, 6))


@given(st.lists(statements, min_size=1, max_size=8), st.lists(statements, max_size=8))
def test_rows_that_changed_are_told_and_taken_out(first: list[Said], then: list[Said]) -> None:
    log = list(first)
    table = LiveTable(facts_of(log), 6)
    before, mark = afresh(log, 6), table.mark
    for said in then:
        log.append(said)
        moved(table, said, log)
    changed, after = table.since(mark), afresh(log, 6)
    if changed is None:
        assert (
            any(type(before.columns.get(name)) is not type(after.columns.get(name)) for name in after.columns) or then
        )
        changed = np.arange(6, dtype=np.int32)
    names = list(after.columns)
    taken = table.rows(changed, names)
    for name, expected in after.columns.items():
        wanted = plain(expected)
        if not isinstance(expected, Vectors):
            assert plain(taken.columns[name]) == [wanted[row] for row in changed.tolist()]
        if type(before.columns.get(name)) is type(expected) and not isinstance(expected, Vectors):
            unchanged = [row for row in range(6) if row not in set(changed.tolist())]
            assert [plain(before.columns[name])[row] for row in unchanged] == [wanted[row] for row in unchanged]


@pytest.mark.parametrize(("before", "then"), [(True, 1), (1, 1.0), ([True, "a"], [1, "a"])])
def test_what_is_equal_to_python_but_another_label_is_written(before: object, then: object) -> None:
    log = [Said(0, {"mixed": before}, 0, 0), Said(1, {"mixed": "a text"}, 0, 0)]
    table = LiveTable(facts_of(log), 2)
    log.append(Said(0, {"mixed": then}, 1, 0))
    moved(table, log[-1], log)
    assert same(table.table, afresh(log, 2))


def test_new_rows_come_without_copies_for_each() -> None:
    table = LiveTable(facts_of([Said(0, {"price": 1.0, "title": "a", "tags": ["x"]}, 0, 0)]), 1)
    for row in range(1, 300):
        assert table.say(row, {"price": float(row), "title": f"t {row}", "tags": ["x", f"y{row % 3}"]}, row)
        if row % 7 == 0:
            assert table.table.size == row + 1
    prices, titles, tags = (table.table.columns[name] for name in ("price", "title", "tags"))
    assert isinstance(prices, Numbers)
    assert isinstance(titles, Texts)
    assert isinstance(tags, Sets)
    assert prices.values.tolist() == [1.0, *map(float, range(1, 300))]
    assert titles.values[299] == "t 299"
    assert tags.matrix.sum() == 1 + 2 * 299


def test_labels_that_nobody_bears_are_dropped_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "LEFT_OVER", 10)
    table = LiveTable(facts_of([Said(0, {"state": "new"}, 0, 0)]), 1)
    for number in range(100):
        table.say(0, {"state": f"state {number}"}, number)
        states = table.table.labels("state")
        assert states is not None
        assert states.levels[states.codes[0]] == f"state {number}"
        assert len(states.levels) <= 14


def test_who_is_too_far_behind_is_told_to_look_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_CHANGES", 5)
    table = LiveTable(facts_of([Said(0, {"price": 1}, 0, 0)]), 3)
    mark = table.mark
    table.say(1, {"price": 2}, 1)
    assert np.array_equal(table.since(mark) if table.since(mark) is not None else [], [1])
    for number in range(6):
        table.say(2, {"price": number}, 2 + number)
    assert table.since(mark) is None
