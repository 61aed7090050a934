"""The table that all processes share: up to where the log must be read before a user is answered.

One file in a private folder, mapped into every process: 8 bytes a cell, written by the writer alone after the fsync
and before anybody is told, so that a worker that is behind knows it. Users share cells by hash: one who shares with
another waits for a moment that he need not have waited, never too short.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

CELL, CELLS = 8, 1 << 16
NEWEST, EVERYBODY, USERS = 0, 1, 2
"""Cells: the newest sequence number, the newest that concerns everybody, the first of a user."""


class Table:
    """Newest acknowledged sequence numbers, by hash of the outer user id.

    Args:
        file: the shared file; made where there is none, readable for its owner alone.
    """

    def __init__(self, file: Path) -> None:
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, CELL * (USERS + CELLS))
            self._map = mmap.mmap(descriptor, 0)
        finally:
            os.close(descriptor)
        self._view = memoryview(self._map)
        self._cells = self._view.cast("q")

    def stamp(self, users: Iterable[str], everybody: bool, last: int) -> None:
        """Notes a commit: whom it concerns and the log's newest sequence number; about half a microsecond a user."""
        cells = self._cells
        for user in users:
            cells[_cell(user)] = last
        if everybody:
            cells[EVERYBODY] = last
        cells[NEWEST] = last

    def begin(self, last: int) -> None:
        """Notes what a log that was just opened ends with; what stood here was of that log before, or of another."""
        self.stamp((), everybody=True, last=last)
        self._view[CELL * USERS :] = bytes(CELL * CELLS)

    def of(self, user: str | None) -> int:
        """Returns the sequence number that a state must hold to answer a user; None for an anonymous visitor."""
        everybody = self._cells[EVERYBODY]
        return everybody if user is None else max(everybody, self._cells[_cell(user)])

    @property
    def newest(self) -> int:
        """The newest acknowledged sequence number."""
        return self._cells[NEWEST]

    def close(self) -> None:
        """Gives the mapping back; closing twice is harmless."""
        self._cells.release()
        self._view.release()
        self._map.close()


def _cell(user: str) -> int:
    return USERS + crc32(user.encode()) % CELLS
