"""The live state of one open store: model, catalogue and histories in memory, kept in step with the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.json import encode

from mutua.attributes import LiveAttributes, Said
from mutua.catalog.bands import with_price_bands
from mutua.catalog.columns import column
from mutua.catalog.live import Mark
from mutua.catalog.table import AttributeTable
from mutua.config import Settings
from mutua.core import clock
from mutua.errors import DamagedModel, NoModel, NotKnown, UsageError
from mutua.events.interactions import Interactions
from mutua.events.kinds import AnyEvent, IdentityLink, Interaction, ItemUpsert, UserUpsert
from mutua.events.types import Types
from mutua.models.base import Model, ReadsAttributes
from mutua.models.joint.arrivals import Arrivals
from mutua.models.joint.newcomers import Newcomers, opened
from mutua.models.saving import revived
from mutua.people import population
from mutua.pipeline import run
from mutua.pipeline.live import CAPACITY, Histories
from mutua.pipeline.plans import Plans
from mutua.pipeline.spec import Surface
from mutua.profiles.fold import history_of
from mutua.profiles.history import EMPTY, History
from mutua.profiles.identity import Union
from mutua.profiles.population import Population
from mutua.snapshot import Snapshot
from mutua.store.models import ModelFolders
from mutua.store.sqlite.store import SqliteStore

Floats = npt.NDArray[np.float32]
RATINGS = "ratings"
"""Folder, beside the model versions, of the model that foresees ratings."""
LOG = "log"
"""Stands for the time of the newest event."""
LOOK_EVERY = 0.001
"""Seconds for which the pointer to the model in force is not looked at again: a look costs what a ranking may."""
NOT_NEEDED = np.empty(0, np.float32)


@dataclass(frozen=True)
class InForce:
    """The model that serves.

    Args:
        model: None before any was learned.
        reads: the same, where it reads attributes of users.
        version: empty for None.
        note: why an earlier version serves, empty where the newest does.
    """

    model: Model | None = None
    reads: ReadsAttributes | None = None
    version: str = ""
    note: str = ""


class LiveState:
    """What requests read. Everything here is a function of the store and can be dropped at any time.

    Args:
        moment: fixed scoring time, microseconds UTC; `log` for the newest event's; None for the wall clock.
        fed: whether every write is brought here by `apply`, `drop` and `load_models`, so that `refresh` need not look
            for any. A server feeds the state; what is opened alone looks for itself.

    Raises:
        UsageError: code `usage`; any other moment.
    """

    def __init__(self, store: SqliteStore, settings: Settings, moment: int | str | None, fed: bool = False) -> None:
        if isinstance(moment, str) and moment != LOG:
            raise UsageError(
                f"now={moment[:40]!r}", f"microseconds UTC, {LOG!r} or None", "see mutua.core.clock.parse_time"
            )
        self.store, self.settings, self._moment, self._fed = store, settings, moment, fed
        self.histories = Histories(self._load)
        self.in_force = InForce()
        self._arrivals: Arrivals | None = None
        self._ratings: Model | None = None
        self._ratings_read = False
        self._items, self._users = LiveAttributes(store, "item"), LiveAttributes(store, "user")
        self._people: tuple[Mark, Population] | None = None
        self._encoded: dict[int, Floats] = {}
        self._popular: Floats | None = None
        self._plans = Plans()
        self._seen = store.database.state()
        self._published = (0, 0)
        self._look_again = 0.0
        self._base: Interactions | None = None
        self._moved: set[int] = set()
        self._newest = -1
        self.load_models()

    def refresh(self) -> None:
        """Drops what another process's writes or learning have made old; under a microsecond when nothing has."""
        if self._fed:
            return
        state = self.store.database.state()
        if state != self._seen:
            self._seen = state
            self.drop()
        moment = monotonic()
        if moment >= self._look_again:
            self._look_again = moment + LOOK_EVERY
            if self.store.models.state() != self._published:
                self.load_models()

    def now(self) -> int:
        """Returns the scoring time, microseconds UTC."""
        if isinstance(self._moment, int):
            return self._moment
        if self._moment is None:
            return clock.now()
        if self._newest < 0:
            self._newest = self.store.log.newest_time() or clock.now()
        return self._newest

    def snapshot(
        self,
        user: str | None,
        events: Iterable[Interaction] = (),
        attributes: Mapping[str, Any] | None = None,
        now: int | None = None,
        as_of: int | None = None,
    ) -> Snapshot:
        """Returns the view of one user; an unknown one has an empty history.

        Args:
            events: more events of this user that are not recorded.
            attributes: instead of those recorded.
            as_of: with the history as it was known at this record time, microseconds UTC; also the scoring time.
        """
        if self._arrivals is not None:
            self._arrivals.welcome(self._items.live)
        given = as_of if now is None else now
        moment = self.now() if given is None else given
        names = self.store.names
        index = None if user is None else names.vocabulary("users").get(user)
        history = EMPTY if index is None else self._history(index, as_of)
        version = history.version
        for event in events:
            history = self._with(history, event, moment)
        return Snapshot(
            model_version=self.in_force.version,
            items=names.vocabulary("items"),
            catalog=self.catalog,
            popularity=self._fallback(),
            history=history,
            attributes=self._attributes(index, attributes),
            user=user,
            now=moment,
            version=version,
            note=self.in_force.note,
        )

    def plan(self, surface: Surface, snapshot: Snapshot, name: str = "") -> run.Plan:
        """Returns the surface made ready, from memory where it was used before.

        Args:
            name: of a surface of the settings; empty for one given with the call.
        """
        key = name or encode(surface)
        model = self.in_force.model
        made = partial(run.prepared, surface, model, snapshot, name or "inline")
        return self._plans.get(key, self._items.live, snapshot, made)

    @property
    def catalog(self) -> AttributeTable:
        """The attributes of items by inner index, good until the next event is applied."""
        return self._items.table

    def apply(self, events: Iterable[AnyEvent], sequences: Iterable[int], recorded: int) -> None:
        """Moves the state by events that this process has just recorded.

        Args:
            events: those new to the log, in order; sequences: of each.
            recorded: when, microseconds UTC.
        """
        names = self.store.names
        names.refresh()
        self._seen = self.store.database.state()
        types, union = names.types, self.store.identity.union()
        self._grow()
        items: list[Said | None] = []
        users: list[Said | None] = []
        for event, sequence in zip(events, sequences, strict=True):
            if isinstance(event, Interaction):
                self._move(event, sequence, recorded, types, union)
            elif isinstance(event, ItemUpsert):
                items.append(_said(names.vocabulary("items").get(event.item), event, recorded))
            elif isinstance(event, UserUpsert):
                users.append(_said(names.vocabulary("users").get(event.user), event, recorded))
            elif isinstance(event, IdentityLink):
                self._base = None
                self.histories.drop()
                self._encoded.clear()
        self._items.apply(filter(None, items))
        self._users.apply(filter(None, users))
        for said in filter(None, users):
            for member in union.of(said.row):
                self._encoded.pop(member, None)

    def warm(self) -> int:
        """Reads the whole log once, so that no first request of a user reads it for him, and returns its events.

        Cost: about a second and 30 MB a million events.
        """
        self._base, self._moved = self.store.log.interactions(), set()
        self._items.live, self._users.live  # noqa: B018
        return len(self._base)

    @property
    def people(self) -> Population:
        """What profiles are read against."""
        mark = self._items.live.mark
        if self._people is None:
            self._people = mark, population(self.store, self.catalog)
        elif self._people[0] != mark:
            self._people = mark, replace(self._people[1], items=with_price_bands(self.catalog))
        return self._people[1]

    def configure(self, settings: Settings) -> None:
        """Takes new settings into use: surfaces are made ready anew."""
        self.settings = settings
        self._plans.clear()

    def load_models(self) -> None:
        """Takes the newest undamaged model into use; a damaged one is told of in every slate's notes."""
        self._published = self.store.models.state()
        self._people = None
        self._plans.clear()
        self._encoded.clear()
        self._ratings, self._ratings_read = None, False
        self._arrivals = None
        try:
            stored = self.store.models.load()
            model = revived(stored.version, stored.name, stored.arrays, stored.meta)
            reads = model if isinstance(model, ReadsAttributes) else None
            open_model = opened(model)
            self.in_force = InForce(open_model, reads, stored.version, stored.note)
            self._arrivals = Arrivals(open_model) if isinstance(open_model, Newcomers) else None
        except NoModel:
            self.in_force = InForce()
        except DamagedModel as reason:
            self.in_force = InForce(note=str(reason))

    @property
    def model(self) -> Model:
        """The model in force.

        Raises:
            NoModel: code `model.none`; nothing was learned, or nothing that can be read.
        """
        if self.in_force.model is None:
            raise NoModel(self.in_force.note or "no model", "a learned model", "learn first")
        return self.in_force.model

    @property
    def rating_model(self) -> Model | None:
        """The model that foresees ratings, None where nobody has rated; read when it is first asked for.

        Raises:
            DamagedModel: code `model.damaged`.
        """
        if not self._ratings_read:
            try:
                rated = self.rating_models.load()
                self._ratings = revived(RATINGS, rated.name, rated.arrays, rated.meta)
            except NoModel:
                self._ratings = None
            self._ratings_read = True
        return self._ratings

    @property
    def rating_models(self) -> ModelFolders:
        """Where the model that foresees ratings is kept: one version, so that none outlives a forgotten user."""
        return ModelFolders(self.store.models.root / RATINGS, kept=1)

    def drop(self) -> None:
        """Drops everything that a bulk write or an erasure may have changed."""
        self.store.names.refresh()
        self._base = None
        self.histories.drop()
        self._items.drop()
        self._users.drop()
        self._people = None
        self._plans.clear()
        self._encoded.clear()
        self._popular = None
        self._newest = -1

    def item(self, outer: str, below: int | None = None) -> int:
        """Returns the inner index of an item.

        Args:
            below: how many items the model knows; those recorded later are unknown to it.

        Raises:
            NotKnown: code `id.unknown`.
        """
        found = self.store.names.items.get(outer)
        if found is not None and below is not None and found >= below:
            raise NotKnown(f"item {outer[:60]!r}", "an item that the model knows", "learn again: it was recorded later")
        if found is None:
            raise NotKnown(f"item {outer[:60]!r}", "a recorded item", "check the spelling, or record it first")
        return found

    def _history(self, user: int, as_of: int | None) -> History:
        if as_of is None:
            return self.histories.get(user)
        return self.store.log.history(user, as_of=as_of).bounded()

    def _load(self, user: int) -> History:
        base = self._base
        if base is None or user in self._moved or user >= base.n_users or len(self.store.identity.members(user)) > 1:
            return self.store.log.history(user).bounded()
        return history_of(base, user).bounded()

    def _move(self, event: Interaction, sequence: int, recorded: int, types: Types, union: Union) -> None:
        time = recorded if event.time is None else event.time
        user = self.store.names.vocabulary("users").get(event.user)
        item = self.store.names.vocabulary("items").get(event.item)
        if user is None or item is None:
            return
        value = np.nan if event.value is None else event.value
        kind = types.index(event.type)
        for member in union.of(user):
            self._moved.add(member)
            self.histories.apply(member, item, kind, value, time, sequence)
        self._newest = max(self._newest, time) if self._newest >= 0 else -1
        if self._popular is not None and item < len(self._popular):
            self._popular[item] += types.targets()[kind]

    def _grow(self) -> None:
        """Makes room for new items: pins and rules may mean them, and without a model they are served at once."""
        size = len(self.store.names.items)
        self._items.grow(size)
        if self._popular is not None and len(self._popular) < size:
            self._popular = np.append(self._popular, np.zeros(size - len(self._popular), np.float32))

    def _with(self, history: History, event: Interaction, now: int) -> History:
        """The history with an event that is not recorded; one on an unknown item or of an unknown type says nothing."""
        item, kind = self.store.names.items.get(event.item), self.store.names.types.known(event.type)
        if item is None or kind is None:
            return history
        value = np.nan if event.value is None else event.value
        return history.add(item, kind, value, now if event.time is None else event.time, history.version + 1)

    def _attributes(self, index: int | None, given: Mapping[str, Any] | None) -> Floats | None:
        model = self.in_force.reads
        if model is None:
            return None
        if given is not None:
            row = np.zeros(1, np.int32)
            columns = {name: column(name, row, [value], 1) for name, value in given.items() if value is not None}
            return model.encode(AttributeTable(1, columns), row)
        if index is None:
            return None
        found = self._encoded.get(index)
        if found is None:
            if len(self._encoded) >= CAPACITY:
                self._encoded.clear()
            person = np.array([self.store.identity.canonical(index)], np.int32)
            found = self._encoded[index] = model.encode(self._users.table, person)
        return found

    def _fallback(self) -> Floats:
        if self.in_force.model is not None:
            return NOT_NEEDED
        if self._popular is None:
            rows = self.store.log.interactions()
            self._popular = np.bincount(rows.item[rows.is_target], minlength=rows.n_items).astype(np.float32)
        return self._popular


def _said(row: int | None, event: ItemUpsert | UserUpsert, recorded: int) -> Said | None:
    """What an upsert says; None where its user or item was forgotten meanwhile."""
    return None if row is None else Said(row, event.attributes, recorded if event.time is None else event.time)
