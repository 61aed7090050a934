"""Which version of a model is in force, whether it stays so, and which versions are not to serve."""

from __future__ import annotations

import os
from pathlib import Path

POINTER = "current"
PINNED = "pinned"
REJECTED = "rejected"


class Standing:
    """Three small files beside the versions, each written aside, synced and renamed.

    Args:
        folder: where the versions are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pointer = os.fspath(folder / POINTER)

    def state(self) -> tuple[int, int]:
        """Returns a value that differs once another version is in force; about 2 µs."""
        try:
            found = os.stat(self._pointer)
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def named(self) -> str:
        """Returns the version that was put in force last, empty for none."""
        return self._read(POINTER).strip()

    def point(self, version: str) -> None:
        """Puts a version in force."""
        self._write(POINTER, version)

    @property
    def pinned(self) -> bool:
        """Whether the version in force stays so, whatever is learned."""
        return (self._folder / PINNED).exists()

    def pin(self) -> None:
        """Keeps the version in force so."""
        self._write(PINNED, "the version in force stays until it is unpinned")

    def unpin(self) -> None:
        """Lets the next learning put its model in force again."""
        (self._folder / PINNED).unlink(missing_ok=True)

    def rejected(self) -> frozenset[str]:
        """Returns the versions that do not serve unless they are put in force by name."""
        return frozenset(self._read(REJECTED).split())

    def reject(self, *versions: str) -> None:
        """Keeps versions from standing in for a damaged one."""
        self._write(REJECTED, "\n".join(sorted(self.rejected().union(versions))))

    def accept(self, version: str) -> None:
        """Takes back that a version was rejected."""
        if version in (rejected := self.rejected()):
            self._write(REJECTED, "\n".join(sorted(rejected - {version})))

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text()
        except OSError:
            return ""

    def _write(self, name: str, text: str) -> None:
        aside = self._folder / f".{name}.{os.getpid()}.part"
        with aside.open("w") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self._folder / name)
