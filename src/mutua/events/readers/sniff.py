"""What a text file looks like: its separator, its quotes, whether its first row names the columns."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mutua.events.guess import has_header
from mutua.events.readers.blocks import sample
from mutua.events.readers.delimited import DOUBLE_COLON, Delimited, quoted_fields
from mutua.events.readers.lightgcn import LightGcn
from mutua.events.readers.tables import bad_file

_SEPARATORS = (",", "\t", ";", "|", DOUBLE_COLON)
_LINES = 50
_QUOTE = '"'


def sniffed(path: Path, *, tabs: bool = False, names: tuple[str, ...] = ()) -> Delimited | LightGcn:
    """Returns the reader of a text file, told by its first lines.

    Args:
        tabs: whether the file's name promises tabs.
        names: columns that the caller names: a first row that has them all is a header.

    Raises:
        UnreadableFile: code `file.unreadable`; empty, or no separator found.
    """
    try:
        text = sample(path).decode("utf-8", "replace")
    except LookupError as reason:
        raise bad_file(path, reason) from reason
    rows = [line.rstrip("\r") for line in text.split("\n")[: _LINES + 1]]
    rows = [row for row in (rows if len(rows) == 1 else rows[:-1]) if row.strip()]
    if not rows:
        raise bad_file(path, "empty", "name a file with rows")
    separator = "\t" if tabs else _separator(rows)
    if not separator:
        return _blank_separated(path, rows)
    quote = _QUOTE if separator in ",;" or _is_quoted(rows, separator) else ""
    return _delimited(rows, separator, quote, names, "tsv" if separator == "\t" else "csv")


def _delimited(rows: list[str], separator: str, quote: str, names: tuple[str, ...], name: str) -> Delimited:
    first, second = (_fields(row, separator, quote) for row in (rows[0], rows[min(1, len(rows) - 1)]))
    stripped = [field.strip() for field in first]
    named = bool(names) and not all(one.isdecimal() for one in names) and set(names) <= set(stripped)
    header = named or has_header(first, second if len(rows) > 1 else ())
    columns = _distinct(stripped) if header else tuple(str(place) for place in range(1, len(first) + 1))
    return Delimited(columns, separator, quote, header=int(header), name=name)


def _blank_separated(path: Path, rows: list[str]) -> Delimited | LightGcn:
    widths = Counter(len(row.split()) for row in rows)
    if len(widths) == 1 and 3 <= next(iter(widths)) <= 8 and len(rows) > 1:
        return _delimited(rows, " ", "", (), "text")
    if max(widths) >= 2:
        return LightGcn()
    raise bad_file(path, "one word a line", "separate the columns by commas or tabs")


def _separator(rows: list[str]) -> str:
    counts = {one: rows[0].count(one) for one in _SEPARATORS}
    likely = [one for one, count in counts.items() if count and _share(rows, one, count) >= 0.5]
    return max(likely, key=lambda one: (one == DOUBLE_COLON, counts[one]), default="")


def _share(rows: list[str], separator: str, count: int) -> float:
    return sum(row.count(separator) >= count for row in rows) / len(rows)


def _is_quoted(rows: list[str], separator: str) -> bool:
    fields = [field for row in rows for field in row.split(separator)]
    return any(len(field) > 1 and field.startswith(_QUOTE) and field.endswith(_QUOTE) for field in fields)


def _fields(row: str, separator: str, quote: str) -> list[str]:
    return quoted_fields(row, separator, quote) if quote else row.split(separator)


def _distinct(names: list[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    distinct = []
    for place, name in enumerate(names, 1):
        name = name or str(place)
        seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(distinct)
