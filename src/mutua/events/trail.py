"""What the whole-file rules need of every row, kept on disk meanwhile, so that the log need not be read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.events.kinds import Interaction
from mutua.events.texts import Digests

ROW = np.dtype([("user", np.uint64), ("value", np.float64), ("type", np.int16)])
Rows = npt.NDArray[np.void]


@dataclass
class Trail:
    """Rows in order of their sequence numbers, 18 bytes each in a file without a name that ends with it.

    Args:
        types: names of types by the index that the rows hold.
    """

    types: list[str] = field(default_factory=list)
    _parts: list[tuple[int, int]] = field(default_factory=list)
    _file: IO[bytes] = field(default_factory=lambda: TemporaryFile(prefix="mutua-"))  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def rows(self, frame: pl.DataFrame, users: Digests) -> Rows:
        """Returns what the rules need of these rows; only interactions can be suspected.

        Args:
            frame: columns of `BATCH_SCHEMA`.
            users: uint64 [n, 2], digests of its users.
        """
        acts = (frame["kind"] == Interaction.number).to_numpy()
        names = frame["type"].fill_null("")
        rows = np.zeros(frame.height, ROW)
        rows["user"] = np.where(acts, users[:, 0] | np.uint64(1), np.uint64(0))
        rows["value"] = np.where(acts, frame["value"].fill_null(float("nan")).to_numpy(), np.nan)
        rows["type"] = names.replace_strict(*self._indices(names), return_dtype=pl.Int16).to_numpy()
        return rows

    def _indices(self, names: pl.Series) -> tuple[list[str], list[int]]:
        found = names.unique(maintain_order=True).to_list()
        self.types.extend(name for name in found if name not in self.types)
        return found, [self.types.index(name) for name in found]

    def keep(self, rows: Rows, first: int) -> None:
        """Keeps rows whose sequence numbers count up from `first`."""
        self._file.write(rows.tobytes())
        self._parts.append((first, len(rows)))

    def __iter__(self) -> Iterator[tuple[npt.NDArray[np.int64], Rows]]:
        """Yields (sequence numbers, rows), in pieces as they were kept."""
        self._file.seek(0)
        for first, count in self._parts:
            rows = np.frombuffer(self._file.read(count * ROW.itemsize), ROW)
            yield np.arange(first, first + count), rows
