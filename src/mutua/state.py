"""The live state of one open store: model, catalogue and histories in memory, kept in step with the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from mutua.config import PLAIN, Settings
from mutua.core import clock
from mutua.core.laps import NOT_TIMED
from mutua.errors import NotKnown, UsageError
from mutua.events.acts import Acts
from mutua.events.interactions import Interactions
from mutua.events.kinds import AnyEvent, IdentityLink, Interaction, ItemUpsert, UserUpsert
from mutua.feedback.experiments import splits
from mutua.people import population
from mutua.pipeline import run
from mutua.pipeline.context import NO_CONTEXT, Context
from mutua.pipeline.live import CAPACITY, Histories
from mutua.pipeline.plans import Plans
from mutua.pipeline.spec import BY_MODEL, Surface
from mutua.profiles.fold import history_of
from mutua.profiles.history import EMPTY, History
from mutua.profiles.population import Population
from mutua.rankers import InForce, Rankers
from mutua.shelves import Shelving
from mutua.snapshot import EMPTY_SHELVES, NO_ITEMS, Shelves, Snapshot
from mutua.store import checkpoints
from mutua.store.sqlite import placing
from mutua.store.sqlite.reading import as_interactions
from mutua.store.sqlite.store import SqliteStore

Floats = npt.NDArray[np.float32]
LOG = "log"
"""Stands for the time of the newest event."""
LOOK_EVERY = 0.001
"""Seconds for which the pointer to the model in force is not looked at again: a look costs what a ranking may."""
NOT_NEEDED = np.empty(0, np.float32)


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
        self.histories.union = store.identity.union()
        self._noted_from = store.log.last_sequence()
        self.rankers = Rankers(store.models)
        self.laps = NOT_TIMED
        self._items, self._users = LiveAttributes(store, "item"), LiveAttributes(store, "user")
        self._people: tuple[Mark, Population] | None = None
        self.shelving = Shelving(store, self.now)
        self.splits = splits(settings.experiments)
        self._plans = Plans()
        self._seen = store.database.state()
        self._look_again = 0.0
        self._base: Interactions | None = None
        self.checkpointed = 0
        self._loadable: set[int] = set()
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
            if self.rankers.moved:
                self.load_models()

    def now(self) -> int:
        """Returns the scoring time, microseconds UTC."""
        if self._moment is None:
            return clock.now()
        if isinstance(self._moment, int):
            return self._moment
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
        surface: Surface = PLAIN,
        context: Context = NO_CONTEXT,
    ) -> Snapshot:
        """Returns the view of one user; an unknown one has an empty history.

        Args:
            events: more events of this user that are not recorded.
            attributes: instead of those recorded.
            as_of: with the history as it was known at this record time, microseconds UTC; also the scoring time.
            surface: whose ranker and sources the view is for; context: what the request is about.
        """
        rankers = self.rankers
        if rankers.arrivals is not None:
            rankers.arrivals.welcome(self._items.live)
        force = rankers.in_force if surface.ranker == BY_MODEL else rankers.named(surface.ranker)
        given = as_of if now is None else now
        moment = self.now() if given is None else given
        names = self.store.names
        index = None if user is None else names.vocabulary("users").get(user)
        history = EMPTY if index is None else self._history(index, as_of)
        version = history.version
        for event in events:
            history = self._with(history, event, moment)
        return Snapshot(
            model_version=force.version,
            items=names.vocabulary("items"),
            catalog=self.catalog,
            popularity=NOT_NEEDED if force.model is not None else self.shelving.popularity(),
            history=history,
            attributes=self._attributes(force, index, attributes),
            user=user,
            now=moment,
            version=version,
            note=force.note,
            seeds=NO_ITEMS if context is NO_CONTEXT else self._known(context.seeds),
            given=NO_ITEMS if context is NO_CONTEXT else self._known(context.items),
            shelves=EMPTY_SHELVES if surface.ranks_all else self._shelves(surface),
        )

    def plan(self, surface: Surface, snapshot: Snapshot, name: str = "", title: str = "inline") -> run.Plan:
        """Returns the surface made ready, from memory where it was used before.

        Args:
            name: of a surface of the settings; empty for one given with the call or changed for it.
            title: what slates call such a one.
        """
        key = name or title.encode() + encode(surface)
        ready = self._plans.ready(key, self._items.live)
        if ready is not None:
            return ready
        made = partial(run.prepared, surface, self.rankers.named(surface.ranker).model, snapshot, name or title)
        return self._plans.get(key, self._items.live, snapshot, made)

    def assigned(self, name: str, unit: str) -> tuple[Surface, str]:
        """Returns the configuration that a user gets of a surface, and his variant; empty where he is in none."""
        other, variant = self.branch(name, unit)
        return self.settings.surface(other), variant

    def branch(self, name: str, unit: str) -> tuple[str, str]:
        """Returns the name of the configuration that a user gets of a surface, and his variant; as `assigned`."""
        variant, other = self.splits[name].variant_of(unit) if unit and name in self.splits else ("", "")
        return other or name, variant

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
        types = names.types
        if not self._fed:
            self._seen = self.store.database.state()
        self._items.grow(len(names.vocabulary("items")))
        acts: list[Interaction] = []
        places: list[int] = []
        items: list[Said | None] = []
        users: list[Said | None] = []
        for event, sequence in zip(events, sequences, strict=True):
            if isinstance(event, Interaction):
                acts.append(event)
                places.append(sequence)
            elif isinstance(event, ItemUpsert):
                items.append(_said(names.vocabulary("items").get(event.item), event, recorded))
            elif isinstance(event, UserUpsert):
                users.append(_said(names.vocabulary("users").get(event.user), event, recorded))
            elif isinstance(event, IdentityLink):
                self._relink()
                self.rankers.forget_encoded()
        known = names.vocabulary("users"), names.vocabulary("items")
        self._move(Acts.of(acts, places, recorded, *known, types))
        self._items.apply(filter(None, items))
        self._users.apply(filter(None, users))
        for said in filter(None, users):
            self.rankers.forget_encoded(self.histories.union.of(said.row))

    def warm(self) -> int:
        """Reads the whole log once, so that no first request of a user reads it for him, and returns its events.

        Cost: some seconds and 34 MB a million events; from a checkpoint a twentieth of the time.
        """
        found = checkpoints.read(self.store)
        if found is None:
            self._base, self._loadable = self.store.log.interactions(), set()
            rows: tuple[Interactions, ...] = (self._base,)
        else:
            self._base = as_interactions(found.image, self.store.names)
            self._loadable = set(found.tail["user"].tolist())
            rows = (self._base, as_interactions(found.tail, self.store.names))
        self.checkpointed = 0 if found is None else found.last
        self._items.warm()
        self._users.warm()
        self.shelving.warm(rows)
        return sum(map(len, rows))

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
        self.splits = splits(settings.experiments)
        self._plans.clear()

    @property
    def in_force(self) -> InForce:
        """The model that serves."""
        return self.rankers.in_force

    def load_models(self) -> None:
        """Takes the newest undamaged model into use; a damaged one is told of in every slate's notes."""
        self.rankers.load()
        self._people = None
        self._plans.clear()

    def drop(self) -> None:
        """Drops everything that a bulk write or an erasure may have changed."""
        self.store.names.refresh()
        self._base = None
        self._relink()
        self._noted_from = self.store.log.last_sequence()
        self.histories.settle(self._noted_from)
        self._items.drop()
        self._users.drop()
        self._people = None
        self._plans.clear()
        self.rankers.forget_encoded()
        self.shelving.drop()
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
        """A history up to where moves are noted from, or beyond; the end of the log is looked through if it must be."""
        base, union = self._base, self.histories.union
        if base is not None and user not in self._loadable and user not in union.canonical:
            return history_of(base, user).bounded() if user < base.n_users else EMPTY
        placed, until = self.store.log.placed_history(user)
        return placed.bounded() if until >= self._noted_from else self.store.log.history(user).bounded()

    def _relink(self) -> None:
        """Takes up who is one person now: what was read by the links before is read again."""
        self._loadable.update(self.histories.union.canonical)
        self.histories.union = self.store.identity.union()
        self.histories.drop()

    def _move(self, acts: Acts) -> None:
        """Takes up interactions in all that is counted, and notes what moves histories."""
        if acts.items:
            self.shelving.moved(acts)
            self.histories.moves.note(acts)
            if self._newest >= 0:
                self._newest = max(self._newest, *acts.times)
            if acts.sequences[-1] - self._noted_from > placing.TAIL:
                self._settle()

    def _settle(self) -> None:
        """Lets go of what is noted once the log gives it quickly, so that notes are bounded."""
        until = self.store.log.placed()
        if until > self._noted_from:
            self._loadable.update(self.histories.moves.users)
            self.histories.settle(until)
            self._noted_from = until

    def _with(self, history: History, event: Interaction, now: int) -> History:
        """The history with an event that is not recorded; one on an unknown item or of an unknown type says nothing."""
        item, kind = self.store.names.items.get(event.item), self.store.names.types.known(event.type)
        if item is None or kind is None:
            return history
        value = np.nan if event.value is None else event.value
        return history.add(item, kind, value, now if event.time is None else event.time, history.version + 1)

    def _known(self, outers: Iterable[str]) -> npt.NDArray[np.int32]:
        """The inner indices of those items that are known."""
        found = self.store.names.vocabulary("items").indices(outers)
        return found[found >= 0]

    def _shelves(self, surface: Surface) -> Shelves:
        return self.shelving.shelves(surface.candidates, self.catalog, self._items.live.mark)

    def _attributes(self, force: InForce, index: int | None, given: Mapping[str, Any] | None) -> Floats | None:
        model = force.reads
        if model is None:
            return None
        if given is not None:
            row = np.zeros(1, np.int32)
            columns = {name: column(name, row, [value], 1) for name, value in given.items() if value is not None}
            return model.encode(AttributeTable(1, columns), row)
        if index is None:
            return None
        found = force.encoded.get(index)
        if found is None:
            if len(force.encoded) >= CAPACITY:
                force.encoded.clear()
            person = np.array([self.store.identity.canonical(index)], np.int32)
            found = force.encoded[index] = model.encode(self._users.table, person)
        return found


def _said(row: int | None, event: ItemUpsert | UserUpsert, recorded: int) -> Said | None:
    """What an upsert says; None where its user or item was forgotten meanwhile."""
    return None if row is None else Said(row, event.attributes, recorded if event.time is None else event.time)
