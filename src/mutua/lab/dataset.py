"""A file as data to experiment on: interactions and attributes in memory, with what was taken for granted noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from mutua.catalog.columns import column
from mutua.catalog.table import AttributeTable
from mutua.core import clock
from mutua.core.ids import Vocabulary
from mutua.errors import MutuaError, NotEnoughData
from mutua.events.batch import BATCH_SCHEMA
from mutua.events.interactions import Interactions
from mutua.events.kinds import Interaction, ItemUpsert, UserUpsert
from mutua.events.mapping import Mapping
from mutua.events.parsing import parse_event
from mutua.events.readers.formats import Source, open_sources
from mutua.events.readers.jsonl import read_objects
from mutua.events.readers.lightgcn import LightGcn
from mutua.events.times import EARLIEST_CALENDAR
from mutua.events.types import DEFAULT_TYPES, Types
from mutua.models.base import TrainingData
from mutua.store.recipes import converter_of

_COLUMNS = ("user", "item", "type", "value", "time")
_SCHEMA = pl.Schema({name: BATCH_SCHEMA[name] for name in _COLUMNS})
Said = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a file (or folder) holds.

    Args:
        interactions: in the order of the file; time 0 throughout where the file has none.
        users, items: attributes by inner index.
        user_ids, item_ids: outer ids by inner index, in order of first appearance.
        refused: rows that could not be read.
        notes: what was guessed, left out or taken for granted.
        parts: interactions by file.
    """

    interactions: Interactions
    users: AttributeTable
    items: AttributeTable
    user_ids: Vocabulary
    item_ids: Vocabulary
    refused: int = 0
    notes: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()

    def training(self, rows: Interactions) -> TrainingData:
        """Returns what a model may learn from: these rows, and all attributes."""
        return TrainingData(rows.by_user(), self.users, self.items, int(rows.time.max(initial=0)))


def load(path: Path, mapping: str = "", *more: Path) -> Dataset:
    """Returns the data of a file or folder, and of further files of users or items.

    A type of event that is not declared counts as a target of weight 1. Times before 1990 in a file of dates are left
    out, as recording would mark them.

    Args:
        mapping: the `--map` text of the interactions, as in recording.

    Raises:
        UnreadableFile: code `file.unreadable`.
        MissingColumn: code `file.column-missing`.
        NotEnoughData: code `data.too-few`; no interaction could be read.
    """
    sources = [*open_sources(path, mapping=mapping), *(source for one in more for source in open_sources(one))]
    return _read(sources, path)


def load_lists(paths: Sequence[Path], more: Sequence[Path] = ()) -> Dataset:
    """Returns the data of files of `user item item …` a line, one after the other, and of files of users or items.

    Raises:
        UnreadableFile: code `file.unreadable`.
        NotEnoughData: code `data.too-few`; no interaction could be read.
    """
    listed = [Source(path, "interactions", LightGcn(), Mapping.parse("user=user,item=item")) for path in paths]
    return _read([*listed, *(source for one in more for source in open_sources(one))], paths[0])


def _read(sources: Sequence[Source], path: Path) -> Dataset:
    gathered = _Gathered([], {}, {}, [note for source in sources for note in source.notes])
    for source in sources:
        gathered.read(source)
    return gathered.dataset(path)


def of_frames(
    frames: Sequence[pl.DataFrame],
    users: Said | None = None,
    items: Said | None = None,
    refused: int = 0,
    notes: Sequence[str] = (),
) -> Dataset:
    """Returns the data of frames with the columns user, item, type, value and time (microseconds), in their order.

    Args:
        users, items: attributes by outer id.

    Raises:
        NotEnoughData: code `data.too-few`; no row.
    """
    frame = (
        pl.concat([frame.select(_COLUMNS).cast(_SCHEMA) for frame in frames])
        if frames
        else pl.DataFrame(schema=_SCHEMA)
    )
    if frame.is_empty():
        raise NotEnoughData("no interaction that could be read", "at least one", "check the file and --map")
    user_ids, user = _indexed(frame["user"], users or {})
    item_ids, item = _indexed(frame["item"], items or {})
    types = Types()
    names = frame["type"].unique(maintain_order=True).to_list()
    codes = {name: types.index(name) for name in names}
    unknown = types.undeclared
    weights = [
        weight if name in DEFAULT_TYPES else 1.0 for name, weight in zip(types.names, types.weights(), strict=True)
    ]
    interactions = Interactions.of(
        user,
        item,
        frame["time"].fill_null(0).to_numpy(),
        value=frame["value"].fill_null(float("nan")).to_numpy(),
        type=frame["type"].replace_strict(codes, return_dtype=pl.Int16).to_numpy(),
        n_users=len(user_ids),
        n_items=len(item_ids),
        types=tuple(types.names),
        type_weights=tuple(weights),
        targets=tuple(target or name in unknown for name, target in zip(types.names, types.targets(), strict=True)),
        ratings=tuple(types.ratings()),
    )
    told = [f"types not declared, taken as targets of weight 1: {', '.join(unknown)}"] if unknown else []
    return Dataset(
        interactions,
        _table(users or {}, user_ids),
        _table(items or {}, item_ids),
        user_ids,
        item_ids,
        refused,
        (*notes, *told),
    )


@dataclass
class _Gathered:
    """What was read so far."""

    frames: list[pl.DataFrame]
    users: Said
    items: Said
    notes: list[str]
    parts: list[int] = field(default_factory=list)
    refused: int = 0
    early: int = 0

    def read(self, source: Source) -> None:
        """Adds what one file holds."""
        before = sum(self.parts)
        for frame, refused in _parsed(source.path) if source.mapping is None else _converted(source):
            self.refused += refused
            for kind, said in ((UserUpsert, self.users), (ItemUpsert, self.items)):
                subject = "user" if kind is UserUpsert else "item"
                upserts = frame.filter(pl.col("kind") == kind.number)
                for outer, payload in upserts.select(subject, "payload").iter_rows():
                    said.setdefault(outer, {}).update(msgspec.json.decode(payload)["attributes"])
            rows = frame.filter(pl.col("kind") == Interaction.number)
            kept = rows.filter((pl.col("time") == 0) | (pl.col("time") >= EARLIEST_CALENDAR) | ~pl.col("calendar"))
            self.early += rows.height - kept.height
            self.frames.append(kept.select(_COLUMNS))
        self.parts.append(sum(frame.height for frame in self.frames) - before)

    def dataset(self, path: Path) -> Dataset:
        """Returns all of it."""
        if self.early:
            self.notes.append(f"{self.early} events before 1990 left out (impossible times)")
        if self.refused:
            self.notes.append(f"{self.refused} rows could not be read")
        if not self.frames:
            raise NotEnoughData(f"no interactions in {path}", "a file of interactions", "name the interactions file")
        data = of_frames(self.frames, self.users, self.items, self.refused, self.notes)
        return replace(data, parts=tuple(self.parts))


def _converted(source: Source) -> Iterator[tuple[pl.DataFrame, int]]:
    """Yields frames of a table's rows; rows of a file without times have time 0."""
    converter, rows = None, 0
    for table in source.reader(source.path):
        assert source.mapping is not None
        converter = converter or converter_of(source.mapping, table, clock.now(), source.path.name)
        batch = converter(table, rows)
        rows += table.frame.height
        calendar = converter.clock is not None and converter.clock.calendar
        frame = batch.frame if batch.given_time is not None else batch.frame.with_columns(time=pl.lit(0, pl.Int64))
        yield frame.with_columns(calendar=pl.lit(calendar)), len(batch.refused)


def _parsed(path: Path) -> Iterator[tuple[pl.DataFrame, int]]:
    """Yields frames of a file of whole events; those of other kinds than interactions and upserts are left out."""
    for objects in read_objects(path):
        rows: list[dict[str, Any]] = []
        refused = len(objects.unread)
        for value in objects.values:
            try:
                event = parse_event(value, now=clock.now())
            except MutuaError:
                refused += 1
                continue
            row = {"kind": event.number, "time": event.time or 0, "calendar": True}
            if isinstance(event, Interaction):
                rows.append(row | {name: getattr(event, name) for name in ("user", "item", "type", "value")})
            elif isinstance(event, UserUpsert | ItemUpsert):
                subject = {"user": event.user} if isinstance(event, UserUpsert) else {"item": event.item}
                rows.append(row | subject | {"payload": msgspec.json.encode({"attributes": event.attributes})})
        yield pl.DataFrame(rows, schema={**BATCH_SCHEMA, "calendar": pl.Boolean}), refused


def _indexed(column: pl.Series, said: Said) -> tuple[Vocabulary, pl.Series]:
    """Returns the ids in order of appearance, then those that only have attributes, and the rows as indices."""
    distinct = column.unique(maintain_order=True)
    places = pl.DataFrame({"id": distinct, "place": pl.Series(range(len(distinct)), dtype=pl.Int32)})
    rows = pl.DataFrame({"id": column}).join(places, on="id", how="left", maintain_order="left")["place"]
    known = distinct.to_list()
    there = set(known)
    return Vocabulary([*known, *(outer for outer in said if outer not in there)] if said else known), rows


def _table(said: Said, ids: Vocabulary) -> AttributeTable:
    values: dict[str, tuple[list[int], list[Any]]] = {}
    for outer, attributes in said.items():
        place = ids.get(outer)
        if place is None:
            continue
        for name, value in attributes.items():
            if value is not None:
                rows, column_values = values.setdefault(name, ([], []))
                rows.append(place)
                column_values.append(value)
    columns = {name: column(name, np.array(rows, np.int32), given, len(ids)) for name, (rows, given) in values.items()}
    return AttributeTable(len(ids), columns)
