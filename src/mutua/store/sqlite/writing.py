"""Writing events: outer ids become inner ones in bulk, rows go in with as few bound values as the batch allows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import polars as pl

from mutua.events.kinds import Interaction
from mutua.store.base import BATCH_SCHEMA
from mutua.store.codec import MENTIONING, EventRow, derived_ids, mentioned
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import Draft

COLUMNS = (
    "id",
    "kind",
    "user",
    "item",
    "type",
    "value",
    "time",
    "recorded",
    "source",
    "session",
    "payload",
    "sealed",
    "mark",
)
_ONE = f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO NOTHING"


def insert_rows(
    cursor: sqlite3.Cursor, draft: Draft, seals: Seals, rows: Sequence[EventRow], recorded: int
) -> tuple[int, tuple[int, ...]]:
    """Inserts rows one by one and returns how many were new, and the sequence number of each, new or known."""
    accepted, sequences = 0, []
    for row in rows:
        payload, sealed = row.payload, 0
        user = None if row.user is None else draft.index("users", row.user)
        if payload is not None:
            _name_mentioned(draft, row.kind, payload)
            if seals.active and user is not None:
                payload, sealed = seals.seal(cursor, user, payload, row.id), 1
        cursor.execute(
            _ONE,
            (
                row.id,
                row.kind,
                user,
                None if row.item is None else draft.index("items", row.item),
                None if row.type is None else draft.index("types", row.type),
                row.value,
                row.time,
                recorded,
                draft.index("sources", row.source),
                row.session,
                payload,
                sealed,
                0,
            ),
        )
        if cursor.rowcount == 1:
            accepted += 1
            sequences.append(int(cursor.lastrowid or 0))
        else:
            sequences.append(cursor.execute("SELECT seq FROM event WHERE id = ?", (row.id,)).fetchone()[0])
    return accepted, tuple(sequences)


def insert_batch(cursor: sqlite3.Cursor, draft: Draft, seals: Seals, batch: pl.DataFrame, recorded: int) -> int:
    """Inserts a batch of `BATCH_SCHEMA` columns and returns how many events were new."""
    filled = _complete(batch, recorded)
    columns = {name: filled[name] for name in ("id", "kind", "value", "time", "session", "payload", "mark")}
    columns["sealed"] = pl.repeat(0, len(filled), eager=True)
    for name, table in (("user", "users"), ("item", "items"), ("type", "types"), ("source", "sources")):
        columns[name] = _indices(draft, table, filled[name])
    _mention_all(draft, filled)
    if seals.active:
        columns["payload"], columns["sealed"] = _sealed(cursor, seals, filled, columns["user"])
    return _insert(cursor, columns, recorded) if len(filled) else 0


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


def _sealed(cursor: sqlite3.Cursor, seals: Seals, batch: pl.DataFrame, users: pl.Series) -> tuple[pl.Series, pl.Series]:
    payloads, sealed = batch["payload"].to_list(), [0] * len(batch)
    for row, (user, payload, event) in enumerate(zip(users, payloads, batch["id"], strict=True)):
        if user is not None and payload is not None:
            payloads[row], sealed[row] = seals.seal(cursor, user, payload, event), 1
    return pl.Series(payloads, dtype=pl.Binary), pl.Series(sealed, dtype=pl.Int8)


def _insert(cursor: sqlite3.Cursor, columns: Mapping[str, pl.Series], recorded: int) -> int:
    """A column with one value throughout stands in the statement, so only what differs is bound."""
    values, bound = [], []
    for name in COLUMNS:
        constant = str(recorded) if name == "recorded" else _constant(columns[name])
        values.append(constant or "?")
        if constant is None:
            bound.append(columns[name].to_list())
    cursor.executemany(
        f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({', '.join(values)}) ON CONFLICT (id) DO NOTHING",
        zip(*bound, strict=True),
    )
    return cursor.rowcount


def _constant(column: pl.Series) -> str | None:
    """Returns the SQL literal of a column of one whole number or of nothing but nulls."""
    nulls = column.null_count()
    if nulls == len(column):
        return "NULL"
    if nulls == 0 and column.dtype.is_integer() and column.min() == column.max():
        return str(column.min())
    return None
