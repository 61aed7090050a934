"""Migrations: from an empty file, from a stored old one, and never from a newer one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mutua.errors import StoreError, StoreVersion
from mutua.events.kinds import Interaction, ItemUpsert
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.schema import MIGRATIONS, kept_copy, prepare
from mutua.store.sqlite.store import SqliteStore

OLD = Path(__file__).parent / "files"
NEXT = (*MIGRATIONS, ("ALTER TABLE event ADD COLUMN later TEXT", "CREATE TABLE later (x INTEGER) STRICT"))


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_stored_old_file_opens_with_all_it_held(version: int, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shutil.copy(OLD / f"version-{version}.db", path)
    with SqliteStore.open(f"sqlite:///{path}", write=True) as store:
        assert store.log.last_sequence() == 4
        assert store.log.history(0).value.tolist() == [2.5, 4.0]
        assert store.names.users.outer(0) == "ann"
        assert store.identity.members(0) == (0, 1)
        assert store.catalog.items().labels("category") is not None
        assert store.quarantine.count() == 1
        assert store.log.append([Interaction(user="new", item="tea")], recorded=9).sequences == (5,)


def test_a_migration_keeps_the_data_and_a_backup(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(Database(Address(path), write=True)) as database:
        prepare(database, NEXT)
        assert database.one("PRAGMA user_version") == len(NEXT)
        assert database.one("SELECT count(*) FROM event WHERE later IS NULL") == 2
    copy = kept_copy(path, len(MIGRATIONS))
    with SqliteStore.open(f"sqlite:///{copy}") as before:
        assert before.log.last_sequence() == 2


def test_a_failed_migration_changes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path)
    broken = (*MIGRATIONS, ("CREATE TABLE later (x INTEGER) STRICT", "CREATE TABLE event (x)"))
    with closing(Database(Address(path), write=True)) as database:
        with pytest.raises(StoreError):
            prepare(database, broken)
        assert database.one("PRAGMA user_version") == len(MIGRATIONS)
        assert database.one("SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == 0


def test_a_reader_does_not_migrate(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(Database(Address(path), write=False)) as database, pytest.raises(StoreVersion, match="for writing"):
        prepare(database, NEXT)
    assert not kept_copy(path, len(MIGRATIONS)).exists()


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(Database(Address(path), write=True)) as database:
        prepare(database, NEXT)
    for write in (False, True):
        with pytest.raises(StoreVersion, match="install a newer Mutua"):
            SqliteStore.open(f"sqlite:///{path}", write=write)


@pytest.mark.parametrize("content", ["sqlite", "noise"])
@pytest.mark.parametrize("write", [False, True])
def test_a_strange_file_is_refused_and_left_alone(content: str, write: bool, tmp_path: Path) -> None:
    path = tmp_path / "strange.db"
    if content == "sqlite":
        with closing(sqlite3.connect(path)) as strange:
            strange.execute("CREATE TABLE diary (day TEXT)")
            strange.commit()
    else:
        path.write_bytes(b"dear diary, " * 1_000)
    before = path.read_bytes()
    with pytest.raises(StoreVersion):
        SqliteStore.open(f"sqlite:///{path}", write=write)
    assert path.read_bytes() == before


def test_reading_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="record something first"):
        SqliteStore.open(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def filled(folder: Path) -> Path:
    path = folder / "shop.db"
    with SqliteStore.open(f"sqlite:///{path}", write=True) as store:
        events = [Interaction(user="ann", item="milk", time=1), ItemUpsert(item="milk", attributes={"price": 2})]
        store.log.append(events, recorded=5)
    return path


def test_a_new_store_leaves_no_copies_of_steps_on_its_way(tmp_path: Path) -> None:
    filled(tmp_path)
    assert not list(tmp_path.glob("*.bak"))
