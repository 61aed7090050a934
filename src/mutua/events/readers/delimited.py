"""Delimited text (CSV, TSV, `|`, `::`) as tables: exact lines, and every row that is none set apart."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.errors import MutuaError, TooLarge
from mutua.events.readers import kernels
from mutua.events.readers.blocks import BLOCK, blocks
from mutua.events.readers.tables import Table, Unread, bad_row, shown

LONGEST_ROW = 1024 * 1024
QUOTE_REACH = 64 * 1024
DOUBLE_COLON = "::"
_UNIT = b"\x1f"
_UNUSABLE = kernels.BROKEN | kernels.NUL | kernels.LONG
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Where the rows of a piece of text are: int64 columns, one entry a row (see `kernels.scan`)."""

    starts: _Ints
    ends: _Ints
    lines: _Ints
    fields: _Ints
    flags: _Ints

    def take(self, chosen: npt.NDArray[np.bool_]) -> Rows:
        """Returns the chosen rows."""
        return Rows(*(column[chosen] for column in (self.starts, self.ends, self.lines, self.fields, self.flags)))


@dataclass(frozen=True)
class Delimited:
    """Reads delimited text as tables of text columns.

    Args:
        columns: names in order; a row has exactly these.
        separator: one character, or `::`.
        quote: the quote character, empty where fields are never quoted.
        header: lines to skip at the start.
        encoding: `utf-8` or `latin-1`.
        block: bytes read at once.
        name: the format's name in reports.
    """

    columns: tuple[str, ...]
    separator: str = ","
    quote: str = '"'
    header: int = 1
    encoding: str = "utf-8"
    block: int = BLOCK
    name: str = "csv"

    def __call__(self, path: Path) -> Iterator[Table]:
        rest, line, position = b"", 1, 0
        for block, position in blocks(path, encoding=self.encoding, size=self.block):
            text = self._plain(rest + block)
            rows, used, lines = self._split(text, line, final=False)
            yield self._table(text, rows, position)
            rest, line = text[used:][: LONGEST_ROW + 1], line + lines
        if rest:
            yield self._table(rest, self._split(rest, line, final=True)[0], position)

    def rows(self, text: str) -> Table:
        """Returns the rows of `text`, which has no header, as those of a file would be read."""
        headless, plain = replace(self, header=0), self._plain(text.encode())
        return headless._table(plain, headless._split(plain, 1, final=True)[0], 0)

    def _plain(self, text: bytes) -> bytes:
        return text.replace(DOUBLE_COLON.encode(), _UNIT) if self.separator == DOUBLE_COLON else text

    @property
    def _byte(self) -> str:
        return _UNIT.decode() if self.separator == DOUBLE_COLON else self.separator

    def _split(self, text: bytes, line: int, *, final: bool) -> tuple[Rows, int, int]:
        data = np.frombuffer(text, np.uint8)
        columns = [np.zeros(np.count_nonzero(data == ord("\n")) + 1, np.int64) for _ in range(5)]
        quote = ord(self.quote) if self.quote else -1
        limits = (len(self.columns), final, LONGEST_ROW, QUOTE_REACH)
        count, used, lines = kernels.scan(data, ord(self._byte), quote, *limits, *columns)
        rows = Rows(*(column[:count] for column in columns))
        rows.lines[:] += line
        return rows.take((rows.lines > self.header) & (rows.flags & kernels.BLANK == 0)), used, lines

    def _table(self, text: bytes, rows: Rows, position: int) -> Table:
        undecodable = _undecodable(text, rows)
        good = (rows.flags & _UNUSABLE == 0) & (rows.fields == len(self.columns)) & ~undecodable
        kept = rows.take(good)
        unread = tuple(self._unread(text, rows, int(at), bool(undecodable[at])) for at in np.flatnonzero(~good))
        return Table(
            frame=self._frame(text, kept, contiguous=bool(len(rows.lines)) and len(kept.lines) == len(rows.lines)),
            lines=kept.lines,
            raw=lambda at: self._raw(text, int(kept.starts[at]), int(kept.ends[at])),
            unread=unread,
            position=position,
        )

    def _raw(self, text: bytes, start: int, end: int) -> str:
        raw = shown(text[start:end])
        return raw.replace(_UNIT.decode(), DOUBLE_COLON) if self.separator == DOUBLE_COLON else raw

    def _unread(self, text: bytes, rows: Rows, at: int, undecodable: bool) -> Unread:
        flags, start, end = int(rows.flags[at]), int(rows.starts[at]), int(rows.ends[at])
        return Unread(
            int(rows.lines[at]), self._raw(text, start, end), self._why(flags, int(rows.fields[at]), undecodable)
        )

    def _why(self, flags: int, fields: int, undecodable: bool) -> MutuaError:
        if flags & kernels.LONG:
            return TooLarge("a row of more than 1 MiB", "rows of at most 1 MiB", "cut its texts, or correct its quotes")
        if flags & kernels.BROKEN:
            return bad_row("a row with unbalanced quotes", "quotes around a whole field, doubled inside it")
        if flags & kernels.NUL:
            return bad_row("a row with a NUL byte", "text without NUL bytes")
        if undecodable:
            return bad_row("a row that is not UTF-8", "text in UTF-8", "save the file as UTF-8 and record it again")
        return bad_row(f"a row of {fields} fields", f"{len(self.columns)} fields between {self.separator!r}")

    def _frame(self, text: bytes, rows: Rows, *, contiguous: bool) -> pl.DataFrame:
        if not len(rows.lines):
            return pl.DataFrame(schema=dict.fromkeys(self.columns, pl.String))
        stray = rows.flags & kernels.STRAY != 0
        if contiguous and not stray.any():
            body = text[rows.starts[0] : rows.ends[-1]]
        else:
            body = b"\n".join(
                self._requoted(text[start:end]) if requote else text[start:end]
                for start, end, requote in zip(rows.starts.tolist(), rows.ends.tolist(), stray.tolist(), strict=True)
            )
        frame = pl.read_csv(
            body,
            has_header=False,
            new_columns=list(self.columns),
            separator=self._byte,
            quote_char=self.quote or None,
            infer_schema=False,
        )
        return frame if frame.height == len(rows.lines) else self._exact(text, rows)

    def _exact(self, text: bytes, rows: Rows) -> pl.DataFrame:
        pieces = (text[start:end].decode() for start, end in zip(rows.starts, rows.ends, strict=True))
        fields = [self._fields(piece) for piece in pieces]
        return pl.DataFrame(fields, schema=dict.fromkeys(self.columns, pl.String), orient="row")

    def _fields(self, row: str) -> list[str]:
        if not self.quote:
            return row.split(self._byte)
        return quoted_fields(row, self._byte, self.quote)

    def _requoted(self, row: bytes) -> bytes:
        written = io.StringIO()
        writer = csv.writer(
            written, delimiter=self._byte, quotechar=self.quote, quoting=csv.QUOTE_ALL, lineterminator=""
        )
        writer.writerow(self._fields(row.decode()))
        return written.getvalue().encode()


def quoted_fields(row: str, separator: str, quote: str) -> list[str]:
    """Returns the fields of a row whose quotes are balanced (the csv module refuses fields over 128 KiB)."""
    split, mark = re.escape(separator), re.escape(quote)
    field = re.compile(f"{mark}((?:[^{mark}]|{mark}{mark})*){mark}(?={split}|$)|([^{split}]*)")
    fields, at = [], 0
    while at <= len(row):
        found = field.match(row, at)
        assert found is not None
        fields.append(found[2] if found[1] is None else found[1].replace(quote + quote, quote))
        at = found.end() + 1
    return fields


def _undecodable(text: bytes, rows: Rows) -> npt.NDArray[np.bool_]:
    high = np.flatnonzero(rows.flags & kernels.HIGH)
    bad = np.zeros(len(rows.flags), np.bool_)
    if len(high) and not _is_utf8(text):
        bad[high] = [not _is_utf8(text[rows.starts[at] : rows.ends[at]]) for at in high]
    return bad


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
