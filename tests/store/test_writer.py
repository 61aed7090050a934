"""One writer, many readers: the lock, and what a reader sees of another process's writing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutua.errors import StoreError, StoreLocked, UsageError
from mutua.events.kinds import Interaction
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.lock import holder, written_pid
from mutua.store.sqlite.store import SqliteStore

HOLDER = """
import sys
from mutua.store.sqlite.store import SqliteStore
with SqliteStore.open(sys.argv[1], write=True):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_refused_with_the_holder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked, match=f"process {other.pid}"):
            SqliteStore.open(url, write=True)
        assert holder(Address.of(url).lock) == other.pid
        SqliteStore.open(url).close()
        other.kill()
    with SqliteStore.open(url, write=True):
        assert holder(Address.of(url).lock) == os.getpid()
    assert holder(Address.of(url).lock) is None


def test_the_lock_of_a_dead_process_names_it_but_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "shop.db.lock"
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    lock.write_text(f"{gone.pid}\n")
    assert written_pid(lock) == gone.pid
    assert holder(lock) is None


def test_one_process_cannot_open_two_writers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(url, write=True), pytest.raises(StoreLocked, match=str(os.getpid())):
        SqliteStore.open(url, write=True)


def test_a_failed_opening_gives_the_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(b"noise " * 2_000)
    for _ in range(2):
        with pytest.raises(StoreError, match="restore"):
            SqliteStore.open(f"sqlite:///{path}", write=True)
    path.unlink()
    SqliteStore.open(f"sqlite:///{path}", write=True).close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    SqliteStore.open(url, write=True).close()
    with SqliteStore.open(url) as reader, pytest.raises(StoreError, match="write=True"):
        reader.log.append([Interaction(user="ann", item="milk")], recorded=1)


def test_readers_see_each_commit_and_its_names(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(url, write=True) as writer, SqliteStore.open(url) as reader:
        assert reader.log.last_sequence() == 0
        for number in range(3):
            writer.log.append([Interaction(user=f"u{number}", item="milk", type=f"t{number}")], recorded=1)
            assert reader.names.users.get(f"u{number}") == number
            assert len(reader.log.history(number)) == 1
            assert len(reader.log.interactions()) == number + 1
        assert reader.names.types.undeclared == ("t0", "t1", "t2")


def test_the_file_is_private(tmp_path: Path) -> None:
    with SqliteStore.open(f"sqlite:///{tmp_path}/shop.db", write=True) as store:
        store.log.append([Interaction(user="ann", item="milk")], recorded=1)
        modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0}, modes


@pytest.mark.parametrize("url", ["shop.db", "sqlite:///", "sqlite:///dir/", "postgres://x/y", "sqlite://shop.db"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///"):
        Address.of(url)


def test_urls_are_relative_with_three_slashes_and_absolute_with_four() -> None:
    assert Address.of("sqlite:///shop.db").file == Path("shop.db")
    assert Address.of("sqlite:////var/a b?.db").file == Path("/var/a b?.db")
    assert Address.of("sqlite:///:memory:").path is None


def test_a_strange_file_name_is_taken_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a b?mode=memory#%41.db"
    with SqliteStore.open(url, write=True) as store:
        store.log.append([Interaction(user="ann", item="milk")], recorded=1)
    assert (tmp_path / "a b?mode=memory#%41.db").stat().st_size > 0
    with SqliteStore.open(url) as store:
        assert store.log.last_sequence() == 1
