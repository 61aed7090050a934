"""The operating system's errors about files as Mutua's."""

from __future__ import annotations

import errno

from mutua.errors import StoreError, StoreFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def disk_error(reason: OSError, place: str) -> StoreError:
    """Returns the coded error for what the operating system said of `place`."""
    came = f"{place}: {reason.strerror or reason}"
    if reason.errno in _FULL or any(f"[Errno {number}]" in str(reason) for number in _FULL):
        return StoreFull(came, "room to write; nothing was kept", "free space, or raise the size limit")
    return StoreError(came, "a place that can be written", "check that it exists, and its permissions")
