"""MovieLens-100K, three quarters of each user's films known: NDCG@10 over several random splits."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks import data
from benchmarks.goals import Goal, Measured
from mutua.lab.dataset import load
from mutua.lab.protocols import Options
from mutua.lab.run import run as run_lab

K = 10
SEEDS, QUICK_SEEDS = range(5), range(2)
BUDGET, QUICK_BUDGET = 90.0, 1.0
HELD = 0.25
NDCG = Goal("ML-100k, 75/25 by user: NDCG@10", must=0.495, aim=0.510)
GOALS = (NDCG,)


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark; every seed splits anew and chooses anew, on its own training part."""
    with tempfile.TemporaryDirectory(prefix="mutua-films-") as folder:
        films = load(data.ml_100k_ratings(Path(folder), quick))
    seeds = QUICK_SEEDS if quick else SEEDS
    documents = [
        run_lab(
            Options(
                "by-user",
                data.ML_100K,
                fraction=HELD,
                cutoffs=(K,),
                seed=seed,
                budget=QUICK_BUDGET if quick else BUDGET,
            ),
            data=films,
        )
        for seed in seeds
    ]
    values = [document.results["default"].metrics[f"ndcg@{K}"].value for document in documents]
    note = f"± {statistics.stdev(values):.4f} (mean and standard deviation of {len(values)} seeds)"
    return {
        "figures": [NDCG.seen(statistics.fmean(values), note)],
        "seeds": list(seeds),
        "repeats": len(values),
        "details": {"values": values, "documents": documents},
    }
