"""From a header to what may be done."""

import pytest

from mutua.errors import InvalidKey, MissingKey, MissingScope
from mutua.serving.security.access import authorised, bearer, open_access
from mutua.serving.security.keys import KeyRing

EVERYONE = open_access("shop")


@pytest.fixture
def ring(tmp_path):
    return KeyRing.load(tmp_path / "shop.keys")


@pytest.mark.parametrize(
    ("header", "key"),
    [(b"Bearer k", b"k"), (b"BEARER  k ", b"k"), (b"Bearer", b""), (b"Bearerk", b""), (b"Basic k", b""), (b"", b"")],
)
def test_the_key_of_a_header(header, key):
    assert bearer(header) == key


def test_a_server_without_keys_asks_for_none(ring):
    assert authorised(ring, b"", "admin", EVERYONE) is EVERYONE
    assert EVERYONE.may("admin")


def test_a_wrong_key_is_refused_even_where_none_is_asked_for(ring):
    with pytest.raises(InvalidKey):
        authorised(ring, b"Bearer mu_shop_x", "read", EVERYONE)


def test_once_there_is_a_key_everyone_needs_one(ring):
    key = ring.create("shop", ["read"]).encode()
    assert authorised(ring, b"Bearer " + key, "read", EVERYONE).tenant == "shop"
    for header in (b"", b"Basic " + key, b"Bearer "):
        with pytest.raises(MissingKey):
            authorised(ring, header, "read", EVERYONE)


def test_a_key_does_only_what_it_may_and_the_error_names_no_secret(ring):
    key = ring.create("shop", ["write"])
    with pytest.raises(MissingScope, match="which may write") as caught:
        authorised(ring, b"Bearer " + key.encode(), "read", EVERYONE)
    assert key not in str(caught.value)
    with pytest.raises(InvalidKey) as refused:
        authorised(ring, b"Bearer " + key.encode() + b"x", "read", EVERYONE)
    assert key not in str(refused.value)


def test_the_last_key_revoked_does_not_open_a_running_server(ring):
    ring.revoke(ring.check(ring.create("shop", ["read"])).key_id)
    with pytest.raises(MissingKey):
        authorised(ring, b"", "read", EVERYONE)
