"""One connection to a store's file: durable, in WAL mode, its errors translated, at most one writer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

from mutua.errors import StoreError, StoreLocked
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.faults import translated
from mutua.store.sqlite.lock import WriterLock

Row = tuple[Any, ...]
BUSY_MS = 5_000
AGAIN = 0.01
"""Seconds between tries where SQLite itself does not wait."""
CACHE_KIB = {True: 262_144, False: 65_536}
CHECKPOINT_PAGES = 10_000
JOURNAL_BYTES = 64 << 20


class Database:
    """A connection for one thread at a time. A writer holds the store's lock from opening to closing.

    Args:
        alone: whether a writer takes that lock; without it several may write, and each waits up to 5 s for the others.

    Raises:
        StoreLocked: code `store.locked`; the store has a writer already.
        StoreError: code `store.failed`; no such file to read, or no right to.
    """

    def __init__(self, address: Address, *, write: bool, alone: bool = True) -> None:
        self.address = address
        self.write = write or address.path is None
        self._alone = self.write and alone
        self._lock = WriterLock(address.lock) if self._alone and address.path else None
        try:
            self._connection = self._connected()
        except BaseException:
            self._release()
            raise

    def _connected(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._uri(), uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1_000
            )
            for pragma in self._pragmas():
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as reason:
            raise translated(reason, self.address.name) from reason
        return connection

    def _uri(self) -> str:
        path = self.address.path
        if path is None:
            return ":memory:"
        if self.write and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        return f"file:{quote(str(path.absolute()))}?mode={'rw' if self.write else 'ro'}"

    def _pragmas(self) -> Iterator[str]:
        yield f"cache_size = -{CACHE_KIB[self.write]}"
        yield "foreign_keys = ON"
        if self.write:
            yield "synchronous = FULL"
            yield "secure_delete = ON"
            yield f"wal_autocheckpoint = {CHECKPOINT_PAGES}"
            yield f"journal_size_limit = {JOURNAL_BYTES}"

    def journal(self) -> None:
        """Puts the file into write-ahead mode, in which readers and the writer never wait for each other.

        SQLite does not wait for another process that does the same at that moment, so it is tried again.
        """
        until = monotonic() + BUSY_MS / 1_000
        while self.write:
            try:
                self.rows("PRAGMA journal_mode = WAL")
                return
            except StoreLocked:
                if monotonic() >= until:
                    raise
                sleep(AGAIN)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Returns all rows of a query."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as reason:
            raise translated(reason, self.address.name) from reason

    def one(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Returns the first column of the first row, None where there is no row."""
        found = self.rows(sql, parameters)
        return found[0][0] if found else None

    def stream(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        """Returns rows one by one; errors that come later are translated only inside `reading`."""
        return self._connection.execute(sql, parameters)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Holds one consistent view of the file for all queries inside; joins a transaction that is under way."""
        if self._connection.in_transaction:
            yield
            return
        try:
            self._connection.execute("BEGIN")
            yield
        except sqlite3.Error as reason:
            raise translated(reason, self.address.name) from reason
        finally:
            self._roll_back()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """Yields a cursor whose writes are on disk, all of them, when the block ends, or none after an error."""
        if not self.write:
            raise StoreError(
                f"{self.address.name} is open for reading", "a store open for writing", "open it with write=True"
            )
        try:
            cursor = self._connection.execute("BEGIN IMMEDIATE")
            yield cursor
            cursor.execute("COMMIT")
        except sqlite3.Error as reason:
            raise translated(reason, self.address.name) from reason
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def state(self) -> tuple[int, int]:
        """Returns a value that differs whenever this or another process may have changed the file.

        Cost: about 3 µs for a reader; next to nothing for the writer, beside whom nobody writes.
        """
        others = 0 if self._alone else self.one("PRAGMA data_version")
        return others, self._connection.total_changes

    def copy_into(self, target: sqlite3.Connection) -> None:
        """Copies one consistent view of the whole file into `target`, while others write."""
        try:
            self._connection.backup(target)
        except sqlite3.Error as reason:
            raise translated(reason, self.address.name) from reason

    def compact(self) -> bool:
        """Rewrites the file without free space and empties the journal; False while a reader keeps old pages.

        Needs as much free disk as the file is large.
        """
        self.rows("VACUUM")
        return self.flush()

    def flush(self) -> bool:
        """Moves the journal into the file and cuts it to nothing; False while a reader keeps old pages."""
        busy = self.one("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy

    def close(self) -> None:
        """Closes the file and gives the lock back; closing twice is harmless."""
        self._connection.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def marks(values: Iterable[object]) -> str:
    """Returns as many question marks as there are values, for an SQL list."""
    return ",".join("?" for _ in values)
