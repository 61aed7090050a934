"""The log of slates: what was served, in a file of its own beside the store, for a limited time.

A slate is not an acknowledged event: it is written soon after it was served, in WAL mode with `synchronous = NORMAL`. A
power cut may lose the last of them, a process that dies only what it had not written yet; neither tears the file. It
holds inner indices and no outer ids, in clear. Any number of processes may write, each in its turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mutua.store.logged import LoggedSlate
from mutua.store.slate_schema import prepare
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.connection import Database, marks

CACHE_KIB = 32_768
DELETED_AT_ONCE = 5_000
"""Rows deleted in one transaction, so that those who write meanwhile wait for milliseconds."""

_READ = "id, user, time, packed, surface, variant, model_version, profile_version, seed, number"
_WRITTEN = "recorded, id, user, time, surface, variant, model_version, profile_version, seed, n, packed"
_COLUMNS = 11
_ROWS_AT_ONCE = (128, 16, 4, 1)
"""Rows of one statement. While SQLite works Python's lock is given up, and taken back row by row it would cost a wait
for each: beside a busy thread `executemany` wrote 240 slates a second, statements of 100 rows 18,000. Longer ones would
keep it in turn from a thread that answers requests."""


@dataclass(frozen=True)
class Retention:
    """How long slates are kept.

    Args:
        age: microseconds since they were recorded.
        size: bytes that the file may use, journal aside; the oldest go first.
    """

    age: int = 30 * 86_400_000_000
    size: int = 2 << 30


KEPT = Retention()


class SlateLog:
    """The slates of one store, in the order in which they were written. For one thread at a time.

    Example:
        >>> log = SlateLog.open(Address(None), write=True)
        >>> log.append([LoggedSlate("a1", 0, 1_000_000, bytes(13))], recorded=2_000_000)
        1
        >>> log.get("a1").entries["item"].tolist()
        [0]
    """

    def __init__(self, database: Database) -> None:
        prepare(database)
        database.rows("PRAGMA synchronous = NORMAL")
        database.rows(f"PRAGMA cache_size = -{CACHE_KIB}")
        self.database = database

    @classmethod
    def open(cls, store: Address, *, write: bool = False) -> Self:
        """Returns the slates of the store at an address: `shop.slates.db` for `shop.db`; a writer makes the file.

        Raises:
            StoreVersion: code `store.version`; not a log of slates, or of a newer Mutua.
            StoreError: code `store.failed`; no such file to read, or damage.
        """
        database = Database(store.slates, write=write, alone=False)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    def append(self, slates: Sequence[LoggedSlate], *, recorded: int) -> int:
        """Writes slates in one transaction and returns how many were new; a repeated id changes nothing.

        Args:
            recorded: record time, microseconds UTC; ages are counted from it.

        Raises:
            StoreFull: code `store.full`, StoreLocked: code `store.locked`; nothing was written.

        Cost: about 4 µs a slate of 20 items where ids rise, as those of `mutua.slates.new_id` do; several times that
            in a large file where they come at random.
        """
        new = start = 0
        with self.database.transaction() as cursor:
            for size in _ROWS_AT_ONCE:
                while len(slates) - start >= size:
                    values = [value for slate in slates[start : start + size] for value in _row(slate, recorded)]
                    new += cursor.execute(_insertion(size), values).rowcount
                    start += size
        return new

    def get(self, slate: str) -> LoggedSlate | None:
        """Returns a slate by its id; None where it was never written, or is gone."""
        found = self._slates("id = ?", slate)
        return found[0] if found else None

    def read(self, after: int = 0, *, size: int = 10_000) -> Iterator[tuple[LoggedSlate, ...]]:
        """Yields batches of up to `size` slates in the order of their numbers, those above `after`."""
        while batch := self._slates("number > ? ORDER BY number LIMIT ?", after, size):
            yield batch
            after = batch[-1].number

    def of_variants(self, prefix: str) -> Iterator[LoggedSlate]:
        """Yields the slates whose variant begins with a prefix, in the order of their numbers; looks at every slate."""
        last, after = 0, f"{prefix}\U0010ffff"
        while batch := self._slates(
            "number > ? AND variant >= ? AND variant < ? ORDER BY number LIMIT 10000", last, prefix, after
        ):
            yield from batch
            last = batch[-1].number

    def between(self, low: int, high: int, *, size: int = 10_000) -> Iterator[tuple[LoggedSlate, ...]]:
        """Yields batches of slates with low ≤ time < high, microseconds UTC, in the order of time, then number."""
        last = (low, 0)
        while batch := self._slates(
            "(time, number) > (?, ?) AND time < ? ORDER BY time, number LIMIT ?", *last, high, size
        ):
            yield batch
            last = (batch[-1].time, batch[-1].number)

    def of_users(self, users: Sequence[int]) -> int:
        """Returns how many slates these inner users were served; looks at every slate, seconds in a large file."""
        return len(self._numbers(users))

    def erase_users(self, users: Sequence[int]) -> int:
        """Deletes the slates of these inner users, overwritten with zeros, and returns how many there were.

        Looks at every slate, seconds in a large file; others can write meanwhile.
        """
        numbers, gone = self._numbers(users), 0
        for start in range(0, len(numbers), DELETED_AT_ONCE):
            part = numbers[start : start + DELETED_AT_ONCE]
            gone += self._delete(f"number IN ({marks(part)})", part)
        return gone

    def prune(self, now: int, keep: Retention = KEPT) -> int:
        """Deletes what is too old, then the oldest until the file's used pages fit, and returns how many went.

        Args:
            now: microseconds UTC.
        """
        fresh: int | None = self.database.one(
            "SELECT number FROM slate WHERE recorded >= ? ORDER BY number LIMIT 1", (now - keep.age,)
        )
        gone = self._delete("number < ?", [1 << 62 if fresh is None else fresh])
        while (excess := self.used() - keep.size) > 0:
            first, last = self.database.rows("SELECT min(number), max(number) FROM slate")[0]
            if first is None:
                break
            part = excess / (excess + keep.size)
            gone += self._delete("number <= ?", [first + int((last - first) * part)])
        return gone

    def used(self) -> int:
        """Returns the bytes of the file's pages that hold anything; free pages are filled again before it grows."""
        page, pages, free = (
            int(self.database.one(f"PRAGMA {name}")) for name in ("page_size", "page_count", "freelist_count")
        )
        return page * (pages - free)

    def clean(self, *, compact: bool) -> bool:
        """Empties the journal, after rewriting the file if `compact`; False while a reader keeps old pages."""
        return self.database.compact() if compact else self.database.flush()

    def close(self) -> None:
        """Closes the file; closing twice is harmless."""
        self.database.close()

    def _slates(self, where: str, *parameters: object) -> tuple[LoggedSlate, ...]:
        found = self.database.rows(f"SELECT {_READ} FROM slate WHERE {where}", parameters)
        return tuple([LoggedSlate(*row) for row in found])

    def _numbers(self, users: Sequence[int]) -> list[int]:
        chosen = [int(user) for user in users]  # numpy's integers would be bound as bytes, and match nothing
        return [
            number
            for (number,) in self.database.rows(f"SELECT number FROM slate WHERE user IN ({marks(chosen)})", chosen)
        ]

    def _delete(self, where: str, parameters: Sequence[object]) -> int:
        chosen = f"SELECT number FROM slate WHERE {where} LIMIT {DELETED_AT_ONCE}"
        gone = 0
        while True:
            with self.database.transaction() as cursor:
                deleted = cursor.execute(f"DELETE FROM slate WHERE number IN ({chosen})", parameters).rowcount
            gone += deleted
            if deleted < DELETED_AT_ONCE:
                return gone


def _row(slate: LoggedSlate, recorded: int) -> tuple[Any, ...]:
    return (
        recorded,
        slate.id,
        slate.user,
        slate.time,
        slate.surface,
        slate.variant,
        slate.model_version,
        slate.profile_version,
        slate.seed,
        len(slate),
        slate.packed,
    )


def _insertion(rows: int) -> str:
    each = f"({','.join('?' * _COLUMNS)})"
    return f"INSERT OR IGNORE INTO slate ({_WRITTEN}) VALUES {','.join([each] * rows)}"
