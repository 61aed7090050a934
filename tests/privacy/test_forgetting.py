"""Forgetting: every byte of the id is gone, the receipt says so and can be checked again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mutua.errors import NotKnown
from mutua.events.kinds import Consent, Edit, Event, Forget, IdentityLink, Impression, Interaction, UserUpsert
from mutua.privacy.forgetting import Receipt, forget_event, forget_user, purge_models, verify
from mutua.store.base import Rejected
from mutua.store.sqlite.schema import MIGRATIONS, kept_copy
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import events_of

ANN, PHONE, BOB = "ann-of-the-hill@example.org", "phone-5e3b77c1-of-ann", "bob-by-the-sea@example.org"
SECRET = "Ann's diary, page 12"


class Nothing:
    name = "nothing"

    def arrays(self) -> dict[str, object]:
        return {}

    def meta(self) -> dict[str, object]:
        return {}


@pytest.fixture(params=["clear", "sealed"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore]:
    key = bytes(range(32)) if request.param == "sealed" else None
    with SqliteStore.open(f"sqlite:///{tmp_path}/shop.db", write=True, key=key) as opened:
        opened.models.save(Nothing(), sequence=0)
        for number in range(30):
            opened.log.append(
                [
                    Interaction(id=f"{ANN}/{number}", user=ANN, item=f"i{number}", time=number, text=SECRET),
                    Interaction(id=f"bob/{number}", user=BOB, item=f"i{number}", time=number, session="s"),
                    Interaction(user=PHONE, item="milk", time=number),
                ],
                recorded=number,
            )
        opened.log.append(
            [
                UserUpsert(user=ANN, attributes={"diary": SECRET}),
                Impression(user=ANN, items=("milk",)),
                Edit(user=ANN, field="category:dairy", action="mute"),
                Consent(user=ANN, purpose="train", granted=True),
                IdentityLink(user=ANN, other=PHONE),
                IdentityLink(user=BOB, other=PHONE, time=1),
                IdentityLink(user=BOB, other=PHONE, time=2, undo=True),
            ],
            recorded=100,
        )
        opened.quarantine.put(
            [
                Rejected("a.csv", 1, "row.invalid", "too short", f"{ANN},milk"),
                Rejected("a.csv", 2, "row.invalid", f"came {PHONE!r}", "x"),
                Rejected("a.csv", 3, "row.invalid", "too short", f"not-{BOB},milk"),
            ]
        )
        opened.models.save(Nothing(), sequence=opened.log.last_sequence())
        yield opened


def bytes_on_disk(store: SqliteStore) -> bytes:
    files = [path for path in store.address.file.parent.glob("shop.db*") if not path.name.endswith("-shm")]
    assert len(files) >= 2
    return b"".join(path.read_bytes() for path in files)


def test_no_byte_of_a_person_is_left(store: SqliteStore) -> None:
    assert ANN.encode() in bytes_on_disk(store)
    receipt = forget_user(store, ANN, now=200)
    left = bytes_on_disk(store)
    for text in (ANN, PHONE, SECRET):
        assert text.encode() not in left
    assert BOB.encode() in left
    assert all(check.ok for check in receipt.checks), receipt.checks
    assert store.quarantine.count() == 1
    assert len(store.log.history(store.names.users.indices([BOB])[0])) == 30
    assert receipt.counts == {
        "links": 3,
        "attributes": 1,
        "events": 63,
        "keys": receipt.counts["keys"],
        "quarantine": 2,
        "names": 2,
        "slates": 0,
    }
    assert (receipt.counts["keys"] > 0) == store.seals.active


def test_forgetting_follows_links_from_either_side(store: SqliteStore) -> None:
    receipt = forget_user(store, PHONE, now=200)
    assert len(receipt.subjects) == 2
    assert store.names.users.get(ANN) is None
    assert store.names.users.get(PHONE) is None
    assert store.identity.members(1) == (1,)


def test_without_compacting_rows_are_still_overwritten(store: SqliteStore) -> None:
    receipt = forget_user(store, ANN, now=200, compact=False)
    assert receipt.checks[0].ok
    assert PHONE.encode() not in bytes_on_disk(store)


def test_sequences_are_never_used_twice(store: SqliteStore) -> None:
    last = store.log.append([Interaction(user="zoe-who-comes-last", item="milk")], recorded=150).last
    receipt = forget_user(store, "zoe-who-comes-last", now=200)
    assert receipt.sequences == (last + 1,)
    assert store.log.append([Interaction(user="zoe-who-comes-last", item="milk")], recorded=210).last == last + 2
    again = forget_user(store, "zoe-who-comes-last", now=200)
    assert again.sequences == (last + 3,)


def test_the_log_says_that_something_was_forgotten_not_what(store: SqliteStore) -> None:
    receipt = forget_user(store, ANN, now=200)
    forgets = [event for event in events_of(store, 50) if isinstance(event, Forget)]
    assert tuple(event.subject for event in forgets) == receipt.subjects
    assert {event.time for event in forgets} == {200}
    assert [event.erased for event in forgets] == [35, 30]
    text = msgspec.json.encode(receipt).decode()
    assert ANN not in text
    assert PHONE not in text
    assert msgspec.json.decode(text, type=Receipt) == receipt


def test_a_receipt_is_checked_again_and_fails_when_the_person_is_back(store: SqliteStore) -> None:
    receipt = forget_user(store, ANN, now=200)
    found = {check.name: check.ok for check in verify(store, receipt, outer=ANN)}
    well = {"logged": True, "unknown": True, "events": True, "slates": True, "models": False, "bytes on disk": True}
    assert found == well
    store.log.append([Interaction(user=ANN, item="milk")], recorded=300)
    found = {check.name: check.ok for check in verify(store, receipt, outer=ANN)}
    assert found == well | {"unknown": False, "bytes on disk": False}


def test_a_receipt_of_another_store_does_not_pass(store: SqliteStore, tmp_path: Path) -> None:
    receipt = forget_user(store, ANN, now=200)
    with SqliteStore.open(f"sqlite:///{tmp_path}/other.db", write=True) as other:
        assert not {check.name: check.ok for check in verify(other, receipt)}["logged"]


def test_models_are_named_until_the_next_learn_purges_them(store: SqliteStore) -> None:
    receipt = forget_user(store, ANN, now=200)
    assert receipt.models == ("000002",)
    assert not receipt.complete
    assert purge_models(store) == ("000001",), "the version in force serves until a new one is learned"
    store.models.save(Nothing(), sequence=store.log.last_sequence())
    assert purge_models(store) == ("000002",)
    assert all(check.ok for check in verify(store, receipt))


def test_one_event_is_forgotten_and_its_neighbours_stay(store: SqliteStore) -> None:
    receipt = forget_event(store, f"{ANN}/7", now=200)
    assert receipt.counts == {"events": 1, "quarantine": 0}
    assert f"{ANN}/7".encode() not in bytes_on_disk(store)
    assert len(store.log.history(store.names.users.indices([ANN])[0])) == 59
    assert {check.name: check.ok for check in verify(store, receipt)}["unknown"]
    with pytest.raises(NotKnown):
        forget_event(store, f"{ANN}/7", now=201)
    repeated: Event = Interaction(id=f"{ANN}/7", user=ANN, item="milk")
    store.log.append([repeated], recorded=300)  # type: ignore[list-item]
    assert not {check.name: check.ok for check in verify(store, receipt)}["unknown"]


def test_an_unknown_user_is_an_error_and_changes_nothing(store: SqliteStore) -> None:
    last = store.log.last_sequence()
    with pytest.raises(NotKnown, match="forgotten user is unknown"):
        forget_user(store, "nobody", now=200)
    assert store.log.last_sequence() == last


def test_a_reader_that_holds_old_pages_is_reported(store: SqliteStore) -> None:
    with SqliteStore.open(f"sqlite:///{store.address.file}") as reader, reader.database.reading():
        reader.log.last_sequence()
        store.database.rows("PRAGMA busy_timeout = 50")
        receipt = forget_user(store, ANN, now=200)
        assert not receipt.checks[0].ok
        assert "reader" in receipt.checks[0].what
    store.database.compact()
    assert {check.name: check.ok for check in verify(store, receipt, outer=ANN)}["bytes on disk"]


def test_other_processes_lose_the_name_too(store: SqliteStore) -> None:
    with SqliteStore.open(f"sqlite:///{store.address.file}") as reader:
        index = reader.names.users.get(ANN)
        assert index is not None
        forget_user(store, ANN, now=200)
        store.log.append([Interaction(user=ANN, item="milk")], recorded=300)
        assert reader.names.users.outer(index) is None
        assert reader.names.users.get(ANN) == store.names.users.get(ANN) == len(store.names.users) - 1
        assert len(reader.log.history(index)) == 0


def test_copies_made_before_migrations_are_named(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_copy(store.address.file, 1).write_bytes(ANN.encode())
    monkeypatch.setattr("mutua.privacy.forgetting.MIGRATIONS", (*MIGRATIONS, ()))
    assert forget_user(store, ANN, now=200).copies == ("shop.db.v1.bak",)
