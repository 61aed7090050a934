"""What a log must not say."""

from hypothesis import given
from hypothesis import strategies as st

from mutua.serving.security.redact import HIDDEN, LONGEST, Pseudonyms, redacted, redacted_fields

NAMES = Pseudonyms(b"the server's secret")
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I"
KEY = f"mu_shop_{SECRET}"
around = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)


@given(around, around)
def test_no_key_passes_through_whatever_stands_around_it(before, after):
    assert SECRET not in redacted(f"{before} {KEY} {after}", NAMES)


@given(
    st.sampled_from(["Authorization", "authorization", "AUTHORIZATION", "Cookie", "X-API-Key"]),
    st.sampled_from([": ", "=", '": "', "', '"]),
)
def test_no_header_with_credentials_passes(name, between):
    for value in (f"Bearer {KEY}", "Basic dXNlcjpwYXNzd29yZA==", "opaque-value-of-some-kind"):
        found = redacted(f"headers {{'{name}{between}{value}'}} end", NAMES)
        assert value.split()[-1] not in found
        assert found.endswith("end")


def test_credentials_without_a_header_s_name():
    assert (
        redacted("sent Bearer abcdefghij and Basic dXNlcjpwdw==", NAMES) == f"sent Bearer {HIDDEN} and Basic {HIDDEN}"
    )


def test_ids_in_paths_become_pseudonyms_and_query_strings_go():
    name = NAMES.of("ann b")
    found = redacted('"GET /v1/users/ann%20b/recommendations?n=5&user=ann HTTP/1.1" 200', NAMES)
    assert found == f'"GET /v1/users/{name}/recommendations HTTP/1.1" 200'


def test_mail_addresses_go():
    assert redacted("user ann.b+x@example.co.uk asked", NAMES) == f"user {HIDDEN} asked"


def test_what_is_harmless_stays():
    for text in ("model 000007 in force", "route /v1/recommend took 3.2 ms", "why? because", "basic settings"):
        assert redacted(text, NAMES) == text


def test_endless_texts_are_cut_between_words():
    found = redacted(("word " * LONGEST) + KEY, NAMES)
    assert len(found) < LONGEST + 10
    assert found.endswith("word [cut]")


@given(st.text(st.sampled_from("/?@=. :mu_aB"), max_size=9_000))
def test_texts_made_to_be_slow_are_not(text):
    assert redacted(text, NAMES) is not None


def test_a_pseudonym_needs_the_secret():
    assert Pseudonyms(b"one").of("ann") != Pseudonyms(b"two").of("ann")
    assert Pseudonyms().of("ann") != Pseudonyms().of("ann")
    assert "secret" not in repr(NAMES)


@given(st.text())
def test_a_pseudonym_tells_nothing_of_the_id(person):
    name = NAMES.of(person)
    assert len(name) == 11
    assert len(person) < 3 or person not in name or set(person) <= set("~0123456789abcdef")


def test_fields_by_their_names():
    found = redacted_fields(
        {
            "user": "ann",
            "users": ["ann", "bob"],
            "Authorization": "x",
            "X-API-Key": "y",
            "key_id": "0a1b",
            "body": b"{}",
            "query_string": b"user=ann",
            "context": {"page": "home"},
            "nested": {"user": 7, "count": 2, "note": KEY},
            "n": 3,
            "ok": True,
            "none": None,
            "object": object(),
        },
        NAMES,
    )
    assert found == {
        "user": NAMES.of("ann"),
        "users": [NAMES.of("ann"), NAMES.of("bob")],
        "Authorization": HIDDEN,
        "X-API-Key": HIDDEN,
        "key_id": "0a1b",
        "body": HIDDEN,
        "query_string": HIDDEN,
        "context": HIDDEN,
        "nested": {"user": NAMES.of("7"), "count": 2, "note": HIDDEN},
        "n": 3,
        "ok": True,
        "none": None,
        "object": "[object]",
    }
