"""A column of texts as one run of bytes, which kernels can read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.core.ids import MAX_BYTES
from mutua.events.kernels import siphash_texts, siphash_words
from mutua.events.readers.kernels import unfit_ids

Digests = npt.NDArray[np.uint64]
_KEY0, _KEY1 = np.uint64(0x6D757475612D726F), np.uint64(0x77732D7631000000)


@dataclass(frozen=True)
class Texts:
    """n texts: `data` uint8 holds them one after the other, text r is `data[offsets[r]:offsets[r + 1]]`."""

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: pl.Series) -> Texts:
        """Returns a text or binary column as bytes; null is the empty text."""
        if column.dtype == pl.Binary:
            values = column.fill_null(b"").to_list()
            return cls._joined(b"".join(values), np.fromiter(map(len, values), np.int64, len(values)))
        whole = column.str.join("").item() if len(column) else ""
        return cls._joined((whole or "").encode(), column.str.len_bytes().fill_null(0).to_numpy())

    @classmethod
    def _joined(cls, data: bytes, lengths: npt.NDArray[np.integer]) -> Texts:
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(np.frombuffer(data, np.uint8), offsets)

    def digests(self) -> Digests:
        """Returns uint64 [n, 2], the SipHash-2-4-128 of every text (Aumasson, Bernstein: SipHash, 2012)."""
        out = np.empty((len(self.offsets) - 1, 2), np.uint64)
        siphash_texts(self.data, self.offsets, _KEY0, _KEY1, out)
        return out

    def unfit_as_ids(self) -> npt.NDArray[np.bool_]:
        """Returns bool [n]: empty, over 256 bytes, or with control characters."""
        unfit: npt.NDArray[np.bool_] = unfit_ids(self.data, self.offsets, MAX_BYTES)
        return unfit


def combined(words: npt.NDArray[np.uint64]) -> Digests:
    """Returns uint64 [n, 2], the SipHash-2-4-128 of every row of `words` uint64 [n, w]."""
    out = np.empty((len(words), 2), np.uint64)
    siphash_words(np.ascontiguousarray(words), _KEY0, _KEY1, out)
    return out
