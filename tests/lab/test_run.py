"""Whole runs on planted files: the document of every protocol, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mutua.errors import MutuaError, NotEnoughData, UnknownPart, UnreadableFile, UsageError
from mutua.lab import plots, tables
from mutua.lab.dataset import load
from mutua.lab.document import Document
from mutua.lab.protocols import Options, prepare
from mutua.lab.run import run

MODELS = ("popularity", "item-knn:neighbours=20")
START = 1_600_000_000


def rows_of(users: int = 40, seed: int = 0) -> list[tuple[int, int, int]]:
    """Two tastes; everyone's items come in the order of time, some users only late."""
    draws = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        joined = 0 if user % 4 else 600
        times = np.sort(draws.choice(np.arange(joined, 1_000), 14, replace=False))
        items = draws.choice(30, 14, replace=False) * 2 + user % 2
        rows += list(zip([user] * 14, items.tolist(), times.tolist(), strict=True))
    return sorted(rows, key=lambda row: row[2])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "log.csv"
    lines = [
        f"u{user},i{item},{'view' if time % 3 else 'purchase'},{START + 3_600 * time}" for user, item, time in rows_of()
    ]
    path.write_text("user,item,event,timestamp\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lists")
    by_user: dict[int, list[int]] = {}
    for user, item, _ in rows_of():
        by_user.setdefault(user, []).append(item)
    for name, part in (("train", slice(None, 10)), ("test", slice(10, None))):
        lines = [f"{user} {' '.join(map(str, items[part]))}" for user, items in by_user.items()]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return folder


def options(protocol: str, path: Path, **more: Any) -> Options:
    return Options(protocol, path, **({"models": MODELS, "cutoffs": (5, 10), "budget": 0.0} | more))


def complete(document: Document) -> dict[str, Any]:
    """The document as its reader sees it, checked for its promised form."""
    read: dict[str, Any] = json.loads(document.json())
    assert set(read) >= {"results", "data", "environment"}
    for result in read["results"].values():
        assert {"metrics", "fit_seconds", "score_seconds", "peak_mib"} <= set(result)
        assert result["peak_mib"] > 10
        assert result["fit_seconds"] > 0
        assert result["score_seconds"] > 0
        for figure in result["metrics"].values():
            assert set(figure) == {"value", "low", "high"}
            assert figure["low"] <= figure["value"] + 1e-12
            assert figure["value"] <= figure["high"] + 1e-12
    return read


@pytest.mark.parametrize("protocol", ["lightgcn", "leave-one-out", "holdout", "by-user"])
def test_documents_of_the_ranking_protocols(protocol: str, log: Path, lists: Path) -> None:
    read = complete(run(options(protocol, lists if protocol == "lightgcn" else log)))
    assert tuple(read["results"]) == MODELS
    for k in (5, 10):
        for name in ("recall", "precision", "f1", "hr", "ndcg", "dcg", "mrr", "map", "accuracy", "coverage", "gini"):
            assert f"{name}@{k}" in read["results"]["popularity"]["metrics"]
    assert read["data"]["exclude_seen"] is True
    assert read["data"]["protocol"] == protocol
    assert {test["metric"] for test in read["comparisons"]} == {"recall@10", "ndcg@10"}
    assert read["environment"]["mutua"]


def test_lightgcn_masks_train_and_asks_for_the_test_file(lists: Path) -> None:
    task = prepare(options("lightgcn", lists))
    assert len(task.split.train) == 400
    assert len(task.split.test) == 160
    read = complete(run(options("lightgcn", lists, models=("item-knn",))))
    assert read["data"]["test_users"] == 40
    assert read["data"]["has_time"] is False


def test_recall_agrees_with_a_plain_count(lists: Path) -> None:
    """Popularity by hand: count in train, leave out what the user had, take ten, count hits."""
    read = complete(run(options("lightgcn", lists, models=("popularity",))))
    train, test = ({}, {})
    for part, name in ((train, "train"), (test, "test")):
        for line in (lists / f"{name}.txt").read_text().splitlines():
            user, *items = line.split()
            part[user] = items
    first = list(dict.fromkeys(item for part in (train, test) for items in part.values() for item in items))
    count = {item: sum(item in items for items in train.values()) for item in first}
    order = sorted(first, key=lambda item: (-count[item], first.index(item)))
    recalls, gains = [], []
    for user, wanted in test.items():
        shown = [item for item in order if item not in train[user]][:10]
        recalls.append(sum(item in wanted for item in shown) / len(wanted))
        dcg = sum(1 / math.log2(place + 2) for place, item in enumerate(shown) if item in wanted)
        gains.append(dcg / sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted)))))
    metrics = read["results"]["popularity"]["metrics"]
    assert metrics["recall@10"]["value"] == pytest.approx(np.mean(recalls))
    assert metrics["ndcg@10"]["value"] == pytest.approx(np.mean(gains))


def test_replay_has_a_curve_of_delays_and_groups(log: Path) -> None:
    document = run(options("replay", log, fraction=0.5, models=("item-knn",)))
    read = complete(document)
    points = read["results"]["item-knn"]["freshness"]
    assert {point["delay"] for point in points} == {
        "0 seconds",
        "1 minute",
        "1 hour",
        "1 day",
        "frozen",
        "popularity",
        "live popularity",
    }
    assert {point["group"] for point in points} == {"all", "new"} | {
        point["group"] for point in points if point["group"] == "warm"
    }
    live = next(point for point in points if point["delay"] == "0 seconds" and point["group"] == "all")
    assert live["metrics"]["hr@10"] == read["results"]["item-knn"]["metrics"]["hr@10"]
    assert read["results"]["item-knn"]["live_over"]["all"]["frozen"]["value"] > 0


def test_the_search_asks_as_the_test_does(log: Path, lists: Path) -> None:
    for protocol, path, held in (
        ("leave-one-out", log, "leave one out"),
        ("by-user", log, "share of each user"),
        ("lightgcn", lists, "share of each user"),
    ):
        document = run(options(protocol, path, models=("item-knn",), budget=3.0))
        assert document.results["item-knn"].tuning.held == held


def test_replay_refits(log: Path) -> None:
    read = complete(run(options("replay", log, fraction=0.3, models=("item-knn",), refit_every=50, budget=5.0)))
    assert read["results"]["item-knn"]["tuning"]["held"] == "leave one out"


def test_the_search_is_reported(log: Path) -> None:
    read = complete(run(options("holdout", log, models=("popularity",), budget=30.0)))
    tuning = read["results"]["popularity"]["tuning"]
    assert tuning["held"] == "time"
    assert tuning["complete"] is True
    assert len(tuning["trials"]) > 1
    assert read["results"]["popularity"]["settings"] in [trial["settings"] for trial in tuning["trials"]]


def test_a_moment_cuts_the_log(log: Path) -> None:
    at = START + 3_600 * 800
    task = prepare(options("holdout", log, at=str(at)))
    assert task.split.train.time.max() < at * 1_000_000 <= task.split.test.time.min()
    assert task.moment == "2020-10-16T20:26:40Z"


def test_one_type_may_be_the_target(log: Path) -> None:
    task = prepare(options("holdout", log, target_type="transaction"))
    assert {task.data.interactions.types[kind] for kind in task.split.test.type.tolist()} == {"purchase"}
    assert len({task.data.interactions.types[kind] for kind in task.split.train.type.tolist()}) == 2
    with pytest.raises(UsageError, match="view"):
        prepare(options("holdout", log, target_type="cart"))


def test_frequent_repeats_are_allowed_again(tmp_path: Path) -> None:
    path = tmp_path / "milk.csv"
    rows = [
        f"u{user},{item},{START + 60 * (7 * turn + user)}" for turn in range(9) for user in range(6) for item in "ab"
    ]
    path.write_text("user,item,time\n" + "\n".join(rows) + "\n")
    task = prepare(options("holdout", path))
    assert not task.exclude_seen
    assert "repeat" in task.why
    asked = complete(run(options("holdout", path, models=("popularity",), cutoffs=(2,))))
    assert asked["results"]["popularity"]["metrics"]["recall@2"]["value"] == 1.0
    with pytest.raises(NotEnoughData):
        run(options("holdout", path, exclude_seen="yes"))


def test_without_times_the_file_is_taken_in_order(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("user,item\n" + "\n".join(f"u{user},i{item}" for user, item, _ in rows_of()) + "\n")
    read = complete(run(options("holdout", path, models=("item-knn",), fraction=0.25)))
    assert read["data"]["train_events"] == 420
    assert read["data"]["cut"] is None
    assert any("order of the file" in note for note in read["data"]["notes"])
    assert complete(run(options("replay", path, models=("item-knn",))))["results"]["item-knn"]["metrics"]
    with pytest.raises(UsageError):
        run(options("holdout", path, at="2020-01-01"))


def test_equal_runs_give_equal_figures(log: Path) -> None:
    first, again = (run(options("holdout", log, seed=5)) for _ in range(2))
    assert [r.metrics for r in first.results.values()] == [r.metrics for r in again.results.values()]


def test_data_may_be_given(log: Path) -> None:
    from_file = run(options("holdout", log, models=("popularity",)))
    given = run(options("holdout", "a store", models=("popularity",)), data=load(log))
    assert given.data.path == "a store"
    assert given.results["popularity"].metrics == from_file.results["popularity"].metrics


def test_progress_names_each_model(log: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    run(options("holdout", log), lambda *told: seen.append(told))
    assert seen == [("popularity", 0, 2), ("item-knn:neighbours=20", 1, 2)]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"models": ("no-such-model",)}, UnknownPart),
        ({"at": "2030-01-01"}, NotEnoughData),
        ({"at": "1999-01-01"}, NotEnoughData),
    ],
)
def test_what_cannot_be_run_is_said(log: Path, more: dict[str, Any], error: type[MutuaError]) -> None:
    with pytest.raises(error):
        run(options("holdout", log, **more))


@pytest.mark.parametrize(
    "more",
    [
        {"protocol": "k-means"},
        {"fraction": 1.0},
        {"cutoffs": ()},
        {"cutoffs": (0,)},
        {"exclude_seen": "perhaps"},
        {"models": ()},
        {"budget": -1.0},
    ],
)
def test_options_out_of_range_are_refused(log: Path, more: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        options(more.pop("protocol", "holdout"), log, **more)


def test_tiny_data_is_said_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("user,item,time\nu,i,2020-01-01\n")
    for protocol in ("holdout", "leave-one-out", "replay"):
        with pytest.raises(NotEnoughData):
            run(options(protocol, path))
    with pytest.raises(UnreadableFile):
        run(options("lightgcn", tmp_path))


def test_tables_and_pictures(log: Path, tmp_path: Path) -> None:
    document = run(options("holdout", log))
    text = tables.text(document)
    assert all(name in text for name in (*MODELS, "recall@10", "p (Holm)"))
    markdown = tables.markdown(document)
    assert markdown.count("| popularity |") == 1
    walked = run(options("replay", log, models=("item-knn",)))
    assert "frozen" in tables.text(walked)
    for ending in ("png", "svg"):
        bars = plots.comparison(document, "ndcg@10", tmp_path / f"bars.{ending}")
        curve = plots.freshness(walked, "item-knn", "hr@10", tmp_path / f"curve.{ending}")
        assert bars.stat().st_size > 2_000
        assert curve.stat().st_size > 2_000
    with pytest.raises(UsageError):
        plots.comparison(document, "beauty@3", tmp_path / "bars.png")
    with pytest.raises(UsageError):
        plots.comparison(document, "ndcg@10", tmp_path / "bars.exe")
    with pytest.raises(UsageError):
        plots.freshness(document, "popularity", "hr@10", tmp_path / "curve.png")
