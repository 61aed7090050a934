"""Ids of rows: the same for the same content, whatever the chunks; repetitions are counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from mutua.events.columns import batch_frame
from mutua.events.kernels import siphash_texts, siphash_words
from mutua.events.rows import Ordinals, digested, row_ids
from mutua.events.texts import Texts

rows = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from([1.0, 2.5, None])), max_size=30)


def small() -> Ordinals:
    return Ordinals(bits=np.zeros(2**12, np.uint64))


def ids_of(table: list[tuple[str, str, float | None]], cuts: list[int], *, source: str = "file") -> list[str]:
    """Returns the ids of rows that come in pieces cut at these places."""
    ordinals, ids = small(), []
    places = sorted({0, len(table), *(cut % (len(table) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        user, item, value = zip(*table[start:end], strict=True)
        columns = {"user": pl.Series(user), "item": pl.Series(item), "value": pl.Series(value, dtype=pl.Float64)}
        frame = batch_frame(end - start, 0, source, {**columns, "time": pl.Series(range(end - start))})
        content = digested(frame, None).content
        ids += row_ids(content, ordinals(content)).to_list()
    return ids


def test_the_digest_is_siphash_as_published() -> None:
    """Vectors of SipHash-2-4-128 from the reference implementation: the messages b"" and bytes(range(8))."""
    key = np.frombuffer(bytes(range(16)), "<u8")
    data, out = np.frombuffer(bytes(range(8)), np.uint8), np.zeros((2, 2), np.uint64)
    siphash_texts(data, np.array([0, 0, 8]), key[0], key[1], out)
    assert out.astype("<u8").tobytes()[:16].hex() == "a3817f04ba25a8e66df67214c7550293"
    words = np.zeros((1, 2), np.uint64)
    siphash_words(data.view("<u8").reshape(1, 1).astype(np.uint64), key[0], key[1], words)
    assert words.tolist() == out[1:].tolist()
    three = np.zeros((1, 2), np.uint64)
    siphash_texts(data[:1], np.array([0, 1]), key[0], key[1], three)
    assert three.astype("<u8").tobytes().hex() == "da87c1d86b99af44347659119b22fc45"


def test_ids_are_the_same_on_every_machine() -> None:
    assert ids_of([("a", "x", 1.0), ("a", "x", 1.0)], []) == GOLDEN


@given(rows.filter(bool), st.lists(st.integers(0, 100), max_size=4))
def test_chunks_do_not_change_ids(table: list[tuple[str, str, float | None]], cuts: list[int]) -> None:
    assert ids_of(table, cuts) == ids_of(table, [])


@given(rows.filter(bool))
def test_ids_are_distinct_and_repetitions_are_counted(table: list[tuple[str, str, float | None]]) -> None:
    ids = ids_of(table, [])
    assert len(set(ids)) == len(table)
    assert all(len(one) == 32 for one in ids)
    assert set(ids) == set(ids_of(table[::-1], []))
    assert not set(ids) & set(ids_of(table, [], source="other"))


def test_overlapping_exports_share_their_rows() -> None:
    monday = [("a", "x", 1.0), ("a", "x", 1.0), ("b", "y", None)]
    tuesday = [("b", "y", None), ("b", "x", None)]
    assert set(ids_of(monday, [])) & set(ids_of(tuesday, [])) == {ids_of(monday, [])[2]}


def test_ordinals_count_exactly_as_the_table_grows() -> None:
    draws = np.random.default_rng(5)
    content = draws.integers(0, 2**63, (6_000, 2), dtype=np.uint64)[draws.integers(0, 2_000, 20_000)]
    ordinals = Ordinals(bits=np.zeros(2**15, np.uint64))
    counted = np.concatenate([ordinals(piece) for piece in np.array_split(content, 7)])
    seen: dict[tuple[int, int], int] = {}
    for digest, ordinal in zip(content.tolist(), counted.tolist(), strict=True):
        assert ordinal == seen.get(tuple(digest), 0)
        seen[tuple(digest)] = ordinal + 1


def test_fields_do_not_run_into_each_other() -> None:
    first = ids_of([("ab", "c", None)], [])
    assert first != ids_of([("a", "bc", None)], [])
    assert ids_of([("a", "b", None)], []) != ids_of([("b", "a", None)], [])
    assert ids_of([("a", "b", -0.0)], []) == ids_of([("a", "b", 0.0)], [])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.none(), min_size=1))
def test_ids_that_do_not_fit_are_found(texts: list[str | None]) -> None:
    unfit = Texts.of(pl.Series(texts, dtype=pl.String)).unfit_as_ids().tolist()
    control = [any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text or "") for text in texts]
    sized = [0 < len((text or "").encode()) <= 256 for text in texts]
    assert unfit == [bad or not fits for bad, fits in zip(control, sized, strict=True)]


GOLDEN = ["bf9f1814a4da204ff5e91a1cfe37ea3f", "4eaefee475890dff5628141c524d03ea"]
