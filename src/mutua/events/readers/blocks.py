"""Bytes of a text file in blocks of bounded size: gzip opened, Latin-1 made UTF-8, a byte order mark left out."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from mutua.events.readers.tables import bad_file

BLOCK = 8 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def blocks(path: Path, *, encoding: str = "utf-8", size: int = BLOCK) -> Iterator[tuple[bytes, int]]:
    """Yields (bytes as UTF-8, position in the file as stored); a gzip file is opened on the way.

    Raises:
        UnreadableFile: code `file.unreadable`; missing, UTF-16, or a damaged gzip file.
    """
    try:
        with path.open("rb") as stored:
            text = cast(IO[bytes], gzip.GzipFile(fileobj=stored)) if is_gzip(path) else stored
            first = True
            while block := text.read(size):
                if first:
                    block = _without_mark(path, block)
                    first = False
                yield (block if encoding == "utf-8" else block.decode(encoding).encode()), stored.tell()
    except (OSError, EOFError, zlib.error) as reason:
        raise bad_file(path, reason, "check the path and that the file is whole") from reason


def is_gzip(path: Path) -> bool:
    """Returns whether the file begins as gzip files do."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def sample(path: Path, *, encoding: str = "utf-8", size: int = 65_536) -> bytes:
    """Returns the first bytes of a text file as UTF-8, for telling its format."""
    return next(blocks(path, encoding=encoding, size=size), (b"", 0))[0]


def _without_mark(path: Path, block: bytes) -> bytes:
    if block.startswith(_OTHER_MARKS):
        raise bad_file(path, "UTF-16 or UTF-32 text", "save it as UTF-8")
    return block.removeprefix(codecs.BOM_UTF8)


def lines(path: Path, *, size: int = BLOCK, longest: int = LONGEST_LINE) -> Iterator[tuple[int, list[bytes], int]]:
    """Yields (1-based number of the first line, lines without their ends, position) in pieces of bounded size.

    Of a line beyond `longest` bytes only `longest` + 1 are kept, so that its reader can refuse it.
    """
    rest, number, position = b"", 1, 0
    for block, position in blocks(path, size=size):
        whole = (rest + block).split(b"\n")
        rest = whole.pop()[: longest + 1]
        yield number, whole, position
        number += len(whole)
    if rest:
        yield number, [rest], position
