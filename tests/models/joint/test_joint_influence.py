"""Influence against a dense reference, transitions against a plain count, scales, and what new items borrow."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mutua.catalog.table import AttributeTable, Labels, Sets
from mutua.core.clock import HOUR, MINUTE
from mutua.events.interactions import Interactions
from mutua.models.joint import cutting, kernels
from mutua.models.joint.cutting import influence, row_length
from mutua.models.joint.learner import Joint, last_moments, tag_rows, unit
from mutua.models.joint.overlay import LENDERS, nearest, overlaid
from mutua.models.joint.rows import Rows
from mutua.models.joint.spectral import low_pass, spectrum
from mutua.models.joint.transitions import Order, transitions
from mutua.models.joint.trend import popularity, tilt
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.testing.planted import planted

ALL = 10_000


def log_of(users: int, items: int, density: float, seed: int) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    dense = (rng.random((users, items)) < density) * rng.integers(1, 4, (users, items))
    dense[rng.integers(users), rng.integers(items)] = 1
    return sparse.csr_matrix(dense.astype(np.float32))


def reference(
    matrix: sparse.csr_matrix, alpha: float, beta: float, gamma: float, ridge: float, product: float, factors: int
) -> np.ndarray:
    """W as the docstring of `spectral` writes it, in float64."""
    dense = matrix.toarray().astype(np.float64)
    of_user, degree = np.maximum(dense.sum(1), 1e-9), np.maximum(dense.sum(0), 1.0)
    normal = of_user[:, None] ** -alpha * dense * degree**-beta
    _, values, right = np.linalg.svd(normal, full_matrices=False)
    share = values[:factors] ** 2 / values[0] ** 2
    kept = share > 1e-5
    damped = np.where(kept, share / np.where(kept, share + ridge, 1), 0)
    smooth = (right[:factors].T * damped) @ right[:factors]
    whole = smooth + product * normal.T @ normal / values[0] ** 2
    weights = (degree**-beta)[:, None] * whole * degree**gamma
    np.fill_diagonal(weights, 0)
    return weights


shapes = st.sampled_from([(30, 12), (9, 25), (40, 40), (6, 3)])
exponents = st.sampled_from([0.0, 0.2, 0.5, 1.0])
SETTINGS = {"max_examples": 15}


@settings(**SETTINGS)
@given(shapes, st.integers(0, 99), exponents, exponents, exponents, st.sampled_from([0.01, 0.3]), st.booleans())
def test_whole_rows_equal_the_dense_reference(
    shape: tuple[int, int], seed: int, alpha: float, beta: float, gamma: float, ridge: float, product: bool
) -> None:
    matrix = log_of(*shape, 0.3, seed)
    found = influence(spectrum(matrix, alpha, beta, 1024), ridge, float(product), gamma, ALL).matrix().toarray()
    expected = reference(matrix, alpha, beta, gamma, ridge, float(product), 1024)
    # Entries may cancel from numbers near 1, of which float32 keeps seven digits.
    assert np.abs(found - expected).max() <= 2e-5 * max(np.abs(expected).max(), 2e-2)


@settings(**SETTINGS)
@given(shapes, st.integers(0, 99), st.integers(1, 5), exponents)
def test_without_damping_the_first_directions_are_kept_whole(
    shape: tuple[int, int], seed: int, factors: int, beta: float
) -> None:
    """As a projection it does not depend on how eigenvectors of equal values are turned, but on where they are cut."""
    matrix = log_of(*shape, 0.4, seed)
    values = np.linalg.svd(matrix.toarray() / np.maximum(matrix.toarray().sum(0), 1) ** beta, compute_uv=False)
    if factors < len(values) and values[factors] > 0.98 * values[factors - 1]:
        return
    found = influence(spectrum(matrix, 0, beta, factors), 0, 0, 0, ALL).matrix().toarray()
    expected = reference(matrix, 0, beta, 0, 0, 0, factors)
    assert np.abs(found - expected).max() <= 1e-3 * max(np.abs(expected).max(), 1e-2)


def test_a_tag_stands_as_one_more_user_and_leaves_items_without_events_out() -> None:
    matrix = log_of(30, 12, 0.3, 2).toarray()
    matrix[:, 5] = 0
    tags = np.zeros((2, 12), np.float32)
    tags[0, [1, 5, 7]] = tags[1, [2, 3]] = 0.4
    found = spectrum(sparse.csr_matrix(matrix), 0.3, 0.3, 1024, tags=sparse.csr_matrix(tags))
    degree = np.maximum(matrix.sum(0), 1)
    whole = np.vstack((matrix, tags * np.sqrt(matrix.sum(0))))
    expected = np.maximum(whole.sum(1), 1e-9)[:, None] ** -0.3 * whole * degree**-0.3
    assert found.normal.toarray() == pytest.approx(expected, rel=1e-5)
    assert found.degree == pytest.approx(degree)
    assert not found.normal.toarray()[:, 5].any()


def test_tag_rows_hold_the_weight_of_every_tag_and_reach_all_items() -> None:
    sets = Sets(sparse.csr_matrix(np.array([[1, 1], [0, 1]], np.float32)), ("comedy", "drama"))
    items = AttributeTable(2, {"tags": sets, "kind": Labels(np.array([0, 0], np.int32), ("film",))})
    found = tag_rows(items, 3, 0.2)
    assert found is not None
    assert found.toarray() == pytest.approx(np.array([[0.2, 0, 0], [0.2, 0.2, 0]]))
    assert tag_rows(items, 3, 0.0) is None
    assert tag_rows(AttributeTable(2), 3, 0.2) is None


def test_undamped_directions_do_not_include_rounding() -> None:
    """Three users have three directions, whatever the number of factors: W is the projection on them."""
    matrix = log_of(3, 30, 0.5, 1)
    found = spectrum(matrix, 0.3, 0.3, 1024)
    assert found.vectors.shape[1] == 3
    twice = sparse.vstack([matrix] * 40).tocsr()
    assert spectrum(twice, 0.3, 0.3, 1024).vectors.shape[1] == 3


@settings(**SETTINGS)
@given(shapes, st.integers(0, 99), exponents, exponents, st.booleans())
def test_rows_of_pairs_had_together_are_the_positive_entries_of_such_pairs(
    shape: tuple[int, int], seed: int, beta: float, gamma: float, product: bool
) -> None:
    matrix = log_of(*shape, 0.2, seed)
    found = cutting._together(spectrum(matrix, 0.4, beta, 1024), 0.05, float(product), gamma, ALL).matrix().toarray()
    expected = reference(matrix, 0.4, beta, gamma, 0.05, float(product), 1024)
    together = (matrix.T @ matrix).toarray() > 0
    expected = np.where(together, np.maximum(expected, 0), 0)
    assert np.abs(found - expected).max() <= 2e-5 * max(expected.max(), 1e-3)


@pytest.mark.parametrize("path", [cutting._whole, cutting._together])
def test_a_cut_keeps_the_largest_entries_of_every_row(path) -> None:
    found = spectrum(log_of(60, 40, 0.2, 3), 0.4, 0.4, 1024)
    whole, cut = (path(found, 0.05, 1.0, 0.4, most).matrix().toarray() for most in (ALL, 7))
    for full, short in zip(np.abs(whole), np.abs(cut), strict=True):
        assert (short > 0).sum() == min(7, (full > 0).sum())
        assert np.array_equal(np.sort(short)[-7:], np.sort(full)[-7:])


def test_only_the_items_of_most_weight_take_part_in_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "DENSE_ITEMS", 10)
    matrix = log_of(50, 30, 0.2, 5)
    found = spectrum(matrix, 0.4, 0.4, 1024)
    rows = cutting._whole(found, 0.05, 1.0, 0.4, ALL).matrix().toarray()
    chosen = np.sort(np.lexsort((np.arange(30), -found.degree))[:10])
    assert set(np.flatnonzero(np.abs(rows).sum(0) + np.abs(rows).sum(1))) <= set(chosen)
    expected = reference(matrix, 0.4, 0.4, 0.4, 0.05, 1.0, 1024)
    assert rows[np.ix_(chosen, chosen)] == pytest.approx(expected[np.ix_(chosen, chosen)], abs=1e-5)


def test_large_sparse_catalogues_use_pairs_had_together() -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 300, 3000), rng.integers(0, 5000, 3000)
    matrix = sparse.csr_matrix((np.ones(3000, np.float32), cells), shape=(300, 5000))
    rows = influence(spectrum(matrix, 0.4, 0.4, 64), 0.05, 1.0, 0.4, 50)
    assert (rows.value > 0).all()
    together = sparse.csr_matrix(matrix.T @ matrix)
    assert together[np.repeat(np.arange(5000), np.diff(rows.start)), rows.item].min() > 0


def test_the_randomised_spectrum_is_close_to_the_exact_one() -> None:
    matrix = log_of(400, 300, 0.05, 7)
    exact, drawn = spectrum(matrix, 0.4, 0.4, 1024), spectrum(matrix, 0.4, 0.4, 40, seed=3)
    assert drawn.vectors.shape == (300, 40)
    assert drawn.values == pytest.approx(exact.values[:40], rel=0.05)
    assert np.array_equal(drawn.vectors, spectrum(matrix, 0.4, 0.4, 40, seed=3).vectors)
    assert drawn.vectors.T @ drawn.vectors == pytest.approx(np.eye(40), abs=1e-4)


def test_the_filter_damps_weak_directions() -> None:
    values = np.array([4.0, 2.0, 0.4], np.float32)
    assert low_pass(values, 0.0).tolist() == [1, 1, 1]
    assert low_pass(values, 0.5) == pytest.approx([1 / 1.5, 0.5, 0.1 / 0.6])


def test_small_catalogues_keep_longer_rows() -> None:
    assert row_length(50, 200) == 50
    assert row_length(10_000, 100) == 150
    assert row_length(10_000_000, 100) == 100


@settings(**SETTINGS)
@given(st.integers(0, 99), st.sampled_from([0.5, 3.0, 100.0]))
def test_unit_rows_give_the_best_item_one_on_average(seed: int, factor: float) -> None:
    data = planted(seed=seed, users=20)
    judged = last_moments(data.interactions, Encoder.of(data.interactions.type_weights, data.interactions.targets))
    rows = influence(spectrum(log_of(40, 48, 0.2, seed), 0.4, 0.4, 64), 0.05, 1.0, 0.4, 30).scaled(factor)
    scaled = unit(rows, judged, judged.weight)
    best = [float((w @ scaled.matrix()[i]).max()) for i, w in each(judged)]
    assert np.mean([value for value in best if value > 0]) == pytest.approx(1, rel=1e-4)
    assert scaled.value == pytest.approx(rows.value * scaled.value[0] / rows.value[0], rel=1e-4)


def each(views):
    for view in range(len(views)):
        part = slice(views.start[view], views.start[view + 1])
        yield views.item[part], views.weight[part]


def test_users_are_judged_at_their_own_newest_event() -> None:
    data = planted(users=30)
    log = data.interactions
    judged = last_moments(log, Encoder.of(log.type_weights, log.targets), judges=7)
    assert len(judged) == 7
    newest = {int(log.time[log.user == user].max()) for user in range(30)}
    assert set(judged.now.tolist()) <= newest


def test_rows_that_meet_nobody_stay_as_they_are() -> None:
    data = planted(users=5)
    judged = fold.views(data.interactions, Encoder.of(), data.now)
    rows = Rows.none(48)
    assert unit(rows, judged, judged.weight) is rows


def counted(rows: Interactions, order: Order, n_items: int) -> np.ndarray:
    """T before the cut as the docstring of `transitions` writes it, pair by pair."""
    counts, degree = np.zeros((n_items, n_items)), np.ones(n_items)
    trails = defaultdict(list)
    for user, item, time in zip(rows.user.tolist(), rows.item.tolist(), rows.time.tolist(), strict=True):
        degree[item] += 1
        met: list[int] = []
        for earlier, when in reversed(trails[user]):
            if time - when > order.gap or len(met) == order.reach:
                break
            if earlier != item and earlier not in met:
                counts[earlier, item] += order.fading ** len(met) * 2.0 ** ((when - time) / order.half_life)
                met.append(earlier)
        trails[user].append((item, time))
    both = counts + order.back * counts.T
    return degree[:, None] ** -order.source * both * degree**-order.target


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 40)), min_size=1, max_size=60),
    st.builds(
        Order,
        gap=st.sampled_from([3 * MINUTE, 10 * MINUTE, np.inf]),
        back=st.sampled_from([0.0, 0.5, 1.0]),
        source=exponents,
        target=exponents,
        reach=st.integers(1, 4),
        fading=st.sampled_from([0.5, 1.0]),
        half_life=st.sampled_from([MINUTE, np.inf]),
    ),
)
def test_transitions_equal_a_plain_count(cells: list[tuple[int, int, int]], order: Order) -> None:
    user, item, minute = np.array(cells).T
    rows = Interactions.of(user, item, minute * MINUTE, n_items=8).by_user()
    assert transitions(rows, 8, ALL, order).matrix().toarray() == pytest.approx(counted(rows, order, 8), rel=1e-5)


def test_transitions_grow_beyond_their_first_room() -> None:
    rng = np.random.default_rng(2)
    rows = Interactions.of(rng.integers(0, 5, 900), rng.integers(0, 40, 900), rng.integers(0, 9, 900) * HOUR).by_user()
    order = Order(gap=np.inf, back=0.0, source=0.0, target=0.0)
    assert transitions(rows, 40, ALL, order).matrix().toarray() == pytest.approx(counted(rows, order, 40), rel=1e-4)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_entries_are_found_where_they_stand(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    dense = (rng.random((size, size)) < 0.4) * rng.normal(size=(size, size))
    rows = Rows.of(sparse.csr_matrix(dense.astype(np.float32)))
    sources = rng.integers(0, size + 3, 9).astype(np.int32)
    target = int(rng.integers(size))
    expected = [np.float32(dense[s, target]) if s < size else 0.0 for s in sources]
    assert rows.values_to(sources, target).tolist() == expected
    assert np.array_equal(rows.row(target), dense[target].astype(np.float32))


def test_largest_entries_of_rows_are_marked_by_absolute_value() -> None:
    start, value = np.array([0, 4, 4, 6]), np.array([1.0, -5.0, 2.0, -3.0, 0.5, 9.0], np.float32)
    assert kernels.largest_entries(start, value, 2).tolist() == [False, True, False, True, True, True]


def test_a_new_item_borrows_row_and_column_from_items_like_it() -> None:
    """Item 3 is new and half like item 0, half like item 1."""
    dense = np.array([[0, 0.6, 0.2, 0], [0.4, 0, 0.8, 0], [0.1, 0.3, 0, 0], [0, 0, 0, 0]], np.float32)
    alike = sparse.csr_matrix(np.array([[0, 0, 0, 0]] * 3 + [[2, 2, 0, 0]], np.float32))
    found = overlaid(Rows.of(sparse.csr_matrix(dense)), alike, 16, 0.5).matrix().toarray()
    assert found[:3, :3] == pytest.approx(dense[:3, :3])
    assert found[3] == pytest.approx([0.5 * 0.4, 0.5 * 0.6, 0.5 * (0.2 + 0.8), 0])
    direct = dense.max(axis=1)
    borrowed = [0.5 * (0.5 * (dense[s, 0] + dense[s, 1]) + 0.5 * direct[s] * (s < 2)) for s in range(3)]
    assert found[:3, 3] == pytest.approx(borrowed)


@settings(**SETTINGS)
@given(st.integers(0, 999))
def test_neighbours_of_new_items_are_the_most_alike_with_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(20, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[4] = 0
    known = (rng.random(20) * (rng.random(20) < 0.6)).astype(np.float32)
    found = nearest(vectors, known, 3, block=4).toarray()
    assert LENDERS >= 20
    for item in range(20):
        if known[item] > 0 or item == 4:
            assert not found[item].any()
            continue
        alike = np.where((known > 0) & (np.arange(20) != 4), vectors @ vectors[item] + 1e-3 * known, 0)
        best = np.sort(np.maximum(alike, 0))[::-1][:3]
        assert np.sort(found[item])[::-1][:3] == pytest.approx(best, abs=1e-5)


def test_popularity_and_tilt_follow_what_is_bought_now() -> None:
    day = 24 * HOUR
    item = np.array([0] * 10 + [1] * 10 + [2])
    time = np.array([*range(10), *range(90, 100), 99]) * day
    rows = Interactions.of(np.zeros(21), item, time, n_items=4)
    assert popularity(rows, 4, 100 * day, np.inf) == pytest.approx([1, 1, 0.1, 0])
    fading = popularity(rows, 4, 100 * day, 10 * day)
    assert fading[1] == 1
    assert fading[0] < 0.01
    factor = tilt(rows, 4, 100 * day, 1.0)
    assert factor[1] > 1 > factor[0]
    assert factor[3] == 1
    assert tilt(rows, 4, 100 * day, 0.0).tolist() == [1, 1, 1, 1]


def test_a_new_item_like_a_popular_one_is_recommended_to_those_who_have_its_neighbours() -> None:
    data = planted(users=60, items=48)
    model = Joint(content=0.5).learn(data)
    scores = model.score(fold.views(data.interactions, model.encoder, data.now))
    new = scores[:, 44:48]
    assert (new.argmax(axis=1) == np.arange(60) % 4).mean() > 0.8
    without = Joint(content=0.0).learn(data)
    assert not without.score(fold.views(data.interactions, without.encoder, data.now))[:, 44:].any()
