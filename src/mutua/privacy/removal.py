"""Removing a tenant: its keys first, then everything of the folder that bears its name, with a receipt."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from mutua.errors import StoreError, StoreLocked
from mutua.store.disk import disk_error, sync_folder
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.inspection import count_events
from mutua.store.sqlite.lock import WriterLock
from mutua.store.sqlite.store import SqliteStore

LEARNING = "learn.lock"
AGAIN = 0.1
"""Seconds between tries to get the writer's lock."""


class Removed(msgspec.Struct, frozen=True):
    """What a tenant left behind, and that it is gone.

    Args:
        tenant: its name.
        removed: when, microseconds UTC.
        events: that its log held, None where the log could not be read.
        files: names of files and folders that are gone.
        bytes: that they took.
        left: names that are there again or still; none where all is well.
    """

    tenant: str
    removed: int
    events: int | None
    files: tuple[str, ...]
    bytes: int
    left: tuple[str, ...]


def remove_tenant(folder: Folder, tenant: str, *, now: int, patience: float = 10.0) -> Removed:
    """Removes the store of a tenant with its models, slates, notices, keys and copies, and returns the receipt.

    The keys go first: a server that runs refuses the tenant from then on and closes its store. The store goes last, so
    that what was interrupted can be done again. Backups elsewhere, and what the disk keeps of blocks that were freed,
    are outside.

    Args:
        now: record time, microseconds UTC.
        patience: seconds to wait for whoever writes to the store, or learns from it.

    Raises:
        UnknownTenant: code `tenant.unknown`.
        StoreLocked: code `store.locked`; it is written to or learned from still. Its keys are gone already.
    """
    url = folder.url(tenant)
    place = folder.place(tenant)
    try:
        place.keys.unlink(missing_ok=True)
        with _alone((place.lock, place.models / LEARNING), patience):
            events = _events(url)
            found = _belongings(folder, tenant)
            size = sum(_size(path) for path in found)
            for path in sorted(found, key=lambda path: path == place.file):
                _erase(path)
        sync_folder(folder.path)
    except OSError as reason:
        raise disk_error(reason, str(folder.path)) from reason
    left = tuple(path.name for path in _belongings(folder, tenant))
    return Removed(tenant, now, events, tuple(path.name for path in found), size, left)


def _belongings(folder: Folder, tenant: str) -> list[Path]:
    """All that bears the name: no name of a tenant holds a dot, so nothing of another's begins with it and a dot."""
    begins = (f"{tenant}.", f".{tenant}.")
    return sorted(path for path in folder.path.iterdir() if path.name.startswith(begins))


@contextmanager
def _alone(locks: tuple[Path, ...], patience: float) -> Iterator[None]:
    until = time.monotonic() + patience
    with ExitStack() as held:
        for path in locks:
            if path.parent.is_dir():
                held.callback(_locked(path, until).release)
        yield


def _locked(path: Path, until: float) -> WriterLock:
    while True:
        try:
            return WriterLock(path)
        except StoreLocked:
            if time.monotonic() >= until:
                raise
        time.sleep(AGAIN)


def _events(url: str) -> int | None:
    try:
        with SqliteStore.open(url) as store:
            return count_events(store.database)
    except StoreError:
        return None


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() and not path.is_symlink() else (path,)
    return sum(file.lstat().st_size for file in files)


def _erase(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
