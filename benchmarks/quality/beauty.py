"""Amazon Beauty, each user's last item held out: HR@10 and NDCG@10 over all items (beside the targets)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import data
from benchmarks.goals import Figure, Goal, Measured, span
from mutua.core.clock import parse_time
from mutua.lab.dataset import Dataset, load, of_frames
from mutua.lab.document import Document
from mutua.lab.protocols import Options
from mutua.lab.run import run as run_lab

K = 10
SEED = 0
BUDGET, QUICK_BUDGET = 120.0, 1.0
QUICK_USERS = 300
BEGIN = parse_time("2010-01-01T00:00:00Z")
"""Where every history begins: the file tells the times between events, not when the first one was."""
ORDER = "order of the file only"
GAPS = "with the times between events"
HITS, NDCG = (
    {case: Goal(f"Beauty, last item, {case}: {name}@10") for case in (ORDER, GAPS)} for name in ("HR", "NDCG")
)
GOALS = (*HITS.values(), *NDCG.values())


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark."""
    with tempfile.TemporaryDirectory(prefix="mutua-beauty-") as folder:
        cut = Path(folder)
        files = {name: _file(name, cut, quick) for name in ("Beauty.txt", "Beauty_gaps.txt")}
        logs = {ORDER: load(files["Beauty.txt"]), GAPS: with_gaps(files["Beauty_gaps.txt"])}
    budget = QUICK_BUDGET if quick else BUDGET
    documents = {
        case: run_lab(Options("leave-one-out", case, cutoffs=(K,), seed=SEED, budget=budget), data=log)
        for case, log in logs.items()
    }
    return {
        "figures": [figure for case, document in documents.items() for figure in rows(case, document)],
        "seeds": [SEED],
        "repeats": 1,
        "details": {"documents": documents},
    }


def rows(case: str, document: Document) -> list[Figure]:
    """Returns the rows of one way to read the data."""
    found = document.results["default"].metrics
    return [
        goal.seen(figure.value, span(figure.low, figure.high))
        for goal, figure in ((HITS[case], found[f"hr@{K}"]), (NDCG[case], found[f"ndcg@{K}"]))
    ]


def with_gaps(path: Path) -> Dataset:
    """Returns the log of a file of `user item …` and, behind a tab, the seconds since the user's event before."""
    users: list[str] = []
    items: list[str] = []
    times: list[int] = []
    for line in path.read_text().splitlines():
        listed, _, gaps = line.partition("\t")
        user, *had = listed.split()
        users += [user] * len(had)
        items += had
        times += (BEGIN + 1_000_000 * np.cumsum(np.array(gaps.split(), np.int64))).tolist()
    nothing = pl.lit(None, pl.Float64)
    frame = pl.DataFrame({"user": users, "item": items, "time": times})
    return of_frames([frame.with_columns(type=pl.lit("purchase"), value=nothing)])


def _file(name: str, folder: Path, quick: bool) -> Path:
    whole = data.found("beauty", name)
    return data.write_head(whole, folder / name, QUICK_USERS) if quick else whole
