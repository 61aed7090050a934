"""Ids: strings outside, dense int32 inside, append-only and never reused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mutua.errors import InvalidId

MAX_BYTES = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
Indices = npt.NDArray[np.int32]


def checked_id(given: object, what: str = "id") -> str:
    """Returns `given` as an outer id; whole numbers become text.

    Raises:
        InvalidId: code `id.invalid`; empty, over 256 bytes of UTF-8, or with control characters.
    """
    text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if isinstance(text, str) and 0 < len(text) <= MAX_BYTES and not _CONTROL.search(text) and _fits(text):
        return text
    raise InvalidId(
        f"{what} {str(given)[:40]!r}",
        f"text of 1 to {MAX_BYTES} bytes of UTF-8 without control characters",
        f"send the {what} as your own system spells it",
    )


def _fits(text: str) -> bool:
    return text.isascii() or len(text.encode()) <= MAX_BYTES


class Vocabulary:
    """Maps outer ids to dense inner indices 0, 1, 2 … in order of arrival, and back.

    A forgotten id leaves a tombstone: its index stays taken and resolves to None.
    """

    def __init__(self, ids: Iterable[str | None] = ()) -> None:
        self._ids: list[str | None] = list(ids)
        self._index = {outer: index for index, outer in enumerate(self._ids) if outer is not None}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, outer: str) -> bool:
        return outer in self._index

    def get(self, outer: str) -> int | None:
        """Returns the index of `outer`, or None where it was never seen or was forgotten."""
        return self._index.get(outer)

    def found(self, outers: Iterable[str | None]) -> list[int | None]:
        """Returns the index of each of `outers`, None where it is unknown or there is no name."""
        return list(map(self._index.get, outers))  # type: ignore[arg-type]

    def add(self, outer: str) -> int:
        """Returns the index of `outer`, new or known."""
        index = self._index.setdefault(outer, len(self._ids))
        if index == len(self._ids):
            self._ids.append(outer)
        return index

    def outer(self, index: int) -> str | None:
        """Returns the outer id at `index`; None for a tombstone."""
        return self._ids[index]

    def outers(self, indices: Sequence[int] | Indices) -> list[str | None]:
        """Returns the outer ids at `indices`, tombstones as None."""
        return list(map(self._ids.__getitem__, indices))

    def indices(self, outers: Iterable[str]) -> Indices:
        """Returns int32 indices of `outers`, −1 where unknown."""
        get = self._index.get
        return np.fromiter((get(outer, -1) for outer in outers), np.int32)

    def bury(self, outer: str) -> int | None:
        """Forgets `outer` and returns the index that stays behind as a tombstone, or None if it was unknown."""
        index = self._index.pop(outer, None)
        if index is not None:
            self._ids[index] = None
        return index
