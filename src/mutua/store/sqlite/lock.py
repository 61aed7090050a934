"""One writer per store: an advisory lock on a file beside the database, with the holder's process id in it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from mutua.errors import StoreError, StoreLocked


class WriterLock:
    """Held from construction until `release`, or until the process ends however it ends.

    Raises:
        StoreLocked: code `store.locked`; another process, or another opening in this one, writes.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = _opened(path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as reason:
            os.close(self._descriptor)
            raise StoreLocked(
                f"{path.name} is held by process {written_pid(path) or 'unknown'}",
                "one writer at a time",
                "wait until that process ends, or send the events to it; reading needs no lock",
            ) from reason
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Gives the lock back; the empty file stays, so that nobody locks a file that another has removed."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def holder(path: Path) -> int | None:
    """Returns the process that holds the lock of `path`, None where nobody does. Takes no lock itself."""
    pid = written_pid(path)
    return pid if pid is not None and _lives(pid) else None


def written_pid(path: Path) -> int | None:
    """Returns the process id in the lock file, dead or alive."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as reason:
        raise StoreError(
            f"{path}: {reason.strerror}", "a folder that can be written", "create the folder, or name another place"
        ) from reason
