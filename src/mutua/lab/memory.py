"""The peak of resident memory over a stretch of work."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


@dataclass
class Peak:
    """`mib`: the most memory the process held at once, in MiB, its code and loaded data included."""

    mib: float = 0.0


@contextmanager
def peak() -> Iterator[Peak]:
    """Yields a `Peak` that is filled in at the end of the block.

    Linux lets a process set its high-water mark back first; where it does not, the mark since the process began is
    given, which is never too low.
    """
    found = Peak()
    try:
        _REFERENCES.write_text(_RESET_PEAK)
    except OSError:
        resettable = False
    else:
        resettable = True
    try:
        yield found
    finally:
        found.mib = _high_water() if resettable else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _high_water() -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
