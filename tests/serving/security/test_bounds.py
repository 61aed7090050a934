"""Where a server may listen without keys."""

import pytest

from mutua.errors import ConfigError, ForeignOrigin
from mutua.serving.security.bounds import check_bind, check_host, host_name, is_loopback
from mutua.serving.security.keys import KeyRing

NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "shop.example": ["192.0.2.7"],
    "both.example": ["127.0.0.1", "192.0.2.7"],
    "127.1": ["127.0.0.1"],
    "0": ["0.0.0.0"],
    "nothing.example": [],
}


def resolve(name):
    if name not in NAMES:
        raise OSError("unknown name")
    return NAMES[name]


@pytest.fixture
def ring(tmp_path):
    return KeyRing.load(tmp_path / "shop.keys")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.5.6.7", "::1", "[::1]", "localhost", "127.1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"]
)
def test_loopback_needs_no_key(ring, host):
    assert is_loopback(host, resolve)
    check_bind(host, ring, resolve=resolve)


PUBLIC = [
    "0.0.0.0",
    "::",
    "[::]",
    "",
    "192.0.2.7",
    "10.0.0.1",
    "::ffff:192.0.2.7",
    "::ffff:0.0.0.0",
    "2001:db8::1",
    "fe80::1%eth0",
    "shop.example",
    "both.example",
    "unknown.example",
    "nothing.example",
    "0",
    "a" * 300,
]


@pytest.mark.parametrize("host", PUBLIC)
def test_others_reach_no_server_without_keys(ring, host):
    with pytest.raises(ConfigError, match="mutua keys create") as caught:
        check_bind(host, ring, resolve=resolve)
    assert "--host 127.0.0.1" in caught.value.do
    assert caught.value.code == "config.invalid"


@pytest.mark.parametrize("host", PUBLIC)
def test_a_key_or_a_word_allows_it(ring, host):
    check_bind(host, ring, allow=True, resolve=resolve)
    ring.create("shop", ["read"])
    check_bind(host, ring, resolve=resolve)


def test_keys_that_are_all_revoked_are_none(ring):
    ring.revoke(ring.check(ring.create("shop", ["read"])).key_id)
    with pytest.raises(ConfigError):
        check_bind("0.0.0.0", ring, resolve=resolve)


def test_a_name_that_cannot_be_encoded_is_not_loopback():
    def refuses(name):
        raise UnicodeError(name)

    assert not is_loopback("\udc80", refuses)


@pytest.mark.parametrize("header", [b"localhost", b"LocalHost:8000", b"127.0.0.1:8000", b"[::1]:8000", b"shop.example"])
def test_own_names_are_answered(header):
    check_host(header, {"shop.example"})


@pytest.mark.parametrize(
    "header", [b"", b"evil.example", b"localhost.evil.example:8000", b"127.0.0.1.evil.example", b"[::2]"]
)
def test_a_name_pointed_here_by_others_is_refused(header):
    with pytest.raises(ForeignOrigin):
        check_host(header, {"shop.example"})


def test_the_name_in_a_host_header():
    assert [host_name(one) for one in (b"A:1", b"[::1]", b"[::1]:8", b"[broken")] == ["a", "[::1]", "[::1]", ""]
