"""Reading events: all of them as columns, one user's, or batch by batch in outer ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.core.ids import Vocabulary
from mutua.events.interactions import Interactions
from mutua.profiles.history import EMPTY, History
from mutua.store.base import BATCH_SCHEMA
from mutua.store.sqlite.connection import Database, marks
from mutua.store.sqlite.identity import SqliteIdentity
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import SqliteNames
from mutua.store.sqlite.placing import ends

_ABSENT = "9e999"  # SQL for infinity, which no valid value is
_ROW = np.dtype(
    [
        ("user", "i4"),
        ("item", "i4"),
        ("type", "i2"),
        ("value", "f4"),
        ("time", "i8"),
        ("sequence", "i8"),
        ("mark", "i4"),
    ]
)
RawColumns = dict[str, npt.NDArray[Any]]
"""Interactions by the names of `_ROW`, as the file has them: no link applied, types as they were spelled."""
_COLUMNS = f"user, item, type, ifnull(value, {_ABSENT}), time, seq, mark"
_READ = "seq, recorded, id, kind, user, item, type, value, time, source, session, payload, mark, sealed"


def interactions(
    database: Database, names: SqliteNames, identity: SqliteIdentity, until: int | None, as_of: int | None
) -> Interactions:
    """Returns all interactions grouped by canonical user, each user's by time, then sequence."""
    where, parameters = _limits(until, as_of)
    with database.reading():
        table = _table(database, where, parameters)
        users = identity.union(as_of=as_of).applied(table["user"], len(names.users))
    order = np.lexsort((table["sequence"], table["time"], users))
    found = {name: table[name][order] for name in _ROW.names or ()}
    return as_interactions(_filled(found | {"user": users[order]}), names)


def raw(database: Database, after: int, until: int) -> RawColumns:
    """Returns the columns of the interactions with after < sequence number ≤ until, in log order."""
    table = _table(database, " AND seq > ? AND seq <= ?", (after, until))
    return _filled({name: np.ascontiguousarray(table[name]) for name in _ROW.names or ()})


def as_interactions(columns: RawColumns, names: SqliteNames) -> Interactions:
    """Returns raw columns in the order that they have, types resolved as they are declared now."""
    types, resolved = names.types, names.resolved_types
    return Interactions(
        user=columns["user"],
        item=columns["item"],
        type=resolved[columns["type"]],
        value=columns["value"],
        time=columns["time"],
        sequence=columns["sequence"],
        weight=columns["weight"],
        n_users=len(names.users),
        n_items=len(names.items),
        types=tuple(types.names),
        type_weights=tuple(types.weights()),
        targets=tuple(types.targets()),
        ratings=tuple(types.ratings()),
    )


def _table(database: Database, where: str, parameters: tuple[int, ...]) -> npt.NDArray[Any]:
    count = database.one(f"SELECT count(*) FROM event WHERE kind = 0{where}", parameters)
    rows = database.stream(f"SELECT {_COLUMNS} FROM event WHERE kind = 0{where}", parameters)
    return np.fromiter(rows, _ROW, count)


def _filled(columns: RawColumns) -> RawColumns:
    """Values that are absent are NaN, and marks are weights, 0 or 1."""
    value, mark = columns["value"], columns.pop("mark")
    value[np.isinf(value)] = np.nan
    return columns | {"weight": (mark == 0).astype(np.float32)}


def history(
    database: Database, names: SqliteNames, users: Sequence[int], until: int | None, as_of: int | None
) -> History:
    """Returns the unmarked interactions of `users`, one person, in canonical order."""
    return _history(database, names, "of_user", users, until, as_of)


def placed_history(database: Database, names: SqliteNames, users: Sequence[int]) -> tuple[History, int]:
    """Returns the history of `users` up to where every event has its place, and that sequence number.

    Cost: about 1 µs an event; the end of the log is not looked through.
    """
    with database.reading():
        return _history(database, names, "event_of_user", users, None, None), ends(database)[1]


def _history(
    database: Database,
    names: SqliteNames,
    places: str,
    users: Sequence[int],
    until: int | None,
    as_of: int | None,
) -> History:
    where, parameters = _limits(until, as_of)
    found = database.rows(
        f"SELECT item, type, ifnull(value, {_ABSENT}), time, seq FROM event "
        f"WHERE seq IN (SELECT seq FROM {places} WHERE user IN ({marks(users)})) "
        f"AND +kind = 0 AND mark = 0{where} ORDER BY time, seq",
        (*users, *parameters),
    )
    if not found:
        return EMPTY
    item, type_, value, time, sequence = zip(*found, strict=True)
    values = np.array(value, np.float32)
    values[np.isinf(values)] = np.nan
    return History(
        item=np.array(item, np.int32),
        type=names.resolved_types[np.array(type_, np.int16)],
        value=values,
        time=np.array(time, np.int64),
        sequence=np.array(sequence, np.int64),
    )


def batches(
    database: Database, names: SqliteNames, seals: Seals, after: int, kinds: Sequence[int] | None, size: int
) -> Iterator[pl.DataFrame]:
    """Yields events after a sequence number in log order, at most `size` at a time, each batch its own short read."""
    chosen = "" if kinds is None else f" AND kind IN ({marks(kinds)})"
    query = f"SELECT {_READ} FROM event WHERE seq > ?{chosen} ORDER BY seq LIMIT ?"
    while True:
        with database.reading():
            rows = database.rows(query, (after, *(kinds or ()), size))
            names.refresh()
        if not rows:
            return
        yield _frame(rows, names, seals)
        after = rows[-1][0]


def of_users(database: Database, names: SqliteNames, seals: Seals, users: Sequence[int]) -> pl.DataFrame:
    """Returns all events of these inner users in log order, as `batches` yields them; marked ones too."""
    with database.reading():
        rows = database.rows(
            f"SELECT {_READ} FROM event WHERE seq IN (SELECT seq FROM of_user WHERE user IN ({marks(users)})) "
            "ORDER BY seq",
            users,
        )
        names.refresh()
    return _frame(rows, names, seals) if rows else pl.DataFrame(schema=BATCH_SCHEMA)


def latest(
    database: Database, names: SqliteNames, count: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """Returns item, type and time of the newest unmarked interactions, newest first."""
    found = database.rows(
        "SELECT item, type, time FROM event WHERE kind = 0 AND mark = 0 ORDER BY seq DESC LIMIT ?", (count,)
    )
    item, type_, time = zip(*found, strict=True) if found else ((), (), ())
    kinds = names.resolved_types
    return np.array(item, np.int32), kinds[np.array(type_, np.int16)], np.array(time, np.int64)


def _frame(rows: list[tuple[Any, ...]], names: SqliteNames, seals: Seals) -> pl.DataFrame:
    columns = dict(zip(_READ.split(", "), zip(*rows, strict=True), strict=True))
    payloads = list(columns["payload"])
    for row in np.flatnonzero(columns["sealed"]):
        payloads[row] = seals.open(columns["user"][row], payloads[row], columns["id"][row])
    columns["payload"] = tuple(payloads)
    for name, table in (("user", "users"), ("item", "items"), ("type", "types"), ("source", "sources")):
        columns[name] = _outers(names.vocabulary(table), columns[name])
    data = {name: pl.Series(name, columns[name], dtype=dtype) for name, dtype in BATCH_SCHEMA.items()}
    data["sequence"] = pl.Series(columns["seq"], dtype=pl.Int64)
    data["recorded"] = pl.Series(columns["recorded"], dtype=pl.Int64)
    return pl.DataFrame(data)


def _outers(vocabulary: Vocabulary, indices: Sequence[int | None]) -> tuple[str | None, ...]:
    outer = vocabulary.outer
    return tuple(None if index is None else outer(index) for index in indices)


def _limits(until: int | None, as_of: int | None) -> tuple[str, tuple[int, ...]]:
    """Returns the SQL and the parameters of the two clocks: event time and record time."""
    limits = [("time", until), ("recorded", as_of)]
    given = [(column, limit) for column, limit in limits if limit is not None]
    return "".join(f" AND {column} <= ?" for column, _ in given), tuple(limit for _, limit in given)


def last_sequence(database: Database, as_of: int | None = None) -> int:
    """Returns the newest sequence number recorded by `as_of`, 0 for none."""
    where, parameters = _limits(None, as_of)
    return int(database.one(f"SELECT max(seq) FROM event WHERE true{where}", parameters) or 0)
