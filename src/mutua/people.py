"""From a store to profiles: the population learned beside the model, and one user read against it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mutua.catalog.bands import with_price_bands
from mutua.catalog.table import AttributeTable
from mutua.core import arrays, clock
from mutua.errors import NotKnown
from mutua.events.kinds import Consent
from mutua.models.base import TrainingData
from mutua.profiles.anomalies import Norms
from mutua.profiles.lifecycle import Rhythms
from mutua.profiles.population import Population
from mutua.profiles.profile import Profile, build
from mutua.profiles.segments import Segments
from mutua.store.codec import decode
from mutua.store.sqlite.store import SqliteStore

KIND = "population"


def learn_population(store: SqliteStore, data: TrainingData, seed: int) -> None:
    """Learns what is usual among all users and keeps it beside the models, in place of what was kept before."""
    found = Population.of(data.interactions, data.items, data.now, seed=seed)
    kept = {"middle": found.norms.middle, "reach": found.norms.reach}
    meta: dict[str, Any] = {"rhythms": [found.rhythms.median, found.rhythms.longest], "segments": None}
    if found.segments is not None:
        kept |= found.segments.arrays()
        meta["segments"] = found.segments.meta()
    folder = _folder(store)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    arrays.save(folder, KIND, kept, meta)


def population(store: SqliteStore, items: AttributeTable) -> Population:
    """Returns what profiles are read against: as learned, or plain assumptions before anything was.

    Args:
        items: the catalogue as of now.

    Raises:
        DamagedModel: code `model.damaged`.
    """
    items = with_price_bands(items)
    weights = tuple(store.names.types.weights())
    if not _folder(store).is_dir():
        return Population(items, weights)
    kept, meta = arrays.load(_folder(store), KIND)
    segments = None if meta["segments"] is None else Segments.restore(kept, meta["segments"])
    norms = Norms(np.array(kept["middle"]), np.array(kept["reach"]))
    return Population(items, weights, Rhythms(*meta["rhythms"]), norms, segments)


def profile_of(
    store: SqliteStore,
    against: Population,
    user: str,
    now: int,
    *,
    as_of: int | None = None,
    as_of_event: int | None = None,
) -> Profile:
    """Returns everything known of a user at one instant.

    Args:
        against: the population.
        now: the scoring time where neither instant is given, microseconds UTC.
        as_of: as it was known at this record time, microseconds UTC; also the scoring time.
        as_of_event: up to this event time, with today's knowledge; also the scoring time.

    Raises:
        NotKnown: code `id.unknown`.
    """
    index = store.names.users.get(user)
    if index is None:
        raise NotKnown(f"user {user[:60]!r}", "a recorded user", "check the spelling; a forgotten user is unknown too")
    members = store.identity.members(index, as_of=as_of)
    known = store.log.last_sequence(as_of=as_of)
    latest = clock.LATEST if as_of_event is None else as_of_event
    moment = now if as_of is None else as_of
    return build(
        store.log.history(index, until=as_of_event, as_of=as_of).bounded(),
        against,
        moment if as_of_event is None else as_of_event,
        item_ids=store.names.items,
        user=user,
        facts=[f for f in store.catalog.facts_of_users(members) if f.sequence <= known and f.time <= latest],
        identities=[outer for outer in store.names.users.outers(members) if outer is not None],
        consent=[given for given in _consents(store, members, known) if (given.time or 0) <= latest],
    )


def _consents(store: SqliteStore, members: tuple[int, ...], known: int) -> Iterator[Consent]:
    """Yields the consents of these inner users up to a sequence number."""
    wanted = set(store.names.users.outers(members))
    for batch in store.log.read(kinds=[Consent.number]):
        for event in decode(batch.filter(pl.col("sequence") <= known)):
            if isinstance(event, Consent) and event.user in wanted:
                yield event


def _folder(store: SqliteStore) -> Path:
    return store.models.root / KIND
