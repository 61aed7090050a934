"""One JSON object a line: as tables of text columns, or as decoded objects with their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from mutua.errors import MutuaError, TooLarge
from mutua.events.readers.blocks import BLOCK, LONGEST_LINE, lines
from mutua.events.readers.tables import Table, Unread, bad_row, shown

_DECODER = msgspec.json.Decoder()


@dataclass(frozen=True)
class Objects:
    """Some lines of a file, decoded.

    Args:
        values: the objects.
        lines: the 1-based line of each.
        raws: each as it came.
        unread: lines between these that hold no JSON object.
        position: bytes of the file read so far.
    """

    values: list[dict[str, Any]]
    lines: list[int]
    raws: list[bytes]
    unread: tuple[Unread, ...]
    position: int


@dataclass(frozen=True)
class JsonLines:
    """Reads JSON lines as tables of text columns: a name that a line lacks is null, lists and objects stay JSON.

    Args:
        columns: the names that are read.
        block: bytes read at once.
    """

    columns: tuple[str, ...]
    block: int = BLOCK
    name: str = "jsonl"

    def __call__(self, path: Path) -> Iterator[Table]:
        for objects in read_objects(path, block=self.block):
            yield self._table(objects)

    def rows(self, text: str) -> Table:
        """Returns the rows of `text` as those of a file would be read."""
        return self._table(decoded(1, text.encode().split(b"\n"), 0))

    def _table(self, objects: Objects) -> Table:
        columns = {name: [_cell(value.get(name)) for value in objects.values] for name in self.columns}
        return Table(
            frame=pl.DataFrame(columns, schema=dict.fromkeys(self.columns, pl.String)),
            lines=np.asarray(objects.lines, np.int64),
            raw=lambda at: shown(objects.raws[at]),
            unread=objects.unread,
            position=objects.position,
        )


def read_objects(path: Path, *, block: int = BLOCK) -> Iterator[Objects]:
    """Yields the objects of a file of JSON lines in pieces of bounded size.

    Raises:
        UnreadableFile: code `file.unreadable`.
    """
    for number, texts, position in lines(path, size=block):
        yield decoded(number, texts, position)


def decoded(number: int, texts: Sequence[bytes], position: int) -> Objects:
    """Returns the decoded lines, the first of which is line `number`; empty ones are no rows."""
    values: list[dict[str, Any]] = []
    places: list[int] = []
    unread = []
    for place, text in enumerate(texts):
        if not text or text.isspace():
            continue
        try:
            values.append(_object(text))
            places.append(place)
        except MutuaError as error:
            unread.append(Unread(number + place, shown(text), error))
    raws = [texts[place] for place in places]
    return Objects(values, [number + place for place in places], raws, tuple(unread), position)


def names_of_objects(values: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns all names in the objects, in order of their first appearance."""
    return tuple(dict.fromkeys(name for value in values for name in value))


def _object(text: bytes) -> dict[str, Any]:
    if len(text) > LONGEST_LINE:
        raise TooLarge("a line of more than 1 MiB", "lines of at most 1 MiB", "cut its texts short")
    try:
        value = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise bad_row(f"a line that is not JSON: {reason}", "one JSON object a line") from reason
    if not isinstance(value, dict):
        raise bad_row(f"a line with a JSON {type(value).__name__}", "one JSON object a line")
    return value


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return msgspec.json.encode(value).decode()
