"""Ranking metrics against trec_eval and by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mutua import metrics

CUTOFFS = (1, 3, 10)
TREC = {"recall": "recall", "precision": "P", "ndcg": "ndcg_cut", "map": "map_cut", "hr": "success"}


@st.composite
def rankings(draw: st.DrawFn) -> tuple[npt.NDArray[np.int32], list[list[int]]]:
    """Full rankings of up to 15 items for up to 6 users, and their relevant items."""
    size, users = draw(st.integers(2, 15)), draw(st.integers(1, 6))
    lists = [draw(st.permutations(range(size))) for _ in range(users)]
    relevant = [draw(st.lists(st.integers(0, size + 2), unique=True, max_size=8)) for _ in range(users)]
    return np.array(lists, np.int32), relevant


def placed(lists: npt.NDArray[np.int32], relevant: list[list[int]]) -> metrics.Placements:
    start = np.concatenate(([0], np.cumsum([len(items) for items in relevant]))).astype(np.int64)
    return metrics.place(lists, start, np.array([item for items in relevant for item in items], np.int32))


@given(rankings())
def test_agrees_with_trec_eval(case: tuple[npt.NDArray[np.int32], list[list[int]]]) -> None:
    lists, relevant = case
    placements = placed(lists, relevant)
    truth = {str(user): {str(item): 1 for item in items} for user, items in enumerate(relevant) if items}
    run = {str(user): {str(item): float(-place) for place, item in enumerate(row)} for user, row in enumerate(lists)}
    cuts = ",".join(map(str, CUTOFFS))
    measures = {f"{name}.{cuts}" for name in TREC.values()} | {"recip_rank"}
    found = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(run) if truth else {}
    for name, theirs in TREC.items():
        for k in CUTOFFS:
            ours = metrics.RANKING[name](placements, k)
            for user, items in enumerate(relevant):
                if items:
                    assert ours[user] == pytest.approx(found[str(user)][f"{theirs}_{k}"], abs=1e-9), (name, k)
                else:
                    assert np.isnan(ours[user])
    mrr = metrics.mrr(placements, lists.shape[1])
    for user, row in found.items():
        assert mrr[int(user)] == pytest.approx(row["recip_rank"], abs=1e-9)


@given(rankings())
def test_auc_agrees_with_scikit_learn(case: tuple[npt.NDArray[np.int32], list[list[int]]]) -> None:
    lists, relevant = case
    size = lists.shape[1]
    inside = [[item for item in items if item < size] for items in relevant]
    found = metrics.auc(placed(lists, inside), size)
    for user, items in enumerate(inside):
        if 0 < len(items) < size:
            labels = np.isin(lists[user], items)
            assert found[user] == pytest.approx(roc_auc_score(labels, -np.arange(size)))
        else:
            assert np.isnan(found[user])


@given(rankings(), st.integers(1, 12))
def test_laws(case: tuple[npt.NDArray[np.int32], list[list[int]]], k: int) -> None:
    placements = placed(*case)
    for name, metric in metrics.RANKING.items():
        values = metric(placements, k)
        assert np.array_equal(np.isnan(values), placements.relevant == 0), name
        assert np.all(np.nan_to_num(values) >= 0), name
        assert name == "dcg" or np.all(np.nan_to_num(values) <= 1 + 1e-12), name
    p, r = metrics.precision(placements, k), metrics.recall(placements, k)
    harmonic = np.divide(2 * p * r, p + r, out=np.zeros_like(p), where=p + r > 0)
    assert np.allclose(np.nan_to_num(metrics.f1(placements, k)), np.nan_to_num(harmonic))
    for grows in (metrics.recall, metrics.hr, metrics.dcg, metrics.mrr, metrics.map):
        assert np.all(np.nan_to_num(grows(placements, k + 1) - grows(placements, k)) >= -1e-12)


def test_by_hand() -> None:
    placements = metrics.Placements(np.array([0, 2, 2, 3]), np.array([1, 0, metrics.MISSED], np.int32))
    assert metrics.ndcg(placements, 1).tolist()[0] == 1.0
    assert metrics.accuracy(placements, 2, 10)[0] == 1.0
    assert metrics.accuracy(placements, 2, 10)[2] == pytest.approx(0.7)
    assert metrics.auc(placements, np.array([5, 5, 5]))[[0, 2]].tolist() == [1.0, 0.0]
    assert np.nanmean(metrics.mrr(placements, 5)) == 0.5


def test_short_lists_miss() -> None:
    lists = np.array([[4, -1, -1], [-1, -1, -1]], np.int32)
    placements = metrics.place(lists, np.array([0, 1, 2]), np.array([4, 0], np.int32))
    assert placements.rank.tolist() == [0, metrics.MISSED]
