"""Keys: shown once, kept as hashes, found in constant time, gone when they are revoked."""

import json
import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import NotKnown, StoreError, StoreVersion, UsageError
from mutua.serving.security import key_file, keys
from mutua.serving.security.keys import LONGEST, KeyRing
from mutua.store.sqlite.address import Address


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.keys"


@pytest.fixture
def ring(path):
    return KeyRing.load(path)


def test_a_key_opens_what_it_was_made_for(ring):
    access = ring.check(ring.create("shop", ["read"], "the web shop"))
    assert (access.tenant, access.scopes) == ("shop", {"read"})
    assert access.may("read")
    assert not access.may("write")
    assert not access.may("admin")


def test_admin_includes_the_others_and_write_does_not_include_read(ring):
    assert ring.check(ring.create("shop", ["admin"])).scopes == {"read", "write", "admin"}
    assert not ring.check(ring.create("shop", ["write"])).may("read")


def test_bytes_and_text_are_the_same_key(ring):
    key = ring.create("shop", ["read"])
    assert ring.check(key) == ring.check(key.encode())


def test_the_file_holds_no_secret_and_is_its_owners_alone(ring, path):
    key = ring.create("shop", ["read"], "web")
    secret = key.removeprefix("mu_shop_")
    assert len(secret) == keys.SECRET_LENGTH
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["shop.keys"]


def test_no_representation_shows_a_secret(ring):
    secret = ring.create("shop", ["read"]).removeprefix("mu_shop_")
    assert secret not in repr(vars(ring))
    assert secret not in repr(ring.rows())


def test_two_files_hash_one_key_differently(tmp_path):
    rings = [KeyRing.load(tmp_path / name) for name in ("a.keys", "b.keys")]
    key = rings[0].create("shop", ["read"])
    rings[1].create("shop", ["read"])
    salts = {json.loads(ring.path.read_text())["salt"] for ring in rings}
    assert len(salts) == 2
    assert rings[1].check(key) is None


@pytest.mark.parametrize("wrong", ["", "mu_", "mu_shop_", "shop", "\x00", "\udc80", "m" * (LONGEST + 1), "ключ"])
def test_what_is_no_key_opens_nothing(ring, wrong):
    ring.create("shop", ["admin"])
    assert ring.check(wrong) is None


@given(st.data())
def test_a_key_altered_in_any_place_opens_nothing(tmp_path_factory, data):
    ring = KeyRing.load(tmp_path_factory.mktemp("keys") / "shop.keys")
    key = ring.create("shop", ["admin"])
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda one: one != key[place]))
    assert ring.check(key[:place] + other + key[place + 1 :]) is None
    assert ring.check(key[:place]) is None
    assert ring.check(key + other) is None


@given(st.binary(max_size=200))
def test_nothing_that_was_not_made_opens(tmp_path_factory, given_bytes):
    ring = KeyRing.load(tmp_path_factory.mktemp("keys") / "shop.keys")
    ring.create("shop", ["admin"])
    assert ring.check(given_bytes) is None


def test_the_tenant_is_that_of_the_key_whatever_the_file_says(ring, path):
    key = ring.create("acme", ["read"])
    path.write_text(path.read_text().replace('"tenant": "acme"', '"tenant": "rival"'))
    assert KeyRing.load(path).check(key) is None


def test_tenants_with_underscores_are_told_apart(ring):
    made = {tenant: ring.create(tenant, ["read"]) for tenant in ("a", "a_b", "a_b_c")}
    assert {tenant: ring.check(key).tenant for tenant, key in made.items()} == {tenant: tenant for tenant in made}


def test_a_revoked_key_opens_nothing_and_the_others_do(ring):
    kept, gone = ring.create("shop", ["read"]), ring.create("shop", ["read"], "old")
    row = ring.revoke(ring.check(gone).key_id)
    assert row.label == "old"
    assert ring.check(gone) is None
    assert ring.check(kept) is not None
    with pytest.raises(NotKnown, match="mutua keys list"):
        ring.revoke(row.id)


def test_another_process_s_change_counts_at_once_and_its_first_key_in_a_moment(ring, path, monkeypatch):
    moment = 0.0
    monkeypatch.setattr(keys, "monotonic", lambda: moment)
    other = KeyRing.load(path)
    assert not ring.guarded
    key = other.create("shop", ["read"])
    assert not ring.guarded
    moment = keys.LOOK_EVERY
    assert ring.guarded
    assert ring.check(key) is not None
    other.revoke(other.check(key).key_id)
    assert ring.check(key) is None


def test_a_lost_file_opens_nothing(ring, path):
    key = ring.create("shop", ["read"])
    path.unlink()
    assert ring.check(key) is None
    assert ring.guarded


def test_a_file_damaged_under_a_running_server_lets_nobody_in_until_it_is_whole_again(ring, path):
    key = ring.create("shop", ["read"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged"):
            ring.check(key)
    path.write_bytes(whole)
    assert ring.check(key) is not None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema": 1, "salt": "zz", "keys": []}',
        b'{"schema": 1, "salt": "00", "keys": []}',
        b'{"schema": 0, "salt": "00000000000000000000000000000000"}',
        b"\xff",
    ],
)
def test_a_damaged_file_is_refused(path, text):
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(StoreError):
        KeyRing.load(path)


def test_a_file_of_a_newer_version_is_refused_as_such(path):
    path.write_text('{"schema": 2, "new": true}')
    path.chmod(0o600)
    with pytest.raises(StoreVersion):
        KeyRing.load(path)


def test_a_file_that_others_may_write_is_refused(ring, path):
    ring.create("shop", ["read"])
    path.chmod(0o660)
    with pytest.raises(StoreError, match="chmod 600"):
        KeyRing.load(path)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "everything"]])
def test_unknown_scopes_are_refused(ring, path, scopes):
    with pytest.raises(UsageError):
        ring.create("shop", scopes)
    assert not path.exists()


@pytest.mark.parametrize("tenant", ["", "Shop", "../other", "a/b", "a b", "-a", "a" * 64, "é", "a\n"])
def test_tenants_that_are_no_names_are_refused(ring, tenant):
    with pytest.raises(UsageError):
        ring.create(tenant, ["read"])


@pytest.mark.parametrize("label", ["x" * 101, "two\nlines", "\x1b[31m"])
def test_labels_that_a_terminal_would_obey_are_refused(ring, label):
    with pytest.raises(UsageError):
        ring.create("shop", ["read"], label)


def test_a_folder_that_is_not_there_is_an_error_with_a_code(tmp_path):
    ring = KeyRing.load(tmp_path / "nowhere" / "shop.keys")
    with pytest.raises(StoreError):
        ring.create("shop", ["read"])


def test_a_write_that_fails_leaves_the_old_file(ring, path, monkeypatch):
    key = ring.create("shop", ["read"])

    def fails(descriptor):
        raise OSError(28, f"{os.strerror(28)} ({descriptor})")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(StoreError):
        ring.create("shop", ["read"])
    monkeypatch.undo()
    assert [one.name for one in path.parent.iterdir()] == ["shop.keys"]
    assert len(ring.rows()) == 1
    assert ring.check(key) is not None


def test_keys_made_at_the_same_time_are_all_kept(path):
    made = []

    def create():
        made.append(KeyRing.load(path).create("shop", ["read"]))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring = KeyRing.load(path)
    assert len(made) == 8
    assert all(ring.check(key) is not None for key in made)


def test_the_comparison_is_the_constant_time_one_for_known_and_unknown_keys(ring, monkeypatch):
    key, compared = ring.create("shop", ["read"]), []
    real = keys.hmac.compare_digest
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or real(a, b))
    ring.check(key)
    ring.check("mu_shop_" + "x" * 43)
    assert compared == [(32, 32), (32, 32)]


def test_keys_stand_beside_the_store():
    assert str(key_file.place(Address.of("sqlite:////var/shop.db"))) == "/var/shop.keys"
    with pytest.raises(UsageError):
        key_file.place(Address.of("sqlite:///:memory:"))
