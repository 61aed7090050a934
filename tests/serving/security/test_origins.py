"""Which other sites' pages may call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import ConfigError, ForeignOrigin
from mutua.serving.security.origins import Origins, check_origin

SHOP = b"https://shop.example"
ORIGINS = Origins(["https://shop.example", "http://localhost:3000"])


def test_a_trusted_origin_may_read_the_answer():
    decision = ORIGINS.decide(SHOP, "GET", b"")
    assert decision.status is None
    assert dict(decision.headers)[b"access-control-allow-origin"] == SHOP
    assert (b"vary", b"Origin") in decision.headers


def test_a_preflight_is_answered_with_what_is_allowed():
    decision = ORIGINS.decide(SHOP, "OPTIONS", b"POST")
    found = dict(decision.headers)
    assert decision.status == 204
    assert found[b"access-control-allow-origin"] == SHOP
    assert b"POST" in found[b"access-control-allow-methods"]
    assert b"authorization" in found[b"access-control-allow-headers"]


def test_cookies_are_never_asked_for():
    for method, requested in (("OPTIONS", b"POST"), ("GET", b"")):
        assert b"access-control-allow-credentials" not in dict(ORIGINS.decide(SHOP, method, requested).headers)


FOREIGN = [
    b"https://evil.example",
    b"https://shop.example.evil.example",
    b"https://evilshop.example",
    b"http://shop.example",
    b"https://shop.example:8443",
    b"https://SHOP.example",
    b"https://shop.example/",
    b"null",
    b"*",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_any_other_origin_gets_no_leave(origin):
    preflight, plain = ORIGINS.decide(origin, "OPTIONS", b"POST"), ORIGINS.decide(origin, "GET", b"")
    assert (preflight.status, plain.status) == (403, None)
    for decision in (preflight, plain):
        assert decision.headers == ((b"vary", b"Origin"),)


@given(st.binary(max_size=40))
def test_nothing_but_the_list_is_trusted(origin):
    assert ORIGINS.trusts(origin) == (origin in {SHOP, b"http://localhost:3000"})


def test_without_a_list_nothing_is_added():
    assert Origins().decide(SHOP, "GET", b"").headers == ()
    assert Origins().decide(SHOP, "OPTIONS", b"GET").status == 403


def test_a_request_without_an_origin_goes_on():
    assert ORIGINS.decide(b"", "OPTIONS", b"POST").status is None
    assert ORIGINS.decide(SHOP, "OPTIONS", b"").status is None


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "shop.example",
        "https://",
        "https://shop.example/",
        "https://shop.example/path",
        "https://Shop.example",
        "https://*.example",
        "https://shop.example:443",
        "http://shop.example:80",
        "ftp://shop.example",
        "https://shop.example\n",
        "https://a@shop.example",
    ],
)
def test_what_no_browser_sends_is_refused_in_the_settings(origin):
    with pytest.raises(ConfigError, match="as a browser sends them"):
        Origins([origin])


@pytest.mark.parametrize("origin", ["http://localhost", "http://[::1]:3000", "http://shop.example:8080", "https://a"])
def test_what_a_browser_sends_is_accepted(origin):
    assert Origins([origin]).trusts(origin.encode())


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (b"", b"localhost:8000"),
        (SHOP, b"localhost:8000"),
        (b"http://localhost:8000", b"localhost:8000"),
        (b"http://127.0.0.1:8000", b"localhost:8000"),
        (b"http://[::1]:8000", b"127.0.0.1:8000"),
        (b"https://api.example", b"api.example"),
        (b"http://localhost", b"localhost"),
    ],
)
def test_pages_of_this_server_and_trusted_ones_may_write(origin, host):
    check_origin(ORIGINS, origin, host, "POST")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT"])
@pytest.mark.parametrize(
    "origin",
    [b"https://evil.example", b"null", b"http://localhost:9000", b"http://localhost", b"file://localhost:8000"],
)
def test_other_pages_may_not_write_to_a_server_without_keys(origin, method):
    with pytest.raises(ForeignOrigin):
        check_origin(ORIGINS, origin, b"localhost:8000", method)


def test_other_pages_may_send_what_only_reads():
    check_origin(ORIGINS, b"https://evil.example", b"localhost:8000", "GET")
