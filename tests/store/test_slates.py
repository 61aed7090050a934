"""The log of slates: in order, by name, by time, for a limited time, in a file of its own."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from mutua.errors import StoreError, StoreFull, StoreLocked, StoreVersion, UsageError
from mutua.slates import Adjustment, Slate, SlateItem, new_id
from mutua.store.logged import ENTRY, LoggedSlate
from mutua.store.slate_schema import MIGRATIONS
from mutua.store.slates import DELETED_AT_ONCE, Retention, SlateLog
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.connection import Database
from mutua.testing.slates import logged

DAY = 86_400_000_000


@pytest.fixture(params=["file", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SlateLog]:
    address = Address(tmp_path / "shop.db" if request.param == "file" else None)
    with closing(SlateLog.open(address, write=True)) as opened:
        yield opened


def names(log: SlateLog, after: int = 0) -> list[str]:
    return [slate.id for batch in log.read(after) for slate in batch]


def test_what_is_logged_of_a_slate() -> None:
    entries = (
        SlateItem("milk", 2.5, propensity=0.25),
        SlateItem("tea", 1.5, (Adjustment("explore", 2), Adjustment("cap", 1)), 0.5),
        SlateItem("jam", -0.5, (Adjustment("diversity", -2),)),
    )
    slate = Slate("a1", "ann", entries, "home", "000003", 12, 99)
    made = LoggedSlate.of(slate, [5, 0, 7], user=3, variant="b", seed=-8)
    assert (made.id, made.user, made.time, made.surface, made.variant) == ("a1", 3, 99, "home", "b")
    assert (made.model_version, made.profile_version, made.seed, made.number) == ("000003", 12, -8, 0)
    assert len(made) == 3
    assert made.entries.dtype == ENTRY
    assert made.entries.tolist() == [(5, 0.25, 2.5, 0), (0, 0.5, 1.5, 1), (7, 1.0, -0.5, 0)]
    assert len(LoggedSlate.of(replace(slate, items=()), [])) == 0


def test_ids_rise_with_time_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for moment in (1, 1_700_000_000_000, 1_700_000_000_001, 7_258_118_400_000):
        monkeypatch.setattr("time.time_ns", lambda moment=moment: moment * 1_000_000)
        made.append([new_id() for _ in range(100)])
    assert all(len(set(ids)) == 100 and {len(name) for name in ids} == {24} for ids in made)
    assert all(max(before) < min(after) for before, after in pairwise(made))


FORKED = """
import os, sys
from mutua.slates import new_id
new_id()
child = os.fork()
sys.stdout.write(new_id()[12:] + "\\n")
sys.stdout.flush()
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_draws_ids_of_its_own() -> None:
    said = subprocess.run([sys.executable, "-c", FORKED], check=True, capture_output=True, text=True).stdout.split()
    assert len(said) == len(set(said)) == 2


def test_a_slate_that_cannot_be_written_is_refused_where_it_is_made() -> None:
    slate = Slate("a1", None, (SlateItem("milk", 1.0),))
    for items, user, seed in (([], 0, 0), ([1, 2], 0, 0), ([1 << 31], 0, 0), ([1], -2, 0), ([1], 1 << 31, 0)):
        with pytest.raises(UsageError):
            LoggedSlate.of(slate, items, user=user, seed=seed)
    with pytest.raises(UsageError):
        LoggedSlate.of(slate, [1], seed=1 << 63)
    with pytest.raises(UsageError):
        LoggedSlate("a1", 0, 0, bytes(14))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 37, 256, 1_000])
def test_slates_come_back_as_they_went_in_order(count: int, log: SlateLog) -> None:
    given = [logged(f"s{number}", number % 30, user=number - 1, time=number, variant="b") for number in range(count)]
    assert log.append(given, recorded=5) == count
    found = [slate for batch in log.read(size=100) for slate in batch]
    assert found == [replace(slate, number=number) for number, slate in enumerate(given, 1)]
    assert names(log, after=30) == [slate.id for slate in given[30:]]


def test_a_slate_is_found_by_its_name(log: SlateLog) -> None:
    log.append([logged("a1"), logged("a2", time=4)], recorded=5)
    assert log.get("a2") == replace(logged("a2", time=4), number=2)
    assert log.get("a3") is None


def test_a_repeated_name_changes_nothing(log: SlateLog) -> None:
    assert log.append([logged("a1"), logged("a2"), logged("a1", 1)], recorded=5) == 2
    assert log.append([logged("a2", 9), logged("a3")], recorded=6) == 1
    assert names(log) == ["a1", "a2", "a3"]
    assert len(log.get("a2") or ()) == 3


def test_between_is_in_the_order_of_time_and_half_open(log: SlateLog) -> None:
    times = [5, 3, 9, 3, 7, 3]
    log.append([logged(f"s{number}", time=time) for number, time in enumerate(times)], recorded=5)
    for size in (1, 2, 100):
        found = [slate.id for batch in log.between(3, 9, size=size) for slate in batch]
        assert found == ["s1", "s3", "s5", "s0", "s4"]
    assert list(log.between(10, 20)) == []


def test_the_slates_of_users_are_erased(log: SlateLog) -> None:
    count = DELETED_AT_ONCE + 10
    log.append([logged(f"a{number}", 1, user=4) for number in range(count)], recorded=5)
    log.append([logged("b", user=5), logged("c", user=6), logged("d")], recorded=5)
    assert log.of_users([4, 6]) == count + 1
    assert log.erase_users([4, 6]) == count + 1
    assert log.erase_users([4]) == log.erase_users([]) == log.of_users([4, 6]) == 0
    assert names(log) == ["b", "d"]


def test_erased_slates_are_overwritten(tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db")
    mark = b"\xa7\x11\x5c" * 13
    with closing(SlateLog.open(address, write=True)) as log:
        log.append([LoggedSlate("a", 4, 0, mark), logged("b")], recorded=5)
        log.clean(compact=False)
        assert mark in address.slates.file.read_bytes()
        log.erase_users([4])
        assert log.clean(compact=False)
        assert mark not in address.slates.file.read_bytes()
        assert not address.slates.journal.exists() or not address.slates.journal.read_bytes()


def test_numbers_are_never_used_twice(log: SlateLog) -> None:
    log.append([logged("a", user=4), logged("b", user=4)], recorded=5)
    log.erase_users([4])
    log.append([logged("c")], recorded=6)
    assert names(log, after=2) == ["c"]


def test_old_slates_are_pruned(log: SlateLog) -> None:
    for day in range(40):
        log.append([logged(f"d{day}", time=(99 - day) * DAY)], recorded=day * DAY)
    assert log.prune(39 * DAY) == 9
    assert names(log)[0] == "d9"
    assert log.prune(50 * DAY, Retention(age=DAY)) == 31
    assert log.prune(50 * DAY) == 0
    assert names(log) == []


def test_a_full_log_loses_the_oldest(log: SlateLog) -> None:
    log.append([logged(f"s{number}", 20) for number in range(20_000)], recorded=5)
    size = log.used() // 3
    gone = log.prune(6, Retention(size=size))
    assert 0.8 * size < log.used() <= size
    assert names(log) == [f"s{number}" for number in range(gone, 20_000)]
    before = log.used()
    log.append([logged(f"t{number}", 20) for number in range(1_000)], recorded=7)
    assert log.used() > before
    assert log.prune(8, Retention(size=0)) == 21_000 - gone
    assert log.prune(8, Retention(size=0)) == 0


def test_a_pruned_file_does_not_grow(tmp_path: Path) -> None:
    address, size = Address(tmp_path / "shop.db"), 400_000
    with closing(SlateLog.open(address, write=True)) as log:
        for part in range(12):
            log.append([logged(f"{part}/{number}", 20) for number in range(500)], recorded=part)
            log.prune(part, Retention(size=size))
        log.clean(compact=False)
    assert address.slates.file.stat().st_size < 2 * size


def test_the_file_stands_beside_the_store(tmp_path: Path) -> None:
    address = Address.of(f"sqlite:///{tmp_path}/shop.db")
    assert address.slates.file == tmp_path / "shop.slates.db"
    assert Address(None).slates.path is None
    with closing(SlateLog.open(address, write=True)) as log:
        assert log.database.one("PRAGMA journal_mode") == "wal"
        assert log.database.one("PRAGMA synchronous") == 1
        assert log.database.one("PRAGMA secure_delete") == 1
        assert log.database.one("PRAGMA user_version") == len(MIGRATIONS) == 1
    assert (tmp_path / "shop.slates.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["shop.slates.db"]


def test_a_reader_sees_what_another_wrote_and_writes_nothing(tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db")
    with pytest.raises(StoreError, match="record something first"):
        SlateLog.open(address)
    with closing(SlateLog.open(address, write=True)) as log, closing(SlateLog.open(address)) as reader:
        log.append([logged("a1")], recorded=5)
        assert names(reader) == ["a1"]
        with pytest.raises(StoreError, match="open for reading"):
            reader.append([logged("a2")], recorded=5)


def test_a_newer_version_is_refused_and_an_older_one_by_readers(tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db")
    address.slates.file.touch()
    with pytest.raises(StoreVersion, match="for writing"):
        SlateLog.open(address)
    with closing(SlateLog.open(address, write=True)) as log:
        log.database.rows(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    for write in (True, False):
        with pytest.raises(StoreVersion, match="newer Mutua"):
            SlateLog.open(address, write=write)


@pytest.mark.parametrize("write", [False, True])
def test_another_database_is_refused_and_left_alone(write: bool, tmp_path: Path) -> None:
    address = Address(tmp_path / "shop.db")
    with closing(sqlite3.connect(address.slates.file)) as strange:
        strange.execute("CREATE TABLE diary (day TEXT)")
        strange.commit()
    before = address.slates.file.read_bytes()
    with pytest.raises(StoreVersion, match="another kind"):
        SlateLog.open(address, write=write)
    assert address.slates.file.read_bytes() == before


def test_what_does_not_fit_is_not_written_in_part(tmp_path: Path) -> None:
    with closing(SlateLog.open(Address(tmp_path / "shop.db"), write=True)) as log:
        log.append([logged("a1")], recorded=5)
        log.database.rows(f"PRAGMA max_page_count = {log.database.one('PRAGMA page_count') + 2}")
        with pytest.raises(StoreFull):
            log.append([logged(f"b{number}", 20) for number in range(1_000)], recorded=6)
        assert names(log) == ["a1"]


def write_some(path: Path, part: int) -> None:
    """Opens the log and writes 20 batches, beside others who do the same."""
    with closing(SlateLog.open(Address(path), write=True)) as log:
        for batch in range(20):
            log.append([logged(f"{part}/{batch}/{number}") for number in range(50)], recorded=5)


def test_several_processes_make_and_write_one_log(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    fresh = multiprocessing.get_context("spawn")
    writers = [fresh.Process(target=write_some, args=(path, part)) for part in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    with closing(SlateLog.open(Address(path))) as log:
        assert np.unique(names(log)).size == 3_000


def test_a_new_file_that_another_is_opening_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, refusals = Database.rows, [2]

    def rows(self: Database, sql: str, *given: object) -> object:
        if "journal_mode" in sql and refusals[0]:
            refusals[0] -= 1
            raise StoreLocked("a file that another switches", "", "")
        return read(self, sql, *given)

    monkeypatch.setattr(Database, "rows", rows)
    with closing(Database(Address(tmp_path / "shop.slates.db"), write=True, alone=False)) as database:
        database.journal()
        assert refusals == [0]
        monkeypatch.undo()
        assert database.one("PRAGMA journal_mode") == "wal"
