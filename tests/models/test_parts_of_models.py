"""Neighbours, decomposition, text, features and reasons, each against a plain definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets, Texts, Vectors
from mutua.models.decomposition import truncated_svd
from mutua.models.features import blocks_of, counted, encoded, item_features, rarity, unit_rows, weighted, widespread
from mutua.models.matrices import matrix_arrays, restore_matrix, transformed, views_matrix
from mutua.models.neighbours import NeighbourIndex
from mutua.models.reasons import OLDER, reasons_by_event, reasons_by_item
from mutua.models.text import tokens
from mutua.profiles.views import Evidence, Views


def random_matrix(rows: int, columns: int, seed: int, density: float = 0.3) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((rows, columns)) < density, rng.integers(1, 5, (rows, columns)), 0)
    return sparse.csr_matrix(dense.astype(np.float32))


@given(st.integers(1, 12), st.integers(1, 9), st.floats(0, 20), st.booleans(), st.integers(0, 2**31))
def test_nearest_is_the_shrunk_cosine_sorted(rows: int, n: int, shrink: float, itself: bool, seed: int) -> None:
    left = random_matrix(rows, 8, seed)
    dense = left.toarray().astype(np.float64)
    lengths = np.linalg.norm(dense, axis=1)
    below = np.outer(lengths, lengths) + shrink
    alike = np.divide(dense @ dense.T, below, out=np.zeros_like(below), where=below > 0)
    if not itself:
        np.fill_diagonal(alike, 0.0)
    found = NeighbourIndex.of(left).nearest(left, n, shrink, itself=itself)
    for row in range(rows):
        single = alike[row].astype(np.float32)
        order = [item for item in np.lexsort((np.arange(rows), -single)) if single[item] > 0][:n]
        assert found.indices[found.indptr[row] : found.indptr[row + 1]].tolist() == order
        assert found.data[found.indptr[row] : found.indptr[row + 1]] == pytest.approx(single[order], rel=1e-6)


@pytest.mark.parametrize("shape", [(30, 50), (900, 700)])
def test_truncated_svd_finds_a_low_rank_matrix(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    dense = rng.random((shape[0], 5)) @ np.diag([9.0, 5.0, 3.0, 2.0, 1.0]) @ rng.random((5, shape[1]))
    left, values, right = truncated_svd(sparse.csr_matrix(dense), 5, rng)
    assert np.allclose(left @ np.diag(values) @ right.T, dense, atol=1e-4 * dense.max())
    assert values == pytest.approx(np.linalg.svd(dense, compute_uv=False)[:5], rel=1e-4)
    assert np.allclose(right.T @ right, np.eye(5), atol=1e-4)


def test_truncated_svd_of_too_many_directions_returns_those_there_are() -> None:
    left, values, right = truncated_svd(sparse.csr_matrix(np.ones((4, 3))), 10, np.random.default_rng(0))
    assert left.shape == (4, 1)
    assert right.shape == (3, 1)
    assert values == pytest.approx([np.sqrt(12)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fresh WHOLE milk", ["fresh", "whole", "milk"]),
        ("有机牛奶", ["有机", "机牛", "牛奶"]),
        ("茶 tea茶叶2kg", ["茶", "tea", "茶叶", "2kg"]),
        ("ｆｕｌｌ－ｗｉｄｔｈ", ["full", "width"]),
        ("don't stop_me", ["don't", "stop", "me"]),
        ("  …!? ", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert list(tokens(text)) == expected


@given(st.text(max_size=40))
def test_tokens_of_any_text_are_not_empty(text: str) -> None:
    assert all(tokens_ and not tokens_.isspace() for tokens_ in tokens(text))


def test_tf_idf_agrees_with_scikit_learn() -> None:
    texts = ("milk milk bread", "bread tea", "tea leaf tea green", "")
    counts = counted(texts, widespread(texts))
    expected = TfidfTransformer(sublinear_tf=True, smooth_idf=True).fit_transform(counts).toarray()
    assert np.allclose(unit_rows(weighted(counts, rarity(counts))).toarray(), expected)


def test_features_of_items_are_unit_rows_of_what_is_known() -> None:
    table = AttributeTable(
        4,
        {
            "category": Labels(np.array([0, 0, 1, -1], np.int32), ("tea", "milk")),
            "title": Texts(("red tea", "green tea", "whole milk", "")),
            "price": Numbers(np.ones(4, np.float32)),
            "vector": Vectors(np.array([[1, 0], [0, 2], [0, 0], [0, 0]], np.float32)),
        },
    )
    features = item_features(table, 6)
    assert features.shape[0] == 6
    assert np.linalg.norm(features.toarray(), axis=1) == pytest.approx([1, 1, 1, 0, 0, 0])
    alike = (features @ features.T).toarray()
    assert alike[0, 1] > alike[0, 2] == 0


def test_another_catalogue_is_told_in_the_features_of_the_first() -> None:
    table = AttributeTable(
        3,
        {
            "category": Labels(np.array([0, 1, 1], np.int32), ("tea", "milk")),
            "tags": Sets(sparse.csr_matrix(np.array([[1, 0], [1, 1], [0, 1]], np.float32)), ("hot", "white")),
            "title": Texts(("red tea", "whole milk", "milk")),
            "vector": Vectors(np.eye(3, dtype=np.float32)),
        },
    )
    blocks, whole = blocks_of(table), item_features(table, 3)
    assert encoded(blocks, table).toarray() == pytest.approx(whole.toarray())
    one = AttributeTable(
        1,
        {
            "category": Labels(np.zeros(1, np.int32), ("milk",)),
            "tags": Sets(sparse.csr_matrix(np.ones((1, 3), np.float32)), ("white", "unheard", "hot")),
            "title": Texts(("Milk, whole",)),
            "vector": Vectors(np.array([[0, 2, 0]], np.float32)),
        },
    )
    assert encoded(blocks, one).toarray() == pytest.approx(whole[1].toarray())
    assert not encoded(blocks, AttributeTable(1, {"title": Numbers(np.ones(1, np.float32))})).nnz


def test_features_of_nothing_known_have_no_columns() -> None:
    assert item_features(AttributeTable(3), 3).shape == (3, 0)


def views_of(items: list[int], weights: list[float]) -> Views:
    count = len(items)
    return Views(
        start=np.array([0, count], np.int64),
        item=np.array(items, np.int32),
        weight=np.array(weights, np.float32),
        last=np.zeros(count, np.int64),
        count=np.ones(count, np.float32),
        now=np.zeros(1, np.int64),
        size=np.array([count], np.int32),
    )


def evidence_of(items: list[int], weights: list[float]) -> Evidence:
    numbers = np.arange(len(items), dtype=np.int64)
    return Evidence(numbers, np.array(items, np.int32), numbers.astype(np.int16), numbers, np.array(weights))


def test_reasons_by_event_share_an_items_rate_and_name_the_older_rest() -> None:
    views = views_of([7, 3], [5.0, 2.0])
    reasons = reasons_by_event(views, evidence_of([3, 7, 7], [2.0, 1.0, 1.5]), np.array([10.0, -1.0]))
    assert [(reason.item, reason.sequences, reason.amount, reason.label) for reason in reasons] == [
        (-1, (), 25.0, OLDER),
        (7, (2,), 15.0, ""),
        (7, (1,), 10.0, ""),
        (3, (0,), -2.0, ""),
    ]


def test_reasons_by_item_gather_its_events() -> None:
    reasons = reasons_by_item(views_of([7, 3], [2.5, 2.0]), evidence_of([3, 7, 7], [2, 1, 1.5]), np.array([1.0, 4.0]))
    assert [(reason.item, reason.sequences, reason.time) for reason in reasons] == [(3, (0,), 0), (7, (1, 2), 2)]


def test_rounding_of_weights_is_no_older_event() -> None:
    tenth = [0.1, 0.1, 0.1]
    reasons = reasons_by_event(views_of([1], [sum(tenth)]), evidence_of([1, 1, 1], tenth), np.array([1e6]))
    assert len(reasons) == 3


def test_views_beyond_the_items_are_left_out() -> None:
    assert views_matrix(views_of([4, 1, 9], [1, 2, 3]), 5).toarray().tolist() == [[0, 2, 0, 0, 1]]


def test_transforming_leaves_the_view_alone() -> None:
    views = views_of([4, 1, 2], [1, -2, 3])
    result = transformed(views_matrix(views, 5), "binary")
    assert result.toarray().tolist() == [[0, 0, 1, 0, 1]]
    assert views.item.tolist() == [4, 1, 2]
    assert views.weight.tolist() == [1, -2, 3]


def test_a_matrix_survives_being_taken_apart() -> None:
    matrix = random_matrix(5, 7, 1)
    assert (restore_matrix("rows", matrix_arrays("rows", matrix)) != matrix).nnz == 0
