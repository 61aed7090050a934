"""LightGCN files, `user item item …` a line, as tables of one interaction a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mutua.events.readers.blocks import BLOCK, lines
from mutua.events.readers.tables import Table, Unread, bad_row, shown

COLUMNS = ("user", "item")


@dataclass(frozen=True)
class LightGcn:
    """Reads lines of a user and its items, between blanks, in the order of the file."""

    block: int = BLOCK
    name: str = "lightgcn"
    columns: tuple[str, ...] = COLUMNS

    def __call__(self, path: Path) -> Iterator[Table]:
        for number, texts, position in lines(path, size=self.block):
            yield _table(number, texts, position)

    def rows(self, text: str) -> Table:
        """Returns the rows of `text` as those of a file would be read."""
        return _table(1, text.encode().split(b"\n"), 0)


def _table(number: int, texts: Sequence[bytes], position: int) -> Table:
    users: list[str] = []
    items: list[str] = []
    counts = np.zeros(len(texts), np.int64)
    unread = []
    for place, text in enumerate(texts):
        try:
            words = text.decode().split()
        except UnicodeDecodeError:
            words = [""]
        if len(words) > 1:
            users.append(words[0])
            items.extend(words[1:])
            counts[place] = len(words) - 1
        elif words:
            why = bad_row("a line without items, or not UTF-8", "a user and its items, between blanks")
            unread.append(Unread(number + place, shown(text), why))
    places = np.repeat(np.arange(len(texts)), counts)
    repeated = np.repeat(np.arange(len(users)), counts[counts > 0])
    frame = pl.DataFrame(
        {"user": pl.Series(users, dtype=pl.String).gather(repeated), "item": pl.Series(items, dtype=pl.String)}
    )
    return Table(frame, places + number, lambda at: shown(texts[places[at]]), tuple(unread), position)
