"""Bounds of size and depth, on bodies made to break them."""

import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mutua.errors import InvalidField, TooLarge
from mutua.serving.security import limits
from mutua.serving.security.limits import (
    MEMBERS,
    MIB,
    RequestLimits,
    check_batch,
    check_body,
    check_declared,
    check_depth,
    nesting,
    unpacked,
)

SMALL = RequestLimits(body_bytes=100, unpacked_bytes=1_000, batch_events=3, depth=4)


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


texts = st.text(st.sampled_from('[]{}"\\/a\n\u2028é'), max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=30,
)


@given(documents, st.booleans(), st.sampled_from([None, 2]))
@example({"\\": ['\\"[', "\\\\"]}, True, None)
def test_the_depth_of_json_is_that_of_the_parsed_document(document, ascii_only, indent):
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    assert nesting(text) == depth_of(document)


@given(documents, st.integers(1, 7))
def test_the_depth_of_a_long_text_is_the_same_however_it_is_cut(document, chunk):
    text = json.dumps(document).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SHORT", 0)
        patch.setattr(limits, "CHUNK", chunk)
        assert nesting(text) == depth_of(document)


def test_a_long_text_of_strings_takes_little_memory():
    text = b'["",' * (2 * MIB)
    tracemalloc.start()
    try:
        assert nesting(text) == 2 * MIB
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=300))
def test_the_depth_of_anything_is_said_without_an_error(text):
    assert 0 <= nesting(text) <= len(text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'["\\"",' * 50_000 + b"1"])
def test_depth_beyond_any_parser_is_refused(text):
    with pytest.raises(TooLarge, match="32 levels"):
        check_depth(RequestLimits(), text)


def test_the_bound_of_depth_is_exact():
    check_depth(SMALL, b"[[[[]]]]" * 9)
    with pytest.raises(TooLarge):
        check_depth(SMALL, b"[[[[[]]]]]")


@given(st.binary(max_size=3_000), st.integers(1, 9))
def test_what_was_packed_comes_out_or_is_refused_by_its_size(body, level):
    packed = gzip.compress(body, level)
    if len(body) <= SMALL.unpacked_bytes:
        assert unpacked(SMALL, packed) == body
    else:
        with pytest.raises(TooLarge, match="1,000 bytes"):
            unpacked(SMALL, packed)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=MEMBERS + 4))
def test_a_body_in_parts_counts_as_a_whole(parts):
    packed = b"".join(map(gzip.compress, parts))
    if sum(map(len, parts)) <= SMALL.unpacked_bytes and len(parts) <= MEMBERS:
        assert unpacked(SMALL, packed) == b"".join(parts)
    else:
        with pytest.raises(TooLarge):
            unpacked(SMALL, packed)


@given(st.binary(max_size=300))
def test_what_is_not_gzip_has_a_code(body):
    with pytest.raises((InvalidField, TooLarge)):
        unpacked(SMALL, body)


@given(st.binary(min_size=1, max_size=900), st.data())
def test_a_body_cut_short_is_refused(body, data):
    packed = gzip.compress(body)
    with pytest.raises(InvalidField):
        unpacked(SMALL, packed[: data.draw(st.integers(0, len(packed) - 1))])


def test_a_damaged_sum_is_refused():
    packed = bytearray(gzip.compress(b"a body"))
    packed[-5] ^= 1
    with pytest.raises(InvalidField):
        unpacked(SMALL, bytes(packed))


def test_a_bomb_never_unfolds():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush()
    assert len(bomb) < MIB
    small = RequestLimits(unpacked_bytes=MIB)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="1 MiB"):
            unpacked(small, bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_millions_of_empty_parts_are_not_read():
    with pytest.raises(TooLarge, match="parts"):
        unpacked(RequestLimits(), gzip.compress(b"") * 100_000)


def test_the_bound_of_a_body_is_exact():
    check_body(SMALL, 100)
    with pytest.raises(TooLarge):
        check_body(SMALL, 101)


@pytest.mark.parametrize("declared", [b"", b"0", b"100", b"000000000000000000000000000100"])
def test_a_length_within_the_bound_passes(declared):
    check_declared(SMALL, declared)


@pytest.mark.parametrize("declared", [b"101", b"9" * 18, b"9" * 5_000])
def test_a_length_beyond_the_bound_is_refused_unread(declared):
    with pytest.raises(TooLarge):
        check_declared(SMALL, declared)


@pytest.mark.parametrize("declared", [b"-1", b"+5", b"1e3", b" 5", b"5_0", "٣".encode()])
def test_a_length_that_is_none_is_refused(declared):
    with pytest.raises(InvalidField):
        check_declared(SMALL, declared)


def test_the_bound_of_a_batch_is_exact():
    check_batch(SMALL, 3)
    with pytest.raises(TooLarge):
        check_batch(SMALL, 4)
