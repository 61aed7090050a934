"""One request in process, on one core: a known user's top 20, and a changed top 20 after one more event."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, peers
from benchmarks.goals import Figure, Goal, Measured
from benchmarks.timing import Calls, calls, cores, one_blas_thread, one_core
from mutua import Interaction, Recommender, Settings
from mutua.core import clock
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.models.joint.model import JointModel
from mutua.models.saving import revived
from mutua.profiles import fold
from mutua.profiles.history import History
from mutua.profiles.views import Views
from mutua.store.sqlite.store import SqliteStore
from mutua.training import training_data

K = 20
SEED = 0
USERS, QUICK_USERS = 2_000, 50
PEER_USERS, QUICK_PEER_USERS = 300, 20
ROUNDS, QUICK_ROUNDS = 5, 2
DURABLE, QUICK_DURABLE = 200, 10
QUICK_FACTORS = 16
TOP = Goal(
    "Gowalla, one top-20 of a known user, in process (median)", must=40.0, aim=25.0, most=True, form=".1f", unit=" µs"
)
TOP_AHEAD = Goal("Gowalla, one top-20: times as fast as `implicit.recommend`", must=30.0, form=".1f", unit=" ×")
CHANGED = Goal(
    "Gowalla, event folded → changed top-20, in process (median)", must=120.0, most=True, form=".1f", unit=" µs"
)
CHANGED_AHEAD = Goal(
    "Gowalla, changed top-20: times as fast as `implicit` recalculate_user + recommend",
    must=40.0,
    form=".1f",
    unit=" ×",
)
GOALS = (TOP, TOP_AHEAD, CHANGED, CHANGED_AHEAD)


@dataclass(frozen=True)
class Case:
    """A user, one more event, and what the parts beneath the facade make of the user."""

    user: str
    index: int
    event: Interaction
    item: int
    kind: int
    history: History
    view: Views


def run(quick: bool) -> Measured:
    """Returns the figures of this benchmark; the peer is fitted on the same events and asked on the same core."""
    with tempfile.TemporaryDirectory(prefix="mutua-request-") as folder:
        path = data.gowalla(Path(folder), quick)
        with Recommender.open(f"sqlite:///{folder}/shop.db", settings=Settings()) as shop:
            recorded = shop.record_file(path / "train.txt")
            learned = shop.learn(budget=0)
            rows = training_data(shop.store).interactions
            cases = drawn(shop.store, rows, QUICK_USERS if quick else USERS)
            with one_core(), one_blas_thread():
                mine, changed = asked(shop, cases, QUICK_ROUNDS if quick else ROUNDS)
                mine["record one event durably, then top 20"] = durable(
                    shop, cases[: QUICK_DURABLE if quick else DURABLE]
                )
            theirs, missing = peer(rows, cases[: QUICK_PEER_USERS if quick else PEER_USERS], quick)
    rows_seen = own(mine, changed) | against(mine, theirs, missing)
    return {
        "figures": [rows_seen[goal] for goal in GOALS],
        "seeds": [SEED],
        "repeats": QUICK_ROUNDS if quick else ROUNDS,
        "details": {
            "users": len(cases),
            "mean_history": float(np.mean([len(case.history) for case in cases])),
            "items": rows.n_items,
            "recorded_events": recorded.accepted,
            "learn_seconds": learned.seconds,
            "settings": learned.learner,
            "mutua": {name: one.as_dict() for name, one in mine.items()},
            "changed_share": changed,
            "implicit": {
                name: {threads: one.as_dict() for threads, one in found.items()} for name, found in theirs.items()
            },
            "peer_missing": missing,
        },
    }


RECOMMEND, RECOMMEND_AFTER = "Recommender.recommend", "Recommender.recommend with one more event"
MODEL, MODEL_AFTER = "model.top", "History.add, fold.view, model.top"
THEIRS, THEIRS_AFTER = "recommend", "recalculate_user and recommend"


def drawn(store: SqliteStore, rows: Interactions, count: int) -> list[Case]:
    """Returns users drawn at random, each with an event on an item that is new to them, popular ones more often."""
    source = stream(SEED, "benchmark", "request")
    known = np.unique(rows.user)
    users = source.permutation(known)[:count].tolist()
    model, now = in_force(store), clock.now()
    kind = rows.types[rows.type[0]]
    found = []
    for user in users:
        history = store.log.history(user).bounded()
        fresh = np.setdiff1d(source.choice(rows.item, 100), history.item)
        item = int(source.choice(fresh if len(fresh) else rows.item))
        outer, named = store.names.users.outer(user), store.names.items.outer(item)
        if outer is None or named is None:
            continue
        event = Interaction(user=outer, item=named, type=kind)
        view = fold.view(history, model.encoder, now)
        found.append(Case(outer, user, event, item, int(rows.type[0]), history, view))
    return found


def in_force(store: SqliteStore) -> JointModel:
    """Returns the model that serves, read from disk as a server reads it."""
    stored = store.models.load()
    model = revived(stored.version, stored.name, stored.arrays, stored.meta)
    if not isinstance(model, JointModel):
        raise TypeError(f"the store serves {model.name}, not the default model")
    return model


def asked(shop: Recommender, cases: Sequence[Case], rounds: int) -> tuple[dict[str, Calls], float]:
    """Returns the times of every way to ask, and the share of users whose top 20 one more event changed."""
    model = in_force(shop.store)

    def after(case: Case) -> object:
        now = clock.now()
        history = case.history.add(case.item, case.kind, float("nan"), now, case.history.version + 1)
        view = fold.view(history, model.encoder, now)
        return model.top(view, K, view.item)

    times = {
        RECOMMEND: calls(lambda case: shop.recommend(case.user, K), cases, rounds),
        MODEL: calls(lambda case: model.top(case.view, K, case.view.item), cases, rounds),
        RECOMMEND_AFTER: calls(lambda case: shop.recommend(case.user, K, events=(case.event,)), cases, rounds),
        MODEL_AFTER: calls(after, cases, rounds),
    }
    changed = [
        shop.recommend(case.user, K).ids != shop.recommend(case.user, K, events=(case.event,)).ids for case in cases
    ]
    return times, float(np.mean(changed))


def durable(shop: Recommender, cases: Sequence[Case]) -> Calls:
    """Returns the times of an event written to disk and the top 20 after it; a user's second event is a new one."""

    def both(case: Case) -> object:
        shop.record(case.event)
        return shop.recommend(case.user, K)

    return calls(both, cases)


def peer(rows: Interactions, cases: Sequence[Case], quick: bool) -> tuple[dict[str, dict[str, Calls]], str]:
    """Returns the peer's times by way to ask and by threads, or why there are none.

    What it is asked with is made before the clock starts, and it is asked both with one thread on one core and with
    all cores; the better of both is compared with.
    """
    seen = peers.matrix(rows)
    try:
        _, model = peers.fitted(seen, *peers.GRID[0], SEED, QUICK_FACTORS if quick else peers.FACTORS)
    except data.NotAvailable as reason:
        return {}, str(reason)
    before = [(case.index, seen[case.index]) for case in cases]
    after = [(case.index, _with(seen[case.index], case.item)) for case in cases]
    found: dict[str, dict[str, Calls]] = {THEIRS: {}, THEIRS_AFTER: {}}
    for name, threads, place in (("one core", 1, one_core), ("all cores", cores(), nullcontext)):
        model.num_threads = threads
        with place(), one_blas_thread():
            found[THEIRS][name] = calls(lambda one: model.recommend(*one, N=K), before)
            found[THEIRS_AFTER][name] = calls(lambda one: model.recommend(*one, N=K, recalculate_user=True), after)
    return found, ""


def own(mine: dict[str, Calls], changed: float) -> dict[Goal, Figure]:
    """Returns the rows of the times themselves."""
    said = ((TOP, RECOMMEND, MODEL, ""), (CHANGED, RECOMMEND_AFTER, MODEL_AFTER, f"; {changed:.1%} of lists changed"))
    return {
        goal: goal.seen(
            mine[whole].median_us, f"(p90 {mine[whole].p90_us:.1f}; {part} {mine[part].median_us:.1f}{more})"
        )
        for goal, whole, part, more in said
    }


def against(mine: dict[str, Calls], theirs: dict[str, dict[str, Calls]], missing: str) -> dict[Goal, Figure]:
    """Returns the rows that set the times against the peer's."""
    if missing:
        return {goal: goal.not_run(missing) for goal in (TOP_AHEAD, CHANGED_AHEAD)}
    found = {}
    for goal, ours, other in ((TOP_AHEAD, RECOMMEND, THEIRS), (CHANGED_AHEAD, RECOMMEND_AFTER, THEIRS_AFTER)):
        best = min(theirs[other].values(), key=lambda one: one.median_us)
        said = ", ".join(f"{name} {one.median_us:.0f} µs" for name, one in theirs[other].items())
        found[goal] = goal.seen(best.median_us / mine[ours].median_us, f"(its medians: {said})")
    return found


def _with(row: Any, item: int) -> Any:
    grown = row.tolil()
    grown[0, item] = 1.0
    return grown.tocsr()
