"""Gowalla: the served model's Recall and NDCG, and its fit against alternating least squares in the same run."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks import data, peers
from benchmarks.goals import Figure, Goal, Measured, all_not_run, span
from benchmarks.timing import median, timed
from mutua.lab.document import Document
from mutua.lab.protocols import Options, Task, prepare
from mutua.lab.run import run as run_lab
from mutua.learning.split import questions
from mutua.metrics import ndcg, recall
from mutua.metrics.bootstrap import Interval, means
from mutua.models.joint.learner import Joint
from mutua.models.joint.model import JointModel

K = 20
SEED = 0
BUDGET, QUICK_BUDGET = 240.0, 3.0
REPEATS, QUICK_REPEATS = 3, 2
QUICK_FACTORS = 16
RECALL = Goal("Gowalla: Recall@20 of the served model", must=0.1920, aim=0.1970)
NDCG = Goal("Gowalla: NDCG@20 of the served model", must=0.1600, aim=0.1640)
TIME = Goal("Gowalla: fit, top rows included, × the time of `implicit` ALS", must=2.0, most=True, form=".2f", unit=" ×")
AHEAD = Goal("Gowalla: Recall@20, × that of `implicit` ALS", must=1.15, form=".4f", unit=" ×")
SCORE = Goal("Gowalla: evaluation, × the time of the fit", must=1.0, most=True, form=".2f", unit=" ×")
GOALS = (RECALL, NDCG, TIME, AHEAD, SCORE)


@dataclass(frozen=True)
class Peer:
    """What the peer did: settings, seconds of each fit, figures."""

    tuned: peers.Tuned
    seconds: list[float]
    figures: dict[str, Interval]
    as_packaged: dict[str, Interval]


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark. The test part is read once by each of the two sides' chosen models."""
    repeats = QUICK_REPEATS if quick else REPEATS
    with tempfile.TemporaryDirectory(prefix="mutua-gowalla-") as folder:
        path = data.gowalla(Path(folder), quick)
        options = Options("lightgcn", path, cutoffs=(K,), seed=SEED, budget=QUICK_BUDGET if quick else BUDGET)
        task = prepare(options)
    Joint().learn(task.data.training(task.split.train), SEED + repeats)
    document = run_lab(options, data=task.data)
    result = document.results["default"]
    learner = Joint(**result.settings)
    try:
        peer = measured_peer(task, options, repeats, QUICK_FACTORS if quick else peers.FACTORS)
        missing = ""
    except data.NotAvailable as reason:
        peer, missing = None, str(reason)
    fits, served = fitted(learner, task, repeats)
    return {
        "figures": [*own(document, served), *against(document, fits, peer, missing), scored(document, fits)],
        "seeds": [*range(SEED, SEED + repeats)],
        "repeats": repeats,
        "details": {
            "document": document,
            "served": rows_of(served),
            "fit_seconds": fits,
            "peer": peer,
            "peer_missing": missing,
        },
    }


def own(document: Document, served: JointModel) -> list[Figure]:
    """Returns the rows of Recall and NDCG."""
    found = document.results["default"].metrics
    size = rows_of(served)
    rows = f"; {size['longest_row']} entries a row at most, {size['mib']:.0f} MiB in all"
    figures = ((RECALL, found[f"recall@{K}"]), (NDCG, found[f"ndcg@{K}"]))
    return [goal.seen(figure.value, span(figure.low, figure.high) + rows) for goal, figure in figures]


def against(document: Document, fits: list[float], peer: Peer | None, missing: str) -> list[Figure]:
    """Returns the rows that set the model against the peer."""
    if peer is None:
        return all_not_run((TIME, AHEAD), missing)
    mine, theirs = median(fits), median(peer.seconds)
    ours, other = document.results["default"].metrics[f"recall@{K}"].value, peer.figures[f"recall@{K}"].value
    packaged = peer.as_packaged[f"recall@{K}"].value
    chosen = f"alpha {peer.tuned.alpha:g}, regularization {peer.tuned.regularization:g}"
    said = f"({ours:.4f} against {other:.4f} with {chosen}, chosen within the same budget; {packaged:.4f} as packaged)"
    return [
        TIME.seen(mine / theirs, f"({mine:.1f} s against {theirs:.1f} s, medians of {len(fits)})"),
        AHEAD.seen(ours / other, said),
    ]


def scored(document: Document, fits: list[float]) -> Figure:
    """Returns the row of the time that evaluation takes."""
    seconds = document.results["default"].score_seconds
    return SCORE.seen(seconds / median(fits), f"({seconds:.1f} s for {document.data.test_users} users, all items)")


def fitted(learner: Joint, task: Task, repeats: int) -> tuple[list[float], JointModel]:
    """Returns the seconds of every fit, and the model of the first seed: the one that was evaluated.

    Every repeat has a seed of its own, so that no decomposition comes from memory.
    """
    training = task.data.training(task.split.train)
    runs = [timed(partial(learner.learn, training, seed)) for seed in range(SEED, SEED + repeats)]
    return [seconds for seconds, _ in runs], runs[0][1]


def measured_peer(task: Task, options: Options, repeats: int, factors: int) -> Peer:
    """Returns what the peer did, its settings chosen on the same held-out part within the same budget.

    Raises:
        NotAvailable: the package is not installed.
    """
    asked = questions(task.split, task.exclude_seen)
    seen = peers.matrix(task.split.train)
    tuned = peers.tuned(task.split.train, options.budget, SEED, K, factors)
    runs = [
        peers.fitted(seen, tuned.regularization, tuned.alpha, seed, factors) for seed in range(SEED, SEED + repeats)
    ]
    default, trust = peers.GRID[0]
    packaged = (
        runs[0][1]
        if (tuned.regularization, tuned.alpha) == (default, trust)
        else peers.fitted(seen, default, trust, SEED, factors)[1]
    )
    found = [figures_of(peers.answered(model, seen, asked, K)) for model in (runs[0][1], packaged)]
    return Peer(tuned, [seconds for seconds, _ in runs], *found)


def figures_of(placements: Any) -> dict[str, Interval]:
    """Returns the figures of a ranking with intervals over users."""
    return means({f"recall@{K}": recall(placements, K), f"ndcg@{K}": ndcg(placements, K)}, SEED)


def rows_of(model: JointModel) -> dict[str, Any]:
    """Returns how large the served model is: entries a row, and bytes of all its arrays."""
    length = np.diff(model.influence.start)
    bytes_in_all = sum(array.nbytes for array in model.arrays().values())
    return {
        "longest_row": int(length.max(initial=0)),
        "mean_row": float(length.mean()),
        "entries": len(model.influence.value),
        "rows_bytes": sum(array.nbytes for array in model.influence.columns),
        "bytes": bytes_in_all,
        "mib": bytes_in_all / 2**20,
        "settings": cast(Any, model.figures)["settings"],
    }
