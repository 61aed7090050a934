"""How a file's columns become fields of events: the `--map` text, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from mutua.errors import MissingColumn, UsageError

UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1e-3}
"""Microseconds of each unit in which a file may count time since 1970."""
DATE_DIGITS = "yyyymmdd"
DATE_FORMS = (DATE_DIGITS, "mdy", "dmy")
SYNTAX = "user=COLUMN,item=COLUMN,type=COLUMN or type:=purchase,time=COLUMN or time=COLUMN@ms,context=A+B"


@dataclass(frozen=True)
class Column:
    """A field's origin: a column of the file, or with `constant` the same word for every row.

    Args:
        name: the column's name (or 1-based position), or the constant itself.
        constant: whether `name` is the value and not a column.
        unit: for times the unit since 1970 (`UNITS`), or one of `DATE_FORMS`; empty where the values show it.
    """

    name: str
    constant: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Mapping:
    """The columns of an interactions file by field; `str()` gives the `--map` text that reads the same.

    Example:
        >>> str(Mapping.parse("user=visitorid, item=itemid, type:=purchase, time=ts@ms, context=city+weather"))
        'user=visitorid,item=itemid,type:=purchase,time=ts@ms,context=city+weather'
    """

    user: Column | None = None
    item: Column | None = None
    id: Column | None = None
    type: Column | None = None
    value: Column | None = None
    time: Column | None = None
    session: Column | None = None
    device: Column | None = None
    text: Column | None = None
    slate: Column | None = None
    position: Column | None = None
    context: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Mapping:
        """Returns the mapping that a `--map` text states: `field=column`, `field:=constant`, `time=column@unit`.

        Raises:
            UsageError: code `usage`; not of this form, a field twice, an unknown field or unit.
        """
        mapping = cls()
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            field, equals, name = (piece.strip() for piece in part.partition("="))
            constant = field.endswith(":")
            field = field.rstrip(": ")
            if not equals or not name or field not in FIELDS:
                raise _unknown(part)
            if getattr(mapping, field):
                raise _unknown(f"{part} (the second {field})")
            read: Any = tuple(name.split("+")) if field == "context" else _column(field, name, constant)
            mapping = replace(mapping, **{field: read})
        return mapping

    def __str__(self) -> str:
        stated = [(name, getattr(self, name)) for name in COLUMN_FIELDS]
        parts = [f"{name}{_written(column)}" for name, column in stated if column is not None]
        return ",".join([*parts, *([f"context={'+'.join(self.context)}"] if self.context else [])])

    def over(self, guessed: Mapping) -> Mapping:
        """Returns this mapping, completed by `guessed` with columns that this one does not use already."""
        used = set(self.columns())
        free: dict[str, Any] = {
            field: column
            for field in COLUMN_FIELDS
            if getattr(self, field) is None and (column := getattr(guessed, field)) and column.name not in used
        }
        return replace(self, **free)

    def columns(self) -> tuple[str, ...]:
        """Returns the names of all columns that are read."""
        stated = [getattr(self, name) for name in COLUMN_FIELDS]
        return (*(column.name for column in stated if column and not column.constant), *self.context)

    def named(self, found: Sequence[str]) -> Mapping:
        """Returns the mapping with positions and other spellings replaced by the names in `found`.

        Raises:
            MissingColumn: code `file.column-missing`; a column that the file does not have.
        """
        values: dict[str, Any] = {
            name: replace(column, name=_resolve(column.name, found))
            for name in COLUMN_FIELDS
            if (column := getattr(self, name)) and not column.constant
        }
        return replace(self, **values, context=tuple(_resolve(name, found) for name in self.context))

    def resolved(self, found: Sequence[str]) -> Mapping:
        """Returns `named`, checked to have a user and an item.

        Raises:
            MissingColumn: code `file.column-missing`; a column that the file does not have, or no user or item.
        """
        mapping = self.named(found)
        for field in ("user", "item"):
            if getattr(mapping, field) is None:
                raise missing(f"no column for {field}", found)
        return mapping


COLUMN_FIELDS = tuple(field.name for field in fields(Mapping) if field.name != "context")
FIELDS = (*COLUMN_FIELDS, "context")


def missing(came: str, found: Sequence[str]) -> MissingColumn:
    """Returns the error of a file without a needed column, with the columns found and how to name the right one."""
    shown = ", ".join(found[:30]) or "none"
    return MissingColumn(
        f"{came} among the columns {shown}",
        "columns that name a user and an item",
        f"say which they are with --map {SYNTAX}; a column may be named by its position from 1",
    )


def _resolve(name: str, found: Sequence[str]) -> str:
    if name in found:
        return name
    if name.isdecimal() and 1 <= int(name) <= len(found):
        return found[int(name) - 1]
    same = [column for column in found if column.strip().lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    raise missing(f"no column {name!r}", found)


def _column(field: str, name: str, constant: bool) -> Column:
    head, at, unit = name.rpartition("@")
    if constant or field != "time" or not at:
        return Column(name, constant)
    if unit not in (*UNITS, *DATE_FORMS):
        raise UsageError(f"time unit {unit!r}", ", ".join([*UNITS, *DATE_FORMS]), f"write time={head}@s for seconds")
    return Column(head, unit=unit)


def _written(column: Column) -> str:
    return f"{':' if column.constant else ''}={column.name}{'@' if column.unit else ''}{column.unit}"


def _unknown(part: str) -> UsageError:
    return UsageError(f"mapping {part!r}", SYNTAX, f"map these fields: {', '.join(FIELDS)}")
