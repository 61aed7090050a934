"""Laws of a store, each a named check that any implementation can run on stores of its own.

Every law takes a factory of fresh, empty, writable stores and raises AssertionError where the store breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing

import numpy as np
import polars as pl

from mutua.catalog.table import Labels, Numbers, Sets, Texts, Vectors
from mutua.errors import InvalidId
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
from mutua.store.base import BATCH_SCHEMA, Rejected, Store
from mutua.store.codec import decode, encode

Factory = Callable[[], Store]
Law = Callable[[Factory], None]

EVERY_KIND: tuple[AnyEvent, ...] = (
    Interaction(
        id="i-1",
        time=5,
        source="shop",
        user="ann",
        item="milk",
        type="purchase",
        value=1.5,
        session="s",
        device="phone",
        context={"weekday": 3, "tags": ["a", "ü"]},
        text="fresh",
        slate="sl-1",
        position=2,
    ),
    Impression(id="i-2", time=6, user="ann", items=("milk", "tea"), slate="sl-1", session="s", surface="home"),
    UserUpsert(id="i-3", time=7, user="ann", attributes={"age": 31, "city": "Bern", "left": None}),
    ItemUpsert(id="i-4", time=8, item="milk", attributes={"category": "dairy", "vector": [0.5, 1.0]}),
    Edit(id="i-5", time=9, user="ann", field="category:dairy", action="mute", value=0.25),
    Consent(id="i-6", time=10, user="ann", purpose="train", granted=False),
    IdentityLink(id="i-7", time=11, user="ann", other="device-9", undo=True),
    Forget(id="i-8", time=12, subject="00ff", erased=3),
)


def opened(factory: Factory) -> AbstractContextManager[Store]:
    """Returns a fresh store that closes when the block ends."""
    return closing(factory())


def batch_of(events: Sequence[AnyEvent], recorded: int, mark: int = 0) -> pl.DataFrame:
    """Returns events as a batch of `BATCH_SCHEMA` columns."""
    rows = [(*row, mark) for row in encode(events, recorded)]
    order = ("id", "kind", "user", "item", "type", "value", "time", "source", "session", "payload", "mark")
    return pl.DataFrame(rows, {name: BATCH_SCHEMA[name] for name in order}, orient="row")


def events_of(store: Store, size: int = 3) -> list[AnyEvent]:
    """Returns all events of a store, read in small batches."""
    return [event for batch in store.log.read(size=size) for event in decode(batch)]


def keeps_every_field(factory: Factory) -> None:
    """What was appended, one by one or as a batch, comes back equal and in order."""
    with opened(factory) as single, opened(factory) as bulk:
        single.log.append(EVERY_KIND, recorded=20)
        bulk.log.append_batch(batch_of(EVERY_KIND, 20), recorded=20)
        assert events_of(single) == list(EVERY_KIND), "append changed an event"
        assert events_of(bulk) == list(EVERY_KIND), "append_batch changed an event"
        named = [tuple(map(set, vocabulary(store))) for store in (single, bulk)]
        assert named[0] == named[1], f"the two ways know different names: {named}"


def numbers_densely(factory: Factory) -> None:
    """Sequence numbers are 1, 2, 3 …, and repeated ids take none, whichever way they come."""
    with opened(factory) as store:
        first = store.log.append(EVERY_KIND[:3], recorded=20)
        assert first.sequences == (1, 2, 3), f"sequences {first.sequences}"
        again = store.log.append((EVERY_KIND[1], EVERY_KIND[3], EVERY_KIND[3]), recorded=21)
        assert (again.accepted, again.duplicates, again.last) == (1, 2, 4), f"{again}"
        assert again.sequences == (2, 4, 4), f"a repeated id should answer with its first sequence: {again.sequences}"
        bulk = store.log.append_batch(batch_of(EVERY_KIND, 22), recorded=22)
        assert (bulk.accepted, bulk.duplicates, bulk.last) == (4, 4, 8), f"{bulk}"
        found = [number for batch in store.log.read() for number in batch["sequence"]]
        assert found == list(range(1, 9)), f"sequences {found}"
        assert store.log.last_sequence() == 8, "last_sequence is not the newest"


def repeats_nothing(factory: Factory) -> None:
    """Events without ids are told apart by content: equal ones in one call are several, the same call again none."""
    twice = [Interaction(user="ann", item="milk", time=1)] * 2
    with opened(factory) as store:
        assert store.log.append(twice, recorded=5).accepted == 2, "two equal milks in one call are two"
        assert store.log.append(twice, recorded=6).accepted == 0, "the same call again should change nothing"
        nameless = batch_of(twice, 5).with_columns(pl.lit(None, pl.String).alias("id"))
        assert store.log.append_batch(nameless, recorded=7).accepted == 0, "batches should derive the same ids"


def refuses_whole(factory: Factory) -> None:
    """A call with an impossible id keeps nothing, neither events nor names, and the next call works."""
    good, bad = Interaction(user="ann", item="milk"), Interaction(user="b\x00b", item="new")
    with opened(factory) as store:
        try:
            store.log.append([good, bad], recorded=5)
        except InvalidId:
            pass
        else:
            raise AssertionError("a control character in an id was accepted")
        assert vocabulary(store) == ([], []), "a refused call left names"
        assert store.log.append([good], recorded=6).sequences == (1,), "a refused call took a sequence number"


def reads_after_and_by_kind(factory: Factory) -> None:
    """`read` starts after a sequence number, chooses kinds, and keeps its batches to the size asked for."""
    with opened(factory) as store:
        store.log.append(EVERY_KIND, recorded=20)
        batches = list(store.log.read(2, size=4))
        assert [len(batch) for batch in batches] == [4, 2], f"sizes {[len(batch) for batch in batches]}"
        chosen = [event for batch in store.log.read(kinds=[5, 0]) for event in decode(batch)]
        assert chosen == [EVERY_KIND[0], EVERY_KIND[5]], f"{chosen}"
        assert set(batches[0]["recorded"]) == {20}, "record times are lost"


def orders_histories_by_time(factory: Factory) -> None:
    """Histories and interactions are in canonical order, time then sequence, whatever the order of arrival."""
    times = [30, 10, 20, 10]
    events = [Interaction(user="ann", item=f"item {row}", time=time) for row, time in enumerate(times)]
    with opened(factory) as store:
        store.log.append([Interaction(user="bob", item="tea", time=1), *events], recorded=40)
        history = store.log.history(store.names.users.indices(["ann"])[0])
        assert history.time.tolist() == [10, 10, 20, 30], f"times {history.time}"
        assert history.sequence.tolist() == [3, 5, 4, 2], f"sequences {history.sequence}"
        assert history.version == 5, f"version {history.version}"
        rows = store.log.interactions()
        assert rows.user.tolist() == [0, 1, 1, 1, 1], f"not grouped by user: {rows.user}"
        assert rows.sequence.tolist() == [1, 3, 5, 4, 2], f"sequences {rows.sequence}"
        assert np.isnan(rows.value).all(), "a missing value is not NaN"


def keeps_two_clocks(factory: Factory) -> None:
    """`until` looks at event time, `as_of` at record time, each up to and including."""
    with opened(factory) as store:
        store.log.append([Interaction(user="ann", item="milk", time=10)], recorded=100)
        store.log.append([Interaction(user="ann", item="tea", time=5)], recorded=200)
        for limits, expected in (
            ({"until": 4}, []),
            ({"until": 5}, [2]),
            ({"as_of": 199}, [1]),
            ({"as_of": 200}, [2, 1]),
            ({"until": 5, "as_of": 100}, []),
        ):
            found = store.log.history(0, **limits).sequence.tolist()
            assert found == expected, f"history {limits}: {found}"
            assert store.log.interactions(**limits).sequence.tolist() == expected, f"interactions {limits}"


def resolves_types(factory: Factory) -> None:
    """Aliases are one type, an undeclared type is kept at weight 0 and named, and the spelling stays in the log."""
    spelled = ("purchase", "transaction", "gaze", "view")
    with opened(factory) as store:
        store.log.append([Interaction(user="ann", item="milk", type=name) for name in spelled], recorded=1)
        rows = store.log.interactions()
        assert [rows.types[code] for code in rows.type] == ["purchase", "purchase", "gaze", "view"], f"{rows.type}"
        assert rows.type_weights[rows.type[2]] == 0, "an undeclared type has a weight"
        assert store.names.types.undeclared == ("gaze",), f"{store.names.types.undeclared}"
        assert [event.type for event in events_of(store) if isinstance(event, Interaction)] == list(spelled)


def marks_without_dropping(factory: Factory) -> None:
    """A marked event weighs 0, is out of histories and stays in the log; marks add up."""
    events = [Interaction(id=f"i-{row}", user="ann", item="milk", time=row) for row in range(4)]
    with opened(factory) as store:
        store.log.append_batch(batch_of(events[:1], 9, mark=1), recorded=9)
        store.log.append(events[1:], recorded=9)
        marked = store.log.set_marks(np.array([1, 3, 99]), 4)
        assert marked == 2, f"{marked} marked"
        assert store.log.interactions().weight.tolist() == [0, 1, 0, 1], "weights do not follow marks"
        assert store.log.history(0).sequence.tolist() == [2, 4], "a marked event is in the history"
        assert events_of(store) == events, "a marked event was dropped"
        marks = [mark for batch in store.log.read() for mark in batch["mark"]]
        assert marks == [5, 0, 4, 0], f"marks {marks}"


def joins_and_parts_identities(factory: Factory) -> None:
    """Linked users share a history under one index, as known then; undoing parts them; link order is free."""
    with opened(factory) as store:
        store.log.append([Interaction(user=user, item="milk", time=1) for user in ("anon", "ann", "tab")], recorded=10)
        anon, ann, tab = store.names.users.indices(("anon", "ann", "tab")).tolist()
        store.log.append([IdentityLink(user="ann", other="tab", time=22)], recorded=22)
        store.log.append([IdentityLink(user="ann", other="anon", time=20)], recorded=30)
        for user in (anon, ann, tab):
            assert store.identity.members(user) == (anon, ann, tab), f"members {store.identity.members(user)}"
            assert store.identity.canonical(user) == ann, "the canonical user is the one that links name first"
            assert len(store.log.history(user)) == 3, "a linked user's history is not the union"
        assert set(store.log.interactions().user.tolist()) == {ann}, "interactions are not under the canonical user"
        assert store.identity.members(ann, as_of=25) == (ann, tab), "a later link is known too early"
        assert len(store.log.history(tab, as_of=25)) == 2, "as_of ignores when the link was recorded"
        store.log.append([IdentityLink(user="ann", other="tab", time=40, undo=True)], recorded=40)
        assert store.identity.members(tab) == (tab,), "undo did not part them"
        assert store.identity.members(ann) == (anon, ann), "undo parted others"
        store.log.append([IdentityLink(user="ann", other="tab", time=39)], recorded=50)
        assert store.identity.members(tab) == (tab,), "an older link came later and won"


def folds_newest_facts(factory: Factory) -> None:
    """The newest standing word wins by time then sequence; null withdraws only its own source's word."""
    said: list[tuple[str, int, object]] = [("shop", 5, "dairy"), ("feed", 9, "drinks"), ("shop", 3, "old")]
    with opened(factory) as store:
        events = [
            ItemUpsert(item="milk", time=time, source=who, attributes={"category": word}) for who, time, word in said
        ]
        store.log.append(events, recorded=50)
        assert label(store, "category") == "drinks", f"{label(store, 'category')}"
        assert label(store, "category", until=6) == "dairy", "until is ignored"
        withdrawn = ItemUpsert(item="milk", time=10, source="feed", attributes={"category": None})
        store.log.append([withdrawn], recorded=60)
        assert label(store, "category") == "dairy", "the other source's word should stand again"
        assert label(store, "category", as_of=55) == "drinks", "as_of is ignored"


def types_columns_by_content(factory: Factory) -> None:
    """Columns are labels, numbers, sets, texts or vectors by what they hold, with gaps where nothing was said."""
    full = {"category": "dairy", "price": 2, "fresh": True, "tags": ["a", "b"], "title": "Milk", "vector": [1.0, 0.0]}
    with opened(factory) as store:
        store.log.append([ItemUpsert(item="milk", attributes=full), Interaction(user="ann", item="tea")], recorded=1)
        table = store.catalog.items()
        kinds = {name: type(column) for name, column in table.columns.items()}
        assert kinds == dict(zip(full, (Labels, Numbers, Numbers, Sets, Texts, Vectors), strict=True)), f"{kinds}"
        assert table.size == 2, f"size {table.size}"
        labels, numbers = table.labels("category"), table.numbers("price")
        assert labels is not None
        assert numbers is not None
        assert labels.codes.tolist() == [0, -1], f"{labels.codes}"
        assert numbers.values[0] == 2, f"{numbers.values}"
        assert np.isnan(numbers.values[1]), "a missing number is not NaN"


def keeps_rejected_rows_once(factory: Factory) -> None:
    """The quarantine keeps a row of a source once, in order, until it is removed."""
    rows = [Rejected("a.csv", line, "row.invalid", "too short", f"raw {line}", "user=u") for line in (1, 2, 3)]
    with opened(factory) as store:
        assert store.quarantine.put(rows) == 3, "rows were not kept"
        assert store.quarantine.put(rows[:2]) == 0, "the same row was kept twice"
        kept = store.quarantine.rows(2)
        assert [(row.line, row.raw, row.mapping) for row in kept] == [(1, "raw 1", "user=u"), (2, "raw 2", "user=u")]
        assert [row.line for row in store.quarantine.rows(after=kept[-1].id)] == [3], "paging lost a row"
        assert store.quarantine.remove([kept[0].id, 10_000]) == 1, "remove counts what was not there"
        assert [row.line for row in store.quarantine.rows()] == [2, 3], "remove took another row"


def names_everyone(factory: Factory) -> None:
    """Whoever an event names has an index, in order of arrival: linked users and items of a list seen too."""
    with opened(factory) as store:
        store.log.append(EVERY_KIND, recorded=1)
        assert vocabulary(store) == (["ann", "device-9"], ["milk", "tea"]), f"{vocabulary(store)}"


LAWS: Mapping[str, Law] = {
    "keeps every field": keeps_every_field,
    "numbers densely": numbers_densely,
    "repeats nothing": repeats_nothing,
    "refuses whole": refuses_whole,
    "reads after and by kind": reads_after_and_by_kind,
    "orders histories by time": orders_histories_by_time,
    "keeps two clocks": keeps_two_clocks,
    "resolves types": resolves_types,
    "marks without dropping": marks_without_dropping,
    "joins and parts identities": joins_and_parts_identities,
    "folds newest facts": folds_newest_facts,
    "types columns by content": types_columns_by_content,
    "keeps rejected rows once": keeps_rejected_rows_once,
    "names everyone": names_everyone,
}
"""Every law of a store by name."""


def vocabulary(store: Store) -> tuple[list[str | None], list[str | None]]:
    """Returns the outer ids of users and items by index."""
    users, items = store.names.users, store.names.items
    return users.outers(range(len(users))), items.outers(range(len(items)))


def label(store: Store, name: str, *, until: int | None = None, as_of: int | None = None) -> str | None:
    """Returns the label of the first item."""
    column = store.catalog.items(until=until, as_of=as_of).labels(name)
    return None if column is None or column.codes[0] < 0 else column.levels[column.codes[0]]
