"""What every reader of tables yields: some rows of a file, with the line of each and the rows that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.errors import InvalidRow, MutuaError, UnreadableFile

RAW_BYTES = 4_096
UNKNOWN_CHARACTER = "\ufffd"


@dataclass(frozen=True)
class Unread:
    """A row that could not be read: its 1-based line, the row as it came (cut to 4 KiB), and why."""

    line: int
    raw: str
    error: MutuaError


@dataclass(frozen=True)
class Table:
    """Some rows of a file.

    Args:
        frame: the rows by column; texts as they came, or the types of a typed format.
        lines: int64 [rows], the 1-based line (or row) of each in the file.
        raw: returns the row at a position of `frame` as it came.
        unread: rows between these that could not be split into fields.
        position: bytes of the file read so far, for progress.
    """

    frame: pl.DataFrame
    lines: npt.NDArray[np.int64]
    raw: Callable[[int], str]
    unread: tuple[Unread, ...]
    position: int


class TableReader(Protocol):
    """Reads a file as tables of bounded size; `name` is the format's, as reports call it, `columns` the tables'."""

    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...

    def __call__(self, path: Path) -> Iterator[Table]:
        """Yields the file's rows in order, in tables of bounded size.

        Raises:
            UnreadableFile: code `file.unreadable`; the file is missing, or not of this format.
        """
        ...


def shown(raw: bytes) -> str:
    """Returns a row's bytes as text of at most 4 KiB: what is not UTF-8, and NUL, becomes U+FFFD."""
    return raw[:RAW_BYTES].decode("utf-8", "replace").replace("\x00", UNKNOWN_CHARACTER)


def bad_row(came: str, expected: str, do: str = "correct the row and record the file again") -> InvalidRow:
    """Returns the error of a row that cannot be split into fields."""
    return InvalidRow(came, expected, do)


def bad_file(path: Path, why: object, do: str = "name an existing file of a known format") -> UnreadableFile:
    """Returns the error of a file that cannot be read at all."""
    return UnreadableFile(f"{path}: {why}", "CSV, TSV, JSONL, Parquet, MovieLens, RecBole or LightGCN", do)
