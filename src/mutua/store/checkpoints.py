"""The checkpoint: the interactions of a log as arrays beside the store, so that a start need not read the whole log.

It holds inner indices as the file has them (no name, no link applied) up to one sequence number. Whatever changes
rows that are in the log already, marks or erasures, gives the log a new lineage and makes every checkpoint before
worthless; so does a log that was restored and went another way, by the event at that number. A checkpoint that does
not match is refused, and the log is read.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from mutua.core import arrays
from mutua.errors import DamagedModel, StoreError
from mutua.store.disk import disk_error
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.reading import RawColumns, raw
from mutua.store.sqlite.store import SqliteStore

LOG = logging.getLogger("mutua.store")
KIND = "checkpoint"
DIGITS = 12
STEP = 500_000
"""Sequence numbers read at once, so that no old page of the journal is held for long."""


@dataclass(frozen=True)
class Checkpoint:
    """The log's interactions up to a sequence number, and those after it.

    Args:
        image: grouped by user, each user's by time, then sequence; memory-mapped.
        tail: in log order.
        last: the newest sequence number in the image.
    """

    image: RawColumns
    tail: RawColumns
    last: int


def read(store: SqliteStore) -> Checkpoint | None:
    """Returns the newest checkpoint that matches the log, with what came since; None where there is none.

    Cost: what it takes to read its bytes and hash them, about half a second for 10 million events.
    """
    if store.address.path is None:
        return None
    folder = store.address.checkpoint
    for version in _versions(folder):
        try:
            found, meta = arrays.load(folder / version, KIND)
        except DamagedModel as reason:
            LOG.warning("a checkpoint is refused and the log is read: %s", reason)
            continue
        with store.database.reading():
            if meta != _lineage(store, int(version)):
                LOG.warning("a checkpoint is refused and the log is read: the log is not the one that it was made of")
                continue
            tail = raw(store.database, int(version), store.log.last_sequence())
        return Checkpoint({name: column.view(np.ndarray) for name, column in found.items()}, tail, int(version))
    return None


def write(store: SqliteStore) -> bool:
    """Writes a checkpoint of the log as it is now, and returns whether that was needed.

    It is merged from the one before and what came since, or made from the log in many short reads; older ones go.

    Raises:
        StoreFull: code `store.full`; there is no room, and the one before stays.
    """
    before, last = read(store), store.log.last_sequence()
    first = 0 if before is None else before.last
    if last == first:
        return False
    about, folder = _lineage(store, last), store.address.checkpoint
    parts = [] if before is None else [before.image]
    parts += [raw(store.database, start, min(start + STEP, last)) for start in range(first, last, STEP)]
    made = folder / f"{last:0{DIGITS}}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(made, ignore_errors=True)
        arrays.save(made, KIND, _grouped(parts), about)
    except OSError as reason:
        raise disk_error(reason, str(folder)) from reason
    for version in _versions(folder):
        if version != made.name:
            shutil.rmtree(folder / version, ignore_errors=True)
    if _lineage(store, last) != about:
        erase(store.address)
    return True


def behind(store: SqliteStore) -> bool:
    """Returns whether the log ends elsewhere than the newest checkpoint, going by its name alone."""
    if store.address.path is None:
        return False
    newest = next(iter(_versions(store.address.checkpoint)), "0")
    return int(newest) != store.log.last_sequence()


def erase(address: Address) -> None:
    """Removes all checkpoints of a store, as whoever erases events must."""
    if address.path is not None:
        shutil.rmtree(address.checkpoint, ignore_errors=True)


def _versions(folder: Path) -> list[str]:
    """Returns the names of complete checkpoints, newest first."""
    return sorted((path.name for path in folder.glob("[0-9]*")), reverse=True)


def _lineage(store: SqliteStore, last: int) -> dict[str, Any]:
    """Returns what tells this log, up to a sequence number, from every other."""
    lineage = store.database.one("SELECT value FROM secret WHERE name = 'lineage'") or b""
    found = store.database.rows("SELECT id, recorded FROM event WHERE seq = ?", (last,))
    newest = blake2b(repr(found).encode(), key=lineage, digest_size=16).hexdigest()
    return {"last": last, "newest": newest}


def _grouped(parts: Sequence[RawColumns]) -> RawColumns:
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((whole["sequence"], whole["time"], whole["user"]))
    return {name: column[order] for name, column in whole.items()}


def main() -> None:
    """Writes checkpoints of the stores that the command line names, behind everything else that runs."""
    os.nice(10)
    for url in sys.argv[1:]:
        try:
            with SqliteStore.open(url) as store:
                write(store)
        except StoreError as reason:
            sys.exit(str(reason))


if __name__ == "__main__":
    main()
