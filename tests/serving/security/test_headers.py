"""Security headers as browsers read them."""

import pytest

from mutua.serving.security.headers import API, DOCS, SCRIPT


@pytest.mark.parametrize("headers", [API, DOCS, SCRIPT])
def test_every_answer_is_neither_sniffed_nor_framed_and_tells_no_address(headers):
    found = dict(headers)
    assert len(found) == len(headers)
    assert found[b"x-content-type-options"] == b"nosniff"
    assert found[b"referrer-policy"] == b"no-referrer"
    assert b"frame-ancestors 'none'" in found[b"content-security-policy"]
    assert all(name == name.lower() for name in found)


def test_answers_with_data_run_nothing_and_are_not_kept():
    found = dict(API)
    assert found[b"content-security-policy"].startswith(b"default-src 'none'")
    assert b"-src" not in found[b"content-security-policy"].replace(b"default-src", b"")
    assert found[b"cache-control"] == b"no-store"


def test_the_docs_load_from_this_server_alone():
    policy = dict(DOCS)[b"content-security-policy"]
    assert b"default-src 'none'" in policy
    assert b"http" not in policy
    assert b"*" not in policy


def test_only_the_script_is_for_other_sites():
    assert dict(SCRIPT)[b"cross-origin-resource-policy"] == b"cross-origin"
    assert dict(API)[b"cross-origin-resource-policy"] == b"same-origin"
