"""Checkpoints: an image and what came since are the log; one that does not match is refused; forgetting erases it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mutua import Settings
from mutua.events.kinds import IdentityLink, Interaction
from mutua.privacy.forgetting import forget_event, forget_user
from mutua.state import LiveState
from mutua.store import checkpoints
from mutua.store.sqlite.backup import back_up, restore
from mutua.store.sqlite.store import SqliteStore

NOW = 1_700_000_000_000_000
KILLED = """
import os, signal, sys
from mutua.core import arrays
from mutua.store import checkpoints
from mutua.store.sqlite.store import SqliteStore
written = arrays._write
def die(path, array):
    if path.stem == "item":
        os.kill(os.getpid(), signal.SIGKILL)
    return written(path, array)
arrays._write = die
with SqliteStore.open(sys.argv[1]) as store:
    checkpoints.write(store)
"""


def filled(folder: Path, count: int = 60, name: str = "shop") -> SqliteStore:
    store = SqliteStore.open(f"sqlite:///{folder / name}.db", write=True)
    store.log.append([bought(number) for number in range(count)], recorded=NOW)
    return store


def bought(number: int, **more: object) -> Interaction:
    kind = "purchase" if number % 3 else "view"
    said = {"id": f"e{number}", "user": f"u{number % 7}", "item": f"i{number % 11}", "type": kind, "time": NOW - number}
    return Interaction(**(said | more))


def warmed(store: SqliteStore) -> LiveState:
    state = LiveState(store, Settings(), NOW, fed=True)
    state.warm()
    return state


def same_as_the_log(store: SqliteStore) -> LiveState:
    """Asserts that a state of the checkpoint is one of the log, and returns it."""
    state = warmed(store)
    for user in range(len(store.names.users)):
        live, read = state.histories.get(user), store.log.history(user).bounded()
        for one, other in zip(live.columns, read.columns, strict=True):
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    fresh = LiveState(store, Settings(), NOW, fed=True)
    assert np.array_equal(state.shelving.popularity(), fresh.shelving.popularity())
    return state


def test_an_image_and_what_came_since_are_the_log(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        store.log.set_marks(np.array([5, 9]), 1)
        assert checkpoints.write(store)
        assert not checkpoints.write(store)
        store.log.append([bought(100), bought(101, user="new", item="other", time=NOW - 10_000)], recorded=NOW)
        found = checkpoints.read(store)
        assert found is not None
        assert (found.last, len(found.image["user"]), len(found.tail["user"])) == (60, 60, 2)
        assert same_as_the_log(store).checkpointed == 60


def test_one_merged_from_the_one_before_equals_one_of_the_whole_log(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        checkpoints.write(store)
        store.log.append([bought(200 + number) for number in range(20)], recorded=NOW)
        assert checkpoints.write(store)
        merged = checkpoints.read(store)
        checkpoints.erase(store.address)
        checkpoints.write(store)
        whole = checkpoints.read(store)
        assert merged is not None
        assert whole is not None
        assert all(
            np.array_equal(merged.image[name], whole.image[name], equal_nan=name == "value") for name in whole.image
        )
        assert len(list(store.address.checkpoint.iterdir())) == 1


def test_links_made_and_undone_after_it_count(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        store.log.append([IdentityLink(user="u1", other="u2", time=NOW)], recorded=NOW)
        checkpoints.write(store)
        same_as_the_log(store)
        store.log.append([IdentityLink(user="u1", other="u2", time=NOW + 1, undo=True)], recorded=NOW)
        same_as_the_log(store)


@pytest.mark.parametrize("change", ["damage", "marks", "event", "missing"])
def test_one_that_does_not_match_is_refused_with_a_note(
    tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    with filled(tmp_path) as store:
        checkpoints.write(store)
        (made,) = store.address.checkpoint.iterdir()
        if change == "damage":
            column = made / "item.npy"
            column.write_bytes(column.read_bytes()[:-1] + b"\x07")
        elif change == "marks":
            store.log.set_marks(np.array([3]), 1)
        elif change == "event":
            with store.database.transaction() as cursor:
                cursor.execute("UPDATE event SET id = 'another' WHERE seq = 60")
        else:
            (made / "manifest.json").unlink()
        with caplog.at_level(logging.WARNING):
            assert same_as_the_log(store).checkpointed == 0
        assert "refused" in caplog.text
        assert checkpoints.write(store)
        assert same_as_the_log(store).checkpointed == 60


def test_a_restored_store_that_went_another_way_takes_no_checkpoint_of_the_old(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        back_up(store, tmp_path / "copy.db")
        store.log.append([bought(number) for number in range(60, 80)], recorded=NOW)
        checkpoints.write(store)
        old = store.address.checkpoint
    restore(tmp_path / "copy.db", tmp_path / "again.db")
    old.rename(tmp_path / "again.checkpoint")
    with SqliteStore.open(f"sqlite:///{tmp_path / 'again.db'}", write=True) as store:
        assert checkpoints.read(store) is None
        store.log.append([bought(number, id=f"other-{number}") for number in range(60, 80)], recorded=NOW)
        assert checkpoints.read(store) is None
        same_as_the_log(store)


def test_forgetting_erases_it(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        for forget in (lambda: forget_user(store, "u3", now=NOW), lambda: forget_event(store, "e1", now=NOW)):
            checkpoints.write(store)
            assert store.address.checkpoint.exists()
            assert forget().complete
            assert not store.address.checkpoint.exists()
        index = 3
        checkpoints.write(store)
        found = checkpoints.read(store)
        assert found is not None
        assert index not in found.image["user"]
        same_as_the_log(store)


def test_one_made_while_somebody_was_forgotten_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(tmp_path) as store:
        saved = checkpoints.arrays.save

        def slow(*given: object) -> None:
            forget_user(store, "u3", now=NOW)
            store.address.checkpoint.mkdir(exist_ok=True)
            saved(*given)

        monkeypatch.setattr(checkpoints.arrays, "save", slow)
        checkpoints.write(store)
        assert not store.address.checkpoint.exists()


def test_its_process_writes_it_beside_a_writer(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        command = [sys.executable, "-m", "mutua.store.checkpoints", f"sqlite:///{tmp_path / 'shop.db'}"]
        subprocess.run(command, check=True)
        assert same_as_the_log(store).checkpointed == 60


def test_killed_while_one_is_written_the_one_before_counts(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        assert checkpoints.behind(store)
        checkpoints.write(store)
        assert not checkpoints.behind(store)
        store.log.append([bought(100)], recorded=NOW)
        command = [sys.executable, "-c", KILLED, f"sqlite:///{tmp_path / 'shop.db'}"]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert checkpoints.behind(store)
        assert same_as_the_log(store).checkpointed == 60
        checkpoints.write(store)
        assert same_as_the_log(store).checkpointed == 61


def test_a_store_in_memory_has_none() -> None:
    with SqliteStore.open("sqlite:///:memory:", write=True) as store:
        store.log.append([bought(1)], recorded=NOW)
        assert not checkpoints.behind(store)
        assert warmed(store).checkpointed == 0
