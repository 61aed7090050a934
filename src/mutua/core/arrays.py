"""Arrays on disk: a directory of `.npy` files and a manifest with their hashes; never pickle.

A directory is written aside, synced and renamed, so a reader sees all of it or nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from mutua.errors import DamagedModel

Array = npt.NDArray[Any]
SCHEMA = 1
PARSING = threading.Lock()
"""NumPy reads a header with `ast`, whose nesting Python 3.11 counts for all threads together; two at once fail."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in `manifest.json`: who wrote the arrays, their hashes (SHA-256, hex) and free metadata."""

    schema: int
    kind: str
    files: dict[str, str]
    meta: dict[str, Any]


def save(folder: Path, kind: str, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Writes `arrays` and `meta` as `folder`, which must not exist; atomic and durable."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    files = {name: _write(aside / f"{name}.npy", array) for name, array in arrays.items()}
    manifest = msgspec.json.format(msgspec.json.encode(Manifest(SCHEMA, kind, files, dict(meta))), indent=1)
    (aside / "manifest.json").write_bytes(manifest)
    for path in (*aside.iterdir(), aside):
        _sync(path)
    aside.rename(folder)
    _sync(folder.parent)


def load(folder: Path, kind: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """Returns the memory-mapped arrays and the metadata of `folder`.

    Raises:
        DamagedModel: code `model.damaged`; a file is missing, altered, of another kind or of a newer schema.
    """
    manifest = read_manifest(folder)
    if manifest.schema != SCHEMA or manifest.kind != kind:
        raise _damaged(folder, f"schema {manifest.schema} of kind {manifest.kind!r}", f"schema {SCHEMA} of {kind!r}")
    arrays = {}
    for name, digest in manifest.files.items():
        path = folder / f"{name}.npy"
        if not path.is_file() or _digest(path) != digest:
            raise _damaged(folder, f"{path.name} is missing or altered", "the bytes that the manifest names")
        with PARSING:
            arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
    return arrays, manifest.meta


def read_manifest(folder: Path) -> Manifest:
    """Returns the manifest of `folder` without touching the arrays.

    Raises:
        DamagedModel: code `model.damaged`; no manifest, or not one of ours.
    """
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as reason:
        raise _damaged(folder, f"manifest.json: {reason}", "a readable manifest") from reason


def _damaged(folder: Path, came: str, expected: str) -> DamagedModel:
    return DamagedModel(f"{folder.name}: {came}", expected, "learn again, or roll back to an earlier version")


def _write(path: Path, array: Array) -> str:
    if array.dtype.hasobject:
        raise TypeError(f"{path.stem} has dtype {array.dtype}: only plain arrays are saved")
    np.save(path, array, allow_pickle=False)
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
