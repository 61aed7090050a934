"""Versions of models on disk: directories written atomically, a pointer to the one in force, a way back."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mutua.core import arrays
from mutua.core.arrays import Array, Manifest
from mutua.errors import DamagedModel, NoModel, UsageError
from mutua.store.disk import disk_error
from mutua.store.standing import Standing

KEPT = 5


class Saveable(Protocol):
    """What of a model is saved."""

    @property
    def name(self) -> str: ...
    def arrays(self) -> Mapping[str, Array]: ...
    def meta(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, eq=False)
class Stored:
    """A model as read from disk.

    Args:
        name: the registered name, which says what restores it.
        arrays: memory-mapped, read-only.
        meta: the model's own settings.
        about: what was kept beside it; `sequence`, the newest event it learned from, always.
        note: why an older version serves, empty where the current one does.
    """

    version: str
    name: str
    arrays: dict[str, Array]
    meta: dict[str, Any]
    about: dict[str, Any]
    note: str = ""


class ModelFolders:
    """The versions of one store's models, oldest first, named by six digits.

    Args:
        folder: where they stand; made when the first is saved.
        kept: how many to keep; the one in force is never dropped.
    """

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self.root, self._kept = folder, kept
        self.standing = Standing(folder)

    def versions(self) -> tuple[str, ...]:
        """Returns the versions on disk, oldest first, damaged ones included."""
        if not self.root.is_dir():
            return ()
        return tuple(sorted(entry.name for entry in self.root.iterdir() if entry.is_dir() and entry.name.isdecimal()))

    def folder(self, version: str) -> Path:
        """Returns the directory of a version."""
        return self.root / version

    def current(self) -> str | None:
        """Returns the version in force, None before any was saved."""
        named, versions = self.standing.named(), self.versions()
        if named in versions:
            return named
        rejected = self.standing.rejected()
        return next((version for version in reversed(versions) if version not in rejected), None)

    def state(self) -> tuple[int, int]:
        """Returns a value that differs once another version is in force; about 2 µs."""
        return self.standing.state()

    def save(
        self, model: Saveable, *, sequence: int, about: Mapping[str, Any] | None = None, serve: bool = True
    ) -> str:
        """Writes a model durably, puts it in force and returns its version; drops the oldest beyond those kept.

        Args:
            sequence: newest event that the model learned from.
            about: what else to keep beside it (when it learned, figures), plain JSON values.
            serve: whether to put it in force; one that is not serves only when it is named.

        Raises:
            StoreFull: code `store.full`; the versions before stay as they were.
        """
        taken = max((int(version) for version in self.versions()), default=0)
        version = f"{taken + 1:06d}"
        meta = {"model": dict(model.meta()), "about": {**(about or {}), "sequence": sequence}}
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            arrays.save(self.folder(version), model.name, model.arrays(), meta)
            if serve:
                self.standing.point(version)
            else:
                self.standing.reject(version)
        except OSError as reason:
            raise disk_error(reason, str(self.root)) from reason
        self.drop(self.versions()[: -self._kept])
        return version

    def load(self, version: str | None = None) -> Stored:
        """Returns a version; without one, that in force, or the newest undamaged before it with a note.

        Raises:
            NoModel: code `model.none`; nothing was saved, or no such version is kept.
            DamagedModel: code `model.damaged`; the named version, or every one.
        """
        if version is not None:
            return self._load(version)
        damage: list[str] = []
        for candidate in reversed(self._until(self.current())):
            try:
                return self._load(candidate, " ".join(damage))
            except DamagedModel as reason:
                damage.append(f"Version {candidate} is damaged ({reason.came}); an earlier one serves.")
        if damage:
            raise DamagedModel(" ".join(damage), "one undamaged version", "learn again")
        raise _none("no model is saved")

    def manifest(self, version: str) -> Manifest:
        """Returns a version's manifest without reading its arrays."""
        return arrays.read_manifest(self.folder(version))

    def learned_until(self, version: str) -> int:
        """Returns the newest sequence number a version learned from; of a damaged one the largest there can be."""
        try:
            return int(self.manifest(version).meta["about"]["sequence"])
        except (DamagedModel, KeyError):
            return (1 << 63) - 1

    def roll_back(self, version: str | None = None) -> str:
        """Puts another version in force, by default the one before the current, and returns it.

        The one that was in force serves no more unless it is named, not even where another is damaged.

        Raises:
            UsageError: code `usage`; there is none.
            NoModel: code `model.none`; it is not kept.
            DamagedModel: code `model.damaged`; it does not match its manifest.
        """
        current = self.current()
        earlier = [found for found in self._until(current) if found != current]
        wanted = version or (earlier[-1] if earlier else None)
        if wanted is None:
            raise UsageError("no earlier version", "at least two versions", "learn again")
        self._load(wanted)
        if current is not None and current != wanted:
            self.standing.reject(current)
        self.standing.accept(wanted)
        self.standing.point(wanted)
        return wanted

    def _until(self, current: str | None) -> list[str]:
        """The versions that may serve, up to the one in force, oldest first."""
        rejected = self.standing.rejected() - {current}
        return [
            found for found in self.versions() if current is not None and found <= current and found not in rejected
        ]

    def drop(self, versions: Collection[str]) -> tuple[str, ...]:
        """Removes versions, but never the one in force, and returns those removed."""
        current = self.current()
        dropped = tuple(version for version in versions if version != current and version in self.versions())
        for version in dropped:
            shutil.rmtree(self.folder(version))
        return dropped

    def leftovers(self) -> tuple[Path, ...]:
        """Returns what an interrupted save left behind."""
        return tuple(sorted(self.root.glob(".*.part"))) if self.root.is_dir() else ()

    def _load(self, version: str, note: str = "") -> Stored:
        folder = self.folder(version)
        if version not in self.versions():
            raise _none(f"version {version[:20]!r} is not kept")
        name = arrays.read_manifest(folder).kind
        loaded, meta = arrays.load(folder, name)
        if not {"model", "about"} <= meta.keys():
            raise DamagedModel(f"{version}: a manifest of other content", "a model's manifest", "learn again")
        return Stored(version, name, loaded, meta["model"], meta["about"], note)


def _none(came: str) -> NoModel:
    return NoModel(came, "a version that is kept", "learn first")
