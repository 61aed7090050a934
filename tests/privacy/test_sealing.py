"""Sealing: payloads are unreadable without the tenant's key, and for ever without the user's."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from mutua.errors import MissingExtra, StoreError, UsageError
from mutua.events.kinds import Interaction, ItemUpsert, UserUpsert
from mutua.store.sealing import cipher, seal, unseal
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import batch_of, events_of

KEY = bytes(range(32))
SECRET = "a very private remark"
EVENTS = (
    Interaction(id="1", user="ann", item="milk", time=1, text=SECRET),
    UserUpsert(id="2", user="ann", time=2, attributes={"remark": SECRET}),
    UserUpsert(id="3", user="bob", time=3, attributes={"remark": SECRET}),
)


@pytest.mark.parametrize("bulk", [False, True])
def test_payloads_of_users_are_not_on_disk_in_clear(bulk: bool, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(url, write=True, key=KEY) as store:
        if bulk:
            store.log.append_batch(batch_of(EVENTS, 5), recorded=5)
        else:
            store.log.append(EVENTS, recorded=5)
        store.log.append([ItemUpsert(id="4", item="milk", attributes={"category": "dairy-of-the-alps"})], recorded=6)
        assert events_of(store)[:3] == list(EVENTS)
        assert store.database.rows("SELECT sealed FROM event ORDER BY seq") == [(1,), (1,), (1,), (0,)]
    content = (tmp_path / "shop.db").read_bytes()
    assert SECRET.encode() not in content
    assert b"dairy-of-the-alps" in content
    with SqliteStore.open(url, key=KEY) as store:
        assert events_of(store)[:3] == list(EVENTS)


def test_without_the_key_clear_columns_serve_and_payloads_do_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(url, write=True, key=KEY) as store:
        store.log.append(EVENTS, recorded=5)
    for key in (None, bytes(32)):
        with SqliteStore.open(url, key=key) as store:
            assert len(store.log.history(0)) == 1
            with pytest.raises(StoreError, match="key"):
                events_of(store)


def test_each_user_has_a_key_and_each_payload_its_place(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(url, write=True, key=KEY) as store:
        store.log.append(EVENTS, recorded=5)
        assert store.database.one("SELECT count(*) FROM user_key") == 2
        with store.database.transaction() as cursor:
            cursor.execute("UPDATE event SET payload = (SELECT payload FROM event WHERE seq = 1) WHERE seq = 2")
        with pytest.raises(StoreError, match="does not open"):
            events_of(store)
        with store.database.transaction() as cursor:
            cursor.execute("DELETE FROM user_key WHERE user = 0")
        store.seals.forget()
        with pytest.raises(StoreError, match="key is gone"):
            events_of(store)


def test_a_key_made_in_a_refused_call_is_not_used(tmp_path: Path) -> None:
    with SqliteStore.open(f"sqlite:///{tmp_path}/shop.db", write=True, key=KEY) as store:
        with pytest.raises(Exception, match="user"):
            store.log.append([EVENTS[0], Interaction(user="b\x00", item="milk")], recorded=5)
        store.log.append(EVENTS, recorded=6)
        store.seals.forget()
        assert events_of(store) == list(EVENTS)


def test_altered_bytes_do_not_open() -> None:
    sealed = bytearray(seal(cipher(KEY), b"text", b"place"))
    assert unseal(cipher(KEY), bytes(sealed), b"place") == b"text"
    sealed[-1] ^= 1
    with pytest.raises(StoreError):
        unseal(cipher(KEY), bytes(sealed), b"place")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        cipher(b"short")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"mutua\[crypto\]"):
        cipher(KEY)
