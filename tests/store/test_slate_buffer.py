"""The buffer before the log of slates: found at once, written soon, bounded, and never in the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from mutua.errors import StoreFull
from mutua.store.buffering import SlateBuffer
from mutua.store.logged import LoggedSlate
from mutua.store.slates import Retention, SlateLog
from mutua.store.sqlite.address import Address
from mutua.testing.slates import logged

LONG = 3_600.0
"""Seconds that no test lasts: nothing is written but when asked for, or when enough waits."""


class Watched(SlateLog):
    """A log that says when it was written to, and can be full."""

    full = False

    def append(self, slates: Sequence[LoggedSlate], *, recorded: int) -> int:
        self.sizes = [*getattr(self, "sizes", []), len(slates)]
        if self.full:
            raise StoreFull("no room", "room", "free space")
        return super().append(slates, recorded=recorded)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Watched]:
    with closing(Watched.open(Address(tmp_path / "shop.db"), write=True)) as opened:
        yield opened


def names(address: Address) -> list[str]:
    with closing(SlateLog.open(address)) as log:
        return [slate.id for batch in log.read() for slate in batch]


def until(reached: threading.Event) -> None:
    assert reached.wait(60)


@pytest.mark.parametrize("place", ["file", "memory"])
def test_a_slate_is_found_before_and_after_it_is_written(place: str, tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db" if place == "file" else None)
    with closing(SlateBuffer.open(address)) as buffer:
        assert buffer.put(logged("a1", time=7))
        found = buffer.get("a1")
        assert found is not None
        assert found.time == 7
        buffer.flush()
        assert buffer.waiting == 0
        assert buffer.written == 1
        found = buffer.get("a1")
        assert found is not None
        assert found.number == 1
        assert buffer.get("a2") is None


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db")
    buffer = SlateBuffer.open(address)
    for number in range(2_500):
        buffer.put(logged(f"s{number}"))
    buffer.close()
    buffer.close()
    assert names(address) == [f"s{number}" for number in range(2_500)]
    assert not buffer.put(logged("late"))
    assert buffer.dropped == 1


def test_enough_slates_are_written_without_waiting(log: Watched) -> None:
    written = threading.Event()
    log.database.rows("PRAGMA synchronous = OFF")
    original = log.append

    def append(slates: Sequence[LoggedSlate], *, recorded: int) -> int:
        new = original(slates, recorded=recorded)
        written.set()
        return new

    log.append = append  # type: ignore[method-assign]
    with closing(SlateBuffer(log, log, flushed_at=10, seconds=LONG)) as buffer:
        for number in range(9):
            buffer.put(logged(f"s{number}"))
        assert buffer.waiting == 9
        buffer.put(logged("s9"))
        until(written)
        assert buffer.get("s0") is not None


def test_the_clock_writes_what_is_few(log: Watched) -> None:
    written = threading.Event()

    def now() -> int:
        written.set()
        return 5

    with closing(SlateBuffer(log, log, seconds=0.001, now=now)) as buffer:
        buffer.put(logged("a1"))
        until(written)


def test_batches_are_bounded(log: Watched) -> None:
    with closing(SlateBuffer(log, log, flushed_at=10, seconds=LONG, capacity=25)) as buffer:
        for number in range(25):
            buffer.put(logged(f"s{number}"))
        buffer.flush()
        assert sum(log.sizes) == 25
        assert max(log.sizes) <= 10


def test_what_does_not_fit_is_dropped_and_counted(log: Watched) -> None:
    log.full = True
    with closing(SlateBuffer(log, log, capacity=3, seconds=LONG)) as buffer:
        assert [buffer.put(logged(f"s{number}")) for number in range(5)] == [True, True, True, False, False]
        assert (buffer.waiting, buffer.dropped, buffer.written) == (3, 2, 0)
        with pytest.raises(StoreFull):
            buffer.flush()
        assert buffer.get("s2") is not None
        assert buffer.get("s3") is None
        log.full = False
        assert buffer.flush() == 3
        assert buffer.put(logged("s5"))
    assert names(Address(log.database.address.file.with_name("shop.db"))) == ["s0", "s1", "s2", "s5"]


def test_a_failed_write_is_told_and_tried_again(log: Watched) -> None:
    tried = threading.Semaphore(0)

    def now() -> int:
        tried.release()
        return 5

    log.full = True
    with closing(SlateBuffer(log, log, seconds=0.001, now=now)) as buffer:
        buffer.put(logged("a1"))
        for _ in range(3):
            assert tried.acquire(timeout=60)
        assert "no room" in buffer.failure
        log.full = False
        buffer.flush()
        assert (buffer.waiting, buffer.written) == (0, 1)


def test_closing_a_full_log_tells_what_was_lost(log: Watched) -> None:
    log.full = True
    buffer = SlateBuffer(log, log, seconds=LONG)
    buffer.put(logged("a1"))
    with pytest.raises(StoreFull):
        buffer.close()
    assert (buffer.waiting, buffer.dropped) == (0, 1)


def test_users_are_erased_from_buffer_and_log(log: Watched) -> None:
    with closing(SlateBuffer(log, log, seconds=LONG)) as buffer:
        log.append([logged("a", user=1), logged("b", user=2)], recorded=5)
        buffer.put(logged("c", user=1))
        buffer.put(logged("d", user=3))
        assert buffer.of_users([1]) == 2
        assert buffer.erase_users([1]) == 2
        assert buffer.of_users([1]) == 0
        assert [buffer.get(name) is None for name in "abcd"] == [True, False, True, False]


def test_the_log_is_pruned_on_the_way(log: Watched) -> None:
    pruned = threading.Event()
    original = log.prune

    def prune(now: int, keep: Retention = Retention()) -> int:  # noqa: B008 - as the method
        gone = original(now, keep)
        pruned.set()
        return gone

    log.append([logged("old")], recorded=5)
    log.prune = prune  # type: ignore[method-assign]
    with closing(SlateBuffer(log, log, seconds=0.001, keep=Retention(age=10), now=lambda: 100)) as buffer:
        until(pruned)
        assert buffer.get("old") is None


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db")
    with closing(SlateBuffer.open(address)) as buffer:

        def serve(part: int) -> None:
            for number in range(2_000):
                buffer.put(logged(f"{part}/{number}", 1))
                assert buffer.get(f"{part}/{number // 2}") is not None

        threads = [threading.Thread(target=serve, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(names(address)) == sorted(f"{part}/{number}" for part in range(4) for number in range(2_000))
    assert buffer.dropped == 0
