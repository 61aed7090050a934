"""Writing events: outer ids become inner ones in bulk, rows go in with as few bound values as the batch allows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import polars as pl

from mutua.events.kinds import Interaction
from mutua.store.base import BATCH_SCHEMA
from mutua.store.codec import MENTIONING, Columns, EventRow, derived_ids, mentioned
from mutua.store.sqlite.connection import marks
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import Draft

_ROWS_AT_ONCE = (512, 64, 8, 1)
"""Rows of one statement. While SQLite works Python's lock is given up, and taken back row by row it would cost a wait
for each: beside a busy thread that alone bounds a writer to some hundred rows a second."""
_NAMED = (("user", "users"), ("item", "items"), ("type", "types"), ("source", "sources"))


def insert_events(cursor: sqlite3.Cursor, draft: Draft, seals: Seals, events: Columns, recorded: int) -> int:
    """Inserts events and returns how many were new."""
    found: dict[str, Sequence[Any]] = {**events, "mark": [0] * len(events["id"])}
    for name, table in _NAMED:
        found[name] = draft.numbers(table, events[name])
    for kind, payload in zip(events["kind"], events["payload"], strict=True):
        if kind in MENTIONING:
            _name_mentioned(draft, kind, payload)
    return _insert(cursor, _sealed(cursor, seals, found), recorded)


def sequences_of(cursor: sqlite3.Cursor, ids: Sequence[str]) -> list[int]:
    """Returns the sequence number of each event by its id; all of them are in the log."""
    found: dict[str, int] = {}
    for start in range(0, len(ids), _ROWS_AT_ONCE[0]):
        part = ids[start : start + _ROWS_AT_ONCE[0]]
        found.update(cursor.execute(f"SELECT id, seq FROM event WHERE id IN ({marks(part)})", part))
    return [found[name] for name in ids]


def insert_batch(cursor: sqlite3.Cursor, draft: Draft, seals: Seals, batch: pl.DataFrame, recorded: int) -> int:
    """Inserts a batch of `BATCH_SCHEMA` columns and returns how many events were new."""
    filled = _complete(batch, recorded)
    columns = {name: filled[name] for name in ("id", "kind", "value", "time", "session", "payload", "mark")}
    for name, table in _NAMED:
        columns[name] = _indices(draft, table, filled[name])
    _mention_all(draft, filled)
    lists = {name: column.to_list() for name, column in columns.items()}
    return _insert(cursor, _sealed(cursor, seals, lists), recorded)


def _complete(batch: pl.DataFrame, recorded: int) -> pl.DataFrame:
    filled = batch.select(*BATCH_SCHEMA).with_columns(
        pl.col("time").fill_null(recorded), pl.col("source").fill_null("api"), pl.col("mark").fill_null(0)
    )
    if not filled["id"].null_count():
        return filled
    nameless = filled.filter(pl.col("id").is_null()).with_columns(pl.lit("").alias("id"))
    ids = iter(derived_ids(map(EventRow._make, nameless.select(EventRow._fields).iter_rows())))
    return filled.with_columns(pl.Series("id", [next(ids) if given is None else given for given in filled["id"]]))


def _name_mentioned(draft: Draft, kind: int, payload: bytes) -> None:
    users, items = mentioned(kind, payload)
    draft.indices("users", users)
    draft.indices("items", items)


def _mention_all(draft: Draft, batch: pl.DataFrame) -> None:
    if batch["kind"].max() != Interaction.number:
        named = batch.filter(pl.col("kind").is_in(MENTIONING)).select("kind", "payload")
        for kind, payload in named.iter_rows():
            _name_mentioned(draft, kind, payload)


def _indices(draft: Draft, table: str, outers: pl.Series) -> pl.Series:
    distinct = outers.drop_nulls().unique(maintain_order=True)
    inner = pl.Series(draft.indices(table, distinct.to_list()))
    return outers.replace_strict(distinct, inner, default=None, return_dtype=pl.Int32)


def _sealed(cursor: sqlite3.Cursor, seals: Seals, columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The columns with the payloads of users sealed, where the store seals."""
    payloads, sealed = columns["payload"], [0] * len(columns["id"])
    if seals.active:
        payloads = list(payloads)
        for row, (user, payload, event) in enumerate(zip(columns["user"], payloads, columns["id"], strict=True)):
            if user is not None and payload is not None:
                payloads[row], sealed[row] = seals.seal(cursor, user, payload, event), 1
    return {**columns, "payload": payloads, "sealed": sealed}


def _insert(cursor: sqlite3.Cursor, columns: Mapping[str, Sequence[Any]], recorded: int) -> int:
    """A column with one value throughout is bound once, so that only what differs is bound row by row."""
    count = len(columns["id"])
    constant = {
        "recorded": recorded,
        **{name: values[0] for name, values in columns.items() if _constant(name, values)},
    }
    varied = {name: values for name, values in columns.items() if name not in constant}
    rows, new = list(zip(*varied.values(), strict=True)), 0
    start = 0
    for size in _ROWS_AT_ONCE:
        statement = _insertion(tuple(constant), tuple(varied), size)
        while count - start >= size:
            bound = [*constant.values(), *chain.from_iterable(rows[start : start + size])]
            new += cursor.execute(statement, bound).rowcount
            start += size
    return new


def _constant(name: str, values: Sequence[Any]) -> bool:
    return name != "id" and len(values) > 0 and values.count(values[0]) == len(values)


@lru_cache(maxsize=256)
def _insertion(constant: tuple[str, ...], varied: tuple[str, ...], rows: int) -> str:
    once = ", ".join("?" for _ in constant)
    each = ", ".join(f"column{place}" for place in range(1, len(varied) + 1))
    given = ", ".join([f"({marks(varied)})"] * rows)
    return (
        f"INSERT INTO event ({', '.join(constant + varied)}) SELECT {once}, {each} FROM (VALUES {given}) "
        "WHERE true ON CONFLICT (id) DO NOTHING"
    )
