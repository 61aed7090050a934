"""From a store to a model in force: gather, choose within the budget, learn, save, and drop what must not remain."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter

from mutua.core.clock import now as wall_clock
from mutua.errors import DamagedModel, NoModel, NotEnoughData
from mutua.events.interactions import Interactions
from mutua.judging import Verdict, cut_of, judged, unjudged
from mutua.lab.dataset import Dataset
from mutua.lab.protocols import FREQUENT
from mutua.learning.search import Chosen, Trial, search
from mutua.models.base import Learner, Model, TrainingData
from mutua.models.joint.learner import drop_spectra
from mutua.models.registry import learner
from mutua.models.saving import revived
from mutua.people import learn_population
from mutua.privacy.forgetting import newest_forget, purge_models
from mutua.store.models import ModelFolders
from mutua.store.sqlite.lock import WriterLock
from mutua.store.sqlite.store import SqliteStore

RATING_MODEL = "biased-mf"
LOCK = "learn.lock"
STAGES = 5


@dataclass(frozen=True)
class Learned:
    """What learning brought.

    Args:
        version: of the model now in force.
        learner: its configuration.
        trials: what was compared on held-out training data, in order; empty without a budget.
        complete: whether all candidates were tried within the budget.
        metric: what the trials were judged by.
        events, users, items: what it learned from.
        seconds: choosing and learning.
        ratings: whether a model that foresees ratings was learned beside it.
        purged: versions removed because they had learned from what was forgotten.
        verdict: how it did on the newest hours beside the model that was in force.
        serves: whether it was put in force.
    """

    version: str
    learner: Learner
    trials: tuple[Trial, ...]
    complete: bool
    metric: str
    events: int
    users: int
    items: int
    seconds: float
    ratings: bool
    purged: tuple[str, ...]
    verdict: Verdict
    serves: bool


@dataclass(frozen=True)
class Guard:
    """What keeps a worse model from being put in force.

    Args:
        hours: the newest hours of the log that it is judged on; 0: it is not judged.
        tolerance: share by which it may foresee them worse.
        force: put it in force whatever the verdict or a pin says.
    """

    hours: float = 24.0
    tolerance: float = 0.02
    force: bool = False


GUARDED = Guard()
Told = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


def silent(doing: str, done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def train(
    store: SqliteStore,
    ratings: ModelFolders,
    name: str,
    budget: float,
    seed: int,
    until: int | None = None,
    guard: Guard = GUARDED,
    progress: Told = silent,
) -> Learned:
    """Returns what learning brought; the new model is saved, and in force unless it is worse or another is pinned.

    The main model comes last: other processes take all that was learned when they see its version.

    Args:
        ratings: where the model that foresees ratings is kept.
        name: as the registry reads it, such as `default` or `ease:ridge=200`.
        budget: seconds for choosing hyper-parameters; 0 takes them as given.
        until: learn only from events up to this time, microseconds UTC.
        guard: when a new model is put in force.

    Raises:
        UnknownPart: code `part.unknown`.
        NotEnoughData: code `data.too-few`; no target event.
        StoreLocked: code `store.locked`; another process learns.
    """
    with _alone(store):
        return _trained(store, ratings, name, budget, seed, until, guard, progress)


@contextmanager
def _alone(store: SqliteStore) -> Iterator[None]:
    """Holds the learner's lock: learning writes no event, so it goes on beside the one writer, but once at a time."""
    store.models.root.mkdir(parents=True, exist_ok=True)
    lock = WriterLock(store.models.root / LOCK)
    try:
        yield
    finally:
        lock.release()


def _trained(
    store: SqliteStore,
    ratings: ModelFolders,
    name: str,
    budget: float,
    seed: int,
    until: int | None,
    guard: Guard,
    progress: Told,
) -> Learned:
    chief = learner(name)
    progress("reading the log", 0, STAGES)
    last = store.log.last_sequence()
    data = training_data(store, until)
    progress("learning", 1, STAGES)
    chosen, verdict = _judged(store, chief, data, budget, seed, guard, progress)
    drop_spectra()
    serves = guard.force or not (verdict.worse or _pinned(store))
    rated = False
    if serves:
        progress("learning what is usual", 3, STAGES)
        learn_population(store, data, seed)
        rated = _learn_ratings(data, ratings, last, seed)
    progress("saving", 4, STAGES)
    version = store.models.save(chosen.model, sequence=last, about=_about(chosen, verdict), serve=serves)
    if guard.force:
        store.models.standing.unpin()
    purged = purge_models(store)
    rows = data.interactions
    progress("done", STAGES, STAGES)
    return Learned(
        version,
        chosen.learner,
        chosen.trials,
        chosen.complete,
        chosen.metric,
        len(rows),
        rows.n_users,
        data.n_items,
        chosen.search_seconds + chosen.fit_seconds,
        rated,
        purged,
        verdict,
        serves,
    )


def _judged(
    store: SqliteStore, chief: Learner, data: TrainingData, budget: float, seed: int, guard: Guard, progress: Told
) -> tuple[Chosen, Verdict]:
    """Learns; with a model in force to beat, first without the newest hours, and on everything if it may serve.

    A model that is worse is returned as it was judged, without those hours.
    """
    rows = data.interactions
    exclude_seen = rows.share_of_returns < FREQUENT
    before, old, why = _rival(store, rows, guard)
    if old is None:
        return search(chief, data, budget, seed, exclude_seen=exclude_seen), unjudged(why)
    past = rows.take(rows.time < before)
    try:
        chosen = search(
            chief, replace(data, interactions=past, now=int(past.time.max())), budget, seed, exclude_seen=exclude_seen
        )
    except NotEnoughData as reason:
        return search(chief, data, budget, seed, exclude_seen=exclude_seen), unjudged(reason.came)
    drop_spectra()
    progress("judging on the newest hours", 2, STAGES)
    verdict = judged(
        old,
        chosen.model,
        rows,
        data.users,
        before,
        exclude_seen=exclude_seen,
        tolerance=guard.tolerance,
        seed=seed,
    )
    if verdict.worse and not guard.force:
        return chosen, verdict
    begun = perf_counter()
    model = chosen.learner.learn(data, seed)
    return replace(chosen, model=model, fit_seconds=chosen.fit_seconds + perf_counter() - begun), verdict


def _rival(store: SqliteStore, rows: Interactions, guard: Guard) -> tuple[int, Model | None, str]:
    """Returns the time from which events are held out and the model in force; or why there is nothing to judge by."""
    if not guard.hours:
        return 0, None, "judging is off"
    try:
        stored = store.models.load()
    except (NoModel, DamagedModel):
        return 0, None, "no model was in force"
    if int(stored.about["sequence"]) < newest_forget(store):
        return 0, None, "the model in force learned from what was forgotten since"
    cut = cut_of(rows, int(stored.about["sequence"]), guard.hours)
    if cut is None:
        return 0, None, "too few events since the model in force learned"
    return cut, revived(stored.version, stored.name, stored.arrays, stored.meta), ""


def _pinned(store: SqliteStore) -> bool:
    """Whether the version in force is pinned; one that learned from what was forgotten since does not stay."""
    current = store.models.current()
    if current is None or not store.models.standing.pinned:
        return False
    return store.models.learned_until(current) >= newest_forget(store)


def training_data(store: SqliteStore, until: int | None = None) -> TrainingData:
    """Returns all that the store knows up to an event time, microseconds UTC.

    Raises:
        NotEnoughData: code `data.too-few`; no interaction at all.
    """
    rows = store.log.interactions(until=until)
    if not len(rows):
        raise NotEnoughData("a log without interactions", "at least one", "record some first")
    users, items = store.catalog.users(until=until), store.catalog.items(until=until)
    return TrainingData(rows, users, items, int(rows.time.max()))


def _learn_ratings(data: TrainingData, ratings: ModelFolders, last: int, seed: int) -> bool:
    """Learns the model of ratings in place of the one before; where none are left, that one goes too."""
    if not data.interactions.is_rating.any():
        shutil.rmtree(ratings.root, ignore_errors=True)
        return False
    ratings.save(learner(RATING_MODEL).learn(data, seed), sequence=last)
    return True


def _about(chosen: Chosen, verdict: Verdict) -> dict[str, object]:
    found = [trial.value for trial in chosen.trials if trial.value == trial.value]
    tried = {"metric": chosen.metric, "held_out": chosen.held, "best": max(found)} if found else {}
    return {"learned": wall_clock(), "verdict": verdict.as_json(), **tried}


def dataset_of(store: SqliteStore) -> Dataset:
    """Returns what the store knows as data to experiment on."""
    data = training_data(store)
    return Dataset(data.interactions, data.users, data.items, store.names.users, store.names.items)
