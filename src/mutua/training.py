"""From a store to a model in force: gather, choose within the budget, learn, save, and drop what must not remain."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mutua.core.clock import now as wall_clock
from mutua.errors import NotEnoughData
from mutua.lab.dataset import Dataset
from mutua.lab.protocols import FREQUENT
from mutua.learning.search import Chosen, Trial, search
from mutua.models.base import Learner, TrainingData
from mutua.models.joint.learner import drop_spectra
from mutua.models.registry import learner
from mutua.people import learn_population
from mutua.privacy.forgetting import purge_models
from mutua.store.models import ModelFolders
from mutua.store.sqlite.lock import WriterLock
from mutua.store.sqlite.store import SqliteStore

RATING_MODEL = "biased-mf"
LOCK = "learn.lock"


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


def train(
    store: SqliteStore, ratings: ModelFolders, name: str, budget: float, seed: int, until: int | None = None
) -> Learned:
    """Returns what learning brought; the new model is saved and in force.

    The main model comes last: other processes take all that was learned when they see its version.

    Args:
        ratings: where the model that foresees ratings is kept.
        name: as the registry reads it, such as `default` or `ease:ridge=200`.
        budget: seconds for choosing hyper-parameters; 0 takes them as given.
        until: learn only from events up to this time, microseconds UTC.

    Raises:
        UnknownPart: code `part.unknown`.
        NotEnoughData: code `data.too-few`; no target event.
        StoreLocked: code `store.locked`; another process learns.
    """
    with _alone(store):
        return _trained(store, ratings, name, budget, seed, until)


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
    store: SqliteStore, ratings: ModelFolders, name: str, budget: float, seed: int, until: int | None
) -> Learned:
    chief = learner(name)
    last = store.log.last_sequence()
    data = training_data(store, until)
    coming_back = data.interactions.share_of_returns >= FREQUENT
    chosen = search(chief, data, budget, seed, exclude_seen=not coming_back)
    drop_spectra()
    learn_population(store, data, seed)
    rated = _learn_ratings(data, ratings, last, seed)
    version = store.models.save(chosen.model, sequence=last, about=_about(chosen))
    purged = purge_models(store)
    rows = data.interactions
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
    )


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


def _about(chosen: Chosen) -> dict[str, object]:
    found = [trial.value for trial in chosen.trials if trial.value == trial.value]
    judged = {"metric": chosen.metric, "held_out": chosen.held, "best": max(found)} if found else {}
    return {"learned": wall_clock(), **judged}


def dataset_of(store: SqliteStore) -> Dataset:
    """Returns what the store knows as data to experiment on."""
    data = training_data(store)
    return Dataset(data.interactions, data.users, data.items, store.names.users, store.names.items)
