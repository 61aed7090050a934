"""Rows of a users or items file → upserts in outer ids: what each column holds is told by its name and its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import polars as pl

from mutua.core.ids import checked_id
from mutua.errors import InvalidValue, TooLarge, UsageError
from mutua.events.columns import Batch, Checks, as_text, batch_frame, checked_times, limited
from mutua.events.guess import guess
from mutua.events.kinds import ItemUpsert, UserUpsert
from mutua.events.limits import CONTEXT_KEYS, LIST_LENGTH
from mutua.events.mapping import missing
from mutua.events.payloads import json_nested, json_objects
from mutua.events.readers.tables import Table
from mutua.events.texts import Texts
from mutua.events.times import Clock

TEXT, NUMBER, TRUTH, LIST, WORDS, VECTOR = "text", "number", "truth", "list", "words", "vector"
KINDS_OF_VALUE = (TEXT, NUMBER, TRUTH, LIST, WORDS, VECTOR)
_BETWEEN = {LIST: "|", WORDS: " "}
_SYNTAX = (
    f"item=COLUMN (or user=COLUMN), time=COLUMN, NAME=COLUMN, NAME=COLUMN@ with one of {', '.join(KINDS_OF_VALUE)}"
)
_CANONICAL = {
    "category": ("category", "categoryname", "productcategory", "maincategory", "categorycode"),
    "brand": ("brand", "brandname", "manufacturer"),
    "price": ("price", "unitprice", "listprice"),
    "title": ("title", "movietitle", "itemtitle", "producttitle", "booktitle", "trackname", "productname"),
    "tags": ("tags", "genres", "genre", "keywords", "class"),
}
_NEVER_NUMBERS = re.compile(
    r"(id|code|zip|zipcode|postcode|phone|category|brand|segment|class|gender|sku)$", re.IGNORECASE
)
_FREE_TEXT = re.compile(r"(title|name|description|text|url|summary)$", re.IGNORECASE)
_VECTOR_NAME = re.compile(r"(vector|embedding|emb)$", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(r"[\s|,;]+")


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name, the column it is read from, and what its values are (`KINDS_OF_VALUE`; a `list` has `|`
    between its entries or is JSON, `words` have blanks)."""

    name: str
    column: str
    kind: str = ""


@dataclass(frozen=True)
class AttributeMapping:
    """The columns of a users or items file; `str()` gives the `--map` text that reads the same.

    Args:
        subject: `user` or `item`.
        column: the column of their ids.
        time: the column of the time at which it was so; empty for the time of recording.
        attributes: all other columns.
    """

    subject: str
    column: str
    time: str = ""
    attributes: tuple[Attribute, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.subject}={self.column}", *([f"time={self.time}"] if self.time else [])]
        return ",".join([*parts, *(f"{one.name}={one.column}{one.kind and '@'}{one.kind}" for one in self.attributes)])

    def known(self, first: pl.DataFrame) -> AttributeMapping:
        """Returns the mapping with the kind of every attribute, told by the first rows of the file."""
        told = (one if one.kind else replace(one, kind=_kind(one, first[one.column])) for one in self.attributes)
        return replace(self, attributes=tuple(told))


def map_attributes(text: str, found: Sequence[str], subject: str) -> AttributeMapping:
    """Returns the mapping of a users or items file: what `text` states, the rest guessed from the columns' names.

    Raises:
        MissingColumn: code `file.column-missing`; no column of ids, or a stated one that is not there.
        UsageError: code `usage`; not of the form `item=COLUMN,NAME=COLUMN@kind`.
    """
    stated = dict(_stated(piece) for piece in text.split(",") if piece.strip())
    column, _ = stated.pop(subject, ("", ""))
    column, _ = (column, "") if column else stated.pop("id", (column, ""))
    column = column or _guessed(found, subject)
    time, _ = stated.pop("time", ("", ""))
    for name in filter(None, (column, time, *(column for column, _ in stated.values()))):
        if name not in found:
            raise missing(f"no column {name!r}", found)
    named = [Attribute(name, of, kind) for name, (of, kind) in stated.items()]
    taken = {column, time, *(one.column for one in named)}
    free = [name for name in found if name not in taken]
    return AttributeMapping(subject, column, time, (*named, *_named(free, {one.name for one in named})))


@dataclass(frozen=True)
class ToUpserts:
    """Makes user or item upserts of tables; empty cells are left out.

    Args:
        mapping: with the kind of every attribute (`AttributeMapping.known`).
        clock: how the file tells time; None where it does not.
        now: the clock, microseconds UTC.
        source: who says so.
    """

    mapping: AttributeMapping
    clock: Clock | None
    now: int
    source: str

    def __call__(self, table: Table, rows_before: int) -> Batch:
        """Returns the upserts of a table that follows `rows_before` earlier rows of its file."""
        checks, frame, subject = Checks(), table.frame, self.mapping.subject
        ids = as_text(frame[self.mapping.column])
        checks.refuse(Texts.of(ids).unfit_as_ids(), lambda at: checked_id(ids[at] or "", subject))
        given = checked_times(frame[self.mapping.time], self.clock, self.now, checks) if self.clock else None
        values = {one.name: _values(one, frame[one.column], checks) for one in self.mapping.attributes}
        objects = json_objects(values).fill_null("{}") if values else pl.Series(["{}"]).new_from_index(0, frame.height)
        start = self.now + rows_before
        columns: dict[str, pl.Series | None] = {
            subject: ids,
            "payload": json_nested("attributes", objects).cast(pl.Binary),
            "time": pl.Series(np.arange(start, start + frame.height)) if given is None else given,
        }
        kind = UserUpsert.number if subject == "user" else ItemUpsert.number
        return checks.settled(table, batch_frame(frame.height, kind, self.source, columns), given)


def _values(one: Attribute, column: pl.Series, checks: Checks) -> pl.Series:
    if one.kind in _BETWEEN:
        return _limited_list(_listed(column, _BETWEEN[one.kind]), one.name, checks)
    if one.kind == VECTOR:
        return _limited_list(_vectors(column, one, checks), one.name, checks)
    text = as_text(column)
    if one.kind == TEXT:
        return limited(text, one.name, checks)
    value = text.cast(pl.Float64, strict=False) if one.kind == NUMBER else _truth(text)
    unsound = text.is_not_null() & (
        value.is_null() | (value.is_infinite() | value.is_nan() if one.kind == NUMBER else value.is_null())
    )
    checks.refuse(unsound.to_numpy(), lambda at: _refuse(one, text[at]))
    return value


def _listed(column: pl.Series, between: str) -> pl.Series:
    if column.dtype.base_type() in (pl.List, pl.Array):
        parts = column.cast(pl.List(pl.String))
    else:
        text = as_text(column)
        is_json = text.str.starts_with("[").fill_null(value=False)
        parts = text.str.split(between)
        if is_json.any():
            cells = text.set(~is_json, None).to_list()
            decoded = [None if cell is None else _json_list(cell) for cell in cells]
            parts = parts.zip_with(~is_json, pl.Series(decoded, dtype=pl.List(pl.String)))
    stripped = parts.list.eval(pl.element().str.strip_chars().replace("", None)).list.drop_nulls()
    return stripped.set((stripped.list.len() == 0).fill_null(value=True), None)


def _json_list(cell: str) -> list[str]:
    try:
        return [as_word(one) for one in msgspec.json.decode(cell, type=list[Any])]
    except (msgspec.DecodeError, RecursionError):
        return [cell]


def as_word(value: object) -> str:
    """Returns a decoded JSON value as a cell of a text column would show it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _vectors(column: pl.Series, one: Attribute, checks: Checks) -> pl.Series:
    if column.dtype.base_type() in (pl.List, pl.Array):
        return column.cast(pl.List(pl.Float64))
    text = as_text(column)
    plain = text.str.strip_chars("[]() ").str.replace_all(_BETWEEN_NUMBERS.pattern, " ")
    numbers = plain.str.split(" ").cast(pl.List(pl.Float64), strict=False)
    unsound = (
        text.is_not_null() & numbers.list.eval(pl.element().is_null() | pl.element().is_nan()).list.any()
    ).fill_null(value=False)
    checks.refuse(unsound.to_numpy(), lambda at: _refuse(one, text[at]))
    return numbers


def _limited_list(values: pl.Series, name: str, checks: Checks) -> pl.Series:
    checks.refuse((values.list.len() > LIST_LENGTH).fill_null(value=False).to_numpy(), lambda _: _refuse_length(name))
    return values


def _truth(text: pl.Series) -> pl.Series:
    words = {"true": True, "false": False, "yes": True, "no": False, "t": True, "f": False}
    return text.str.to_lowercase().replace_strict(
        list(words), list(words.values()), default=None, return_dtype=pl.Boolean
    )


def _kind(one: Attribute, column: pl.Series) -> str:
    if column.dtype == pl.Boolean:
        return TRUTH
    if column.dtype.base_type() in (pl.List, pl.Array):
        return VECTOR if column.explode().dtype.is_numeric() else LIST
    text = as_text(column).drop_nulls()
    numeric = len(text) > 0 and text.cast(pl.Float64, strict=False).is_finite().all() is True
    if _VECTOR_NAME.search(one.name):
        return VECTOR
    if one.name == "tags" or (text.str.contains("|", literal=True).any() and not _FREE_TEXT.search(one.name)):
        return LIST
    if numeric and text.cast(pl.Float64, strict=False).null_count() == 0 and not _NEVER_NUMBERS.search(one.column):
        return TEXT if text.str.contains(r"^0\d").any() else NUMBER
    return TRUTH if len(text) and _truth(text).null_count() == 0 else TEXT


def _named(columns: Sequence[str], taken: set[str]) -> list[Attribute]:
    plain = {column: re.sub(r"[^a-z0-9]", "", column.lower()) for column in columns}
    names = {column: column for column in columns}
    for canonical, spellings in _CANONICAL.items():
        first = next((column for spelling in spellings for column in columns if plain[column] == spelling), None)
        if first is not None and canonical not in taken | (set(columns) - {first}):
            names[first] = canonical
    return [Attribute(names[column], column) for column in columns[:CONTEXT_KEYS]]


def _guessed(found: Sequence[str], subject: str) -> str:
    column = getattr(guess(found), subject)
    name = column.name if column else next((name for name in found if name.strip().lower() == "id"), "")
    if not name:
        raise missing(f"no column for {subject}", found)
    return name


def _stated(piece: str) -> tuple[str, tuple[str, str]]:
    name, equals, of = (part.strip() for part in piece.partition("="))
    column, at, kind = of.rpartition("@")
    if not equals or not of or (at and kind not in KINDS_OF_VALUE):
        raise UsageError(f"mapping {piece.strip()!r}", _SYNTAX, "name each attribute and its column")
    return name, (column, kind) if at else (of, "")


def _refuse(one: Attribute, given: object) -> None:
    came, do = f"{one.name} {str(given)[:40]!r}", f"correct it, or map {one.name}={one.column}@text"
    raise InvalidValue(came, {NUMBER: "a finite number", TRUTH: "true or false"}.get(one.kind, "finite numbers"), do)


def _refuse_length(name: str) -> None:
    raise TooLarge(f"{name} with more than {LIST_LENGTH} entries", f"at most {LIST_LENGTH}", "shorten the list")
