"""The operating system's errors about files as Mutua's."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from mutua.errors import StoreError, StoreFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def disk_error(reason: OSError, place: str) -> StoreError:
    """Returns the coded error for what the operating system said of `place`."""
    came = f"{place}: {reason.strerror or reason}"
    if reason.errno in _FULL or _fell_short(reason):
        return StoreFull(came, "room to write; nothing was kept", "free space, or raise the size limit")
    return StoreError(came, "a place that can be written", "check that it exists, and its permissions")


def sync_folder(folder: Path) -> None:
    """Makes what was put into a folder, renamed there or removed from it outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fell_short(reason: OSError) -> bool:
    """Whether an error without a number stands for a full disk: of one copied file among several, or a short write."""
    if isinstance(reason, shutil.Error):
        return any(f"[Errno {number}]" in str(reason) for number in _FULL)
    return reason.errno is None
