"""Forgetting a user erases the slates that he was served, written or waiting, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mutua.errors import StoreVersion
from mutua.events.kinds import IdentityLink, Interaction
from mutua.privacy.forgetting import Receipt, forget_event, forget_user, verify
from mutua.store.buffering import SlateBuffer
from mutua.store.slates import SlateLog
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.slates import logged

ANN, PHONE, BOB = "ann-of-the-hill@example.org", "phone-5e3b77c1-of-ann", "bob-by-the-sea@example.org"
MARK = "a-surface-of-nobody-else"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(f"sqlite:///{tmp_path}/shop.db", write=True) as opened:
        events = [Interaction(id=f"{user}/1", user=user, item="milk", time=1) for user in (ANN, PHONE, BOB)]
        opened.log.append([*events, IdentityLink(user=ANN, other=PHONE)], recorded=2)
        yield opened


def serve(store: SqliteStore) -> None:
    """Two slates for each of Ann, her telephone and Bob, one for nobody."""
    users = store.names.users.indices([ANN, PHONE, BOB]).tolist()
    with closing(SlateLog.open(store.address, write=True)) as log:
        slates = [
            logged(f"{user}-{number}", user=user, surface="default" if user == users[2] else MARK)
            for user in users
            for number in range(2)
        ]
        log.append([*slates, logged("nobody's")], recorded=3)


def named(receipt: Receipt) -> dict[str, bool]:
    return {check.name: check.ok for check in receipt.checks}


def left(store: SqliteStore) -> list[str]:
    with closing(SlateLog.open(store.address)) as log:
        return [slate.id for batch in log.read() for slate in batch]


@pytest.mark.parametrize("compact", [True, False])
def test_no_slate_of_a_person_is_left(compact: bool, store: SqliteStore) -> None:
    serve(store)
    receipt = forget_user(store, ANN, now=200, compact=compact)
    assert receipt.counts["slates"] == 4
    assert all(named(receipt).values()), receipt.checks
    bob = store.names.users.indices([BOB])[0]
    assert left(store) == [f"{bob}-0", f"{bob}-1", "nobody's"]
    files = [store.address.slates.file, store.address.slates.journal]
    assert all(MARK.encode() not in path.read_bytes() for path in files if path.exists())
    assert all(check.ok for check in verify(store, receipt, outer=ANN))


def test_a_slate_that_comes_later_fails_the_receipt(store: SqliteStore) -> None:
    serve(store)
    receipt = forget_user(store, ANN, now=200)
    with closing(SlateLog.open(store.address, write=True)) as log:
        log.append([logged("late", user=receipt.indices[0])], recorded=300)
    found = {check.name: check for check in verify(store, receipt)}
    assert not found["slates"].ok
    assert found["slates"].what == "1 slates are left under the erased indices"
    with SqliteStore.open(f"sqlite:///{store.address.file}") as reader:
        assert not {check.name: check.ok for check in verify(reader, receipt)}["slates"]


@pytest.mark.parametrize("place", ["file", "memory"])
def test_slates_that_wait_in_a_buffer_are_erased_too(place: str, store: SqliteStore) -> None:
    ann, bob = store.names.users.indices([ANN, BOB]).tolist()
    log = SlateLog.open(store.address if place == "file" else Address(None), write=True)
    with closing(SlateBuffer(log, log, seconds=3_600)) as buffer:
        log.append([logged("written", user=ann)], recorded=3)
        buffer.put(logged("waiting", user=ann))
        buffer.put(logged("his", user=bob))
        receipt = forget_user(store, ANN, now=200, slates=buffer)
        assert receipt.counts["slates"] == 2
        assert all(named(receipt).values()), receipt.checks
        buffer.flush()
        assert buffer.get("waiting") is None
        assert buffer.get("written") is None
        assert buffer.get("his") is not None
        assert {check.name: check.ok for check in verify(store, receipt, slates=buffer)}["slates"]


def test_an_id_in_the_slates_file_is_found(store: SqliteStore) -> None:
    with closing(SlateLog.open(store.address, write=True)) as log:
        log.append([logged("x", surface=f"page of {ANN}")], recorded=3)
    receipt = forget_user(store, ANN, now=200)
    found = {check.name: check for check in receipt.checks}["bytes on disk"]
    assert not found.ok
    assert "shop.slates.db" in found.what


def test_slates_that_cannot_be_opened_leave_the_user_known(store: SqliteStore) -> None:
    store.address.slates.file.write_bytes(b"no database, " * 1_000)
    with pytest.raises(StoreVersion):
        forget_user(store, ANN, now=200)
    assert store.names.users.get(ANN) is not None


def test_a_reader_of_old_slates_is_reported(store: SqliteStore) -> None:
    serve(store)
    with closing(SlateLog.open(store.address)) as reader, closing(SlateLog.open(store.address, write=True)) as log:
        log.database.rows("PRAGMA busy_timeout = 50")
        with reader.database.reading():
            reader.get("nobody's")
            receipt = forget_user(store, ANN, now=200, slates=log)
    assert not named(receipt)["old bytes"]


def test_forgetting_an_event_leaves_slates_alone(store: SqliteStore) -> None:
    serve(store)
    receipt = forget_event(store, f"{ANN}/1", now=200)
    assert receipt.counts == {"events": 1, "quarantine": 0}
    assert "slates" not in named(receipt)
    assert len(left(store)) == 7
