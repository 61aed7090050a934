"""Ids of rows that come without one: a digest of source, content, and how many identical rows came before.

The same file gives the same ids again on every machine, whatever the size of its chunks; two equal rows of one file
are two events; a row that stands in two overlapping exports is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.events.kernels import count_again, rehash, seen_before
from mutua.events.texts import Digests, Texts, combined

FILTER_BITS = 2**29
_CONTENT = ("user", "item", "type", "session", "payload", "source")
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


@dataclass(frozen=True)
class Digested:
    """Digests of the rows of a batch, uint64 [n, 2] each: of the whole content and of the user alone."""

    content: Digests
    user: Digests
    key: npt.NDArray[np.uint64]


def digested(batch: pl.DataFrame, given_time: pl.Series | None) -> Digested:
    """Returns the digests of a batch's rows.

    Args:
        batch: columns of `BATCH_SCHEMA`; `id`, `time` and `mark` are no part of the content.
        given_time: int64 µs as the file gives it, None where it gives none (its events then share no moment).
    """
    by_column = {name: _digests(batch[name]) for name in _CONTENT}
    value = batch["value"].fill_null(float("nan")).to_numpy().astype(np.float64)
    value = np.where(np.isnan(value), np.nan, value) + 0.0
    time = np.full(batch.height, -1, np.int64) if given_time is None else given_time.fill_null(-1).to_numpy()
    numbers = [value.view(np.uint64), time.astype(np.int64).view(np.uint64), batch["kind"].to_numpy().astype(np.uint64)]
    words = np.column_stack([*by_column.values(), *numbers])
    key = by_column["user"][:, 0] ^ _turned(by_column["item"][:, 0], 21) ^ _turned(by_column["type"][:, 0], 42)
    return Digested(combined(words), by_column["user"], key ^ (numbers[0] * np.uint64(0x9E3779B97F4A7C15)))


@dataclass
class Ordinals:
    """Counts, over the rows of one file, how many identical ones came before each, in bounded memory.

    A blocked Bloom filter of 64 MiB tells which rows may have come before; only those are counted in a table. At ten
    million rows about one row in ten million is taken for a repetition that it is not, the same one each time.
    """

    bits: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(FILTER_BITS // 64, np.uint64))
    keys: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(1024, np.uint64))
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1024, np.int64))
    used: int = 0

    def __call__(self, content: Digests) -> npt.NDArray[np.int64]:
        """Returns int64 [n]: 0 for the first row of its content, 1 for the second, and so on; remembers them."""
        ordinals = np.zeros(len(content), np.int64)
        again = np.flatnonzero(seen_before(content, self.bits))
        self._make_room(len(again))
        ordinals[again], added = count_again(content, again, self.keys, self.counts)
        self.used += added
        return ordinals

    def _make_room(self, more: int) -> None:
        size = len(self.keys)
        while size < 2 * (self.used + more):
            size *= 2
        if size > len(self.keys):
            keys, counts = np.zeros(size, np.uint64), np.zeros(size, np.int64)
            rehash(self.keys, self.counts, keys, counts)
            self.keys, self.counts = keys, counts


def row_ids(content: Digests, ordinals: npt.NDArray[np.int64]) -> pl.Series:
    """Returns the ids as 32 hexadecimal digits: the content's digest, for repetitions mixed with their ordinal."""
    digests = content.copy()
    again = np.flatnonzero(ordinals)
    digests[again] = combined(np.column_stack([content[again], ordinals[again].astype(np.uint64)]))
    digits = _HEX[np.ascontiguousarray(digests.astype("<u8")).view(np.uint8)].view(np.uint8)
    return pl.Series("id", digits.view("S32").ravel()).cast(pl.String)


def _digests(column: pl.Series) -> Digests:
    if column.null_count() == len(column):
        return np.zeros((len(column), 2), np.uint64)
    if len(column) > 1 and column.dtype == pl.String and column.first() == column.last() and column.n_unique() == 1:
        return np.broadcast_to(Texts.of(column.head(1)).digests(), (len(column), 2))
    digests = Texts.of(column).digests()
    digests[column.is_null().to_numpy()] = 0
    return digests


def _turned(words: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint64]:
    return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))
