"""Backups hold the slates that were served, restores those that fit, and damaged ones stop neither."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from mutua.errors import StoreFull, UsageError
from mutua.events.kinds import Interaction
from mutua.privacy.forgetting import forget_user
from mutua.store.slates import SlateLog
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.backup import back_up, restore
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.slates import logged


def filled(folder: Path) -> str:
    """A day of three events and two slates at record time 10, another at 20 with a new user and item."""
    url = f"sqlite:///{folder}/shop.db"
    with SqliteStore.open(url, write=True) as store, closing(SlateLog.open(store.address, write=True)) as log:
        store.log.append(
            [Interaction(user=user, item=f"of {user}", time=1) for user in ("u0", "u1", "u2")], recorded=10
        )
        log.append([logged("a", user=0), logged("nobody")], recorded=10)
        store.log.append([Interaction(user="u3", item="of u3", time=2)], recorded=20)
        log.append([logged("b", user=0), logged("c", user=3, items=4)], recorded=20)
    return url


def names(path: Path) -> list[str]:
    with closing(SlateLog.open(Address(path))) as log:
        return [slate.id for batch in log.read() for slate in batch]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("shop"))


def test_a_backup_and_what_is_restored_from_it_hold_the_slates(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        made = back_up(store, tmp_path / "copy.db")
    assert (made.slates, made.damaged) == (4, ())
    assert names(tmp_path / "copy.db") == ["a", "nobody", "b", "c"]
    assert (tmp_path / "copy.slates.db").stat().st_mode & 0o777 == 0o600
    assert restore(tmp_path / "copy.db", tmp_path / "again.db").slates == 4
    assert names(tmp_path / "again.db") == ["a", "nobody", "b", "c"]
    assert left(tmp_path) == ["again.db", "again.slates.db", "copy.db", "copy.slates.db"]
    with closing(SlateLog.open(Address(tmp_path / "again.db"), write=True)) as log:
        assert log.append([logged("d")], recorded=30) == 1


def test_until_drops_slates_recorded_later(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        back_up(store, tmp_path / "copy.db")
    assert restore(tmp_path / "copy.db", tmp_path / "again.db", until=15).slates == 2
    assert names(tmp_path / "again.db") == ["a", "nobody"]


def test_slates_of_names_that_are_not_restored_are_dropped(tmp_path: Path) -> None:
    url = filled(tmp_path)
    with closing(SlateLog.open(Address.of(url), write=True)) as log:
        log.append([logged("later user", user=3), logged("later item", user=0, items=4)], recorded=5)
    with SqliteStore.open(url) as store:
        back_up(store, tmp_path / "copy.db")
    restore(tmp_path / "copy.db", tmp_path / "again.db", until=15)
    assert names(tmp_path / "again.db") == ["a", "nobody"]


def test_a_backup_holds_no_slate_of_a_forgotten_or_unknown_user(tmp_path: Path) -> None:
    url = filled(tmp_path)
    with SqliteStore.open(url, write=True) as store:
        receipt = forget_user(store, "u0", now=30)
        with closing(SlateLog.open(store.address, write=True)) as log:
            log.append([logged("late", user=receipt.indices[0]), logged("strange", user=9)], recorded=40)
        back_up(store, tmp_path / "copy.db")
    assert names(tmp_path / "copy.db") == ["nobody", "c"]


def test_a_store_without_slates_is_copied_without(tmp_path: Path) -> None:
    with SqliteStore.open(f"sqlite:///{tmp_path}/shop.db", write=True) as store:
        store.log.append([Interaction(user="ann", item="milk")], recorded=1)
        assert back_up(store, tmp_path / "copy.db").slates == 0
    assert restore(tmp_path / "copy.db", tmp_path / "again.db", until=5).slates == 0
    assert left(tmp_path) == ["again.db", "copy.db"]


@pytest.mark.parametrize("pages", [range(2), range(2, 6)])
def test_damaged_slates_are_named_and_left_out(pages: range, tmp_path: Path) -> None:
    url = filled(tmp_path)
    path = Address.of(url).slates.file
    content = bytearray(path.read_bytes())
    for page in pages:
        content[page * 4_096 : page * 4_096 + 100] = b"\xee" * 100
    path.write_bytes(content)
    with SqliteStore.open(url) as store:
        made = back_up(store, tmp_path / "copy.db")
    assert (made.events, made.slates, made.damaged) == (4, 0, ("slates",))
    assert left(tmp_path) == ["copy.db"]
    path.rename(tmp_path / "copy.slates.db")
    assert restore(tmp_path / "copy.db", tmp_path / "again.db").damaged == ("slates",)
    assert [path.name for path in tmp_path.glob("again*")] == ["again.db"]
    assert list(tmp_path.glob(".*")) == []


def test_slates_at_the_target_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "copy.slates.db").write_text("mine")
    with SqliteStore.open(filled(tmp_path)) as store, pytest.raises(UsageError, match="slates do"):
        back_up(store, tmp_path / "copy.db")
    assert (tmp_path / "copy.slates.db").read_text() == "mine"


def test_a_failed_backup_leaves_no_slates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise StoreFull("no room", "room", "free space")

    monkeypatch.setattr("mutua.store.sqlite.backup.fit_slates", full)
    with SqliteStore.open(filled(tmp_path)) as store, pytest.raises(StoreFull):
        back_up(store, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("shop")] == []
