"""The facade: six verbs and a few tools over one open store. It hands on; what it calls does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.config import Settings, load, tenant_key
from mutua.core import clock
from mutua.errors import MutuaError, NotSupported, UsageError
from mutua.events.kinds import AnyEvent, Event, Interaction
from mutua.events.parsing import Refused, checked_event, parse_event
from mutua.feedback.comparing import Comparison
from mutua.feedback.evaluating import evaluated
from mutua.lab.document import Document
from mutua.lab.protocols import Options
from mutua.lab.run import run as run_lab
from mutua.models.base import Rates
from mutua.people import profile_of
from mutua.pipeline import run as pipeline
from mutua.pipeline.context import NO_CONTEXT, grounded, happening, read_context
from mutua.pipeline.exclude import NOTHING
from mutua.pipeline.explain import Explanation, explain, explained_slate
from mutua.pipeline.spec import Exclude, Surface, narrowed
from mutua.privacy.forgetting import Receipt, forget_event, forget_user
from mutua.profiles import fold
from mutua.profiles.profile import Profile
from mutua.slates import Rating, Slate
from mutua.snapshot import Snapshot
from mutua.state import LiveState
from mutua.store.recording import Progress, Recorded, record_file
from mutua.store.sqlite.folder import located
from mutua.store.sqlite.store import SqliteStore
from mutua.training import Guard, Learned, Told, dataset_of, silent, train


@dataclass(frozen=True)
class Acknowledged:
    """What became of events that were recorded. What is accepted is on disk and in the next slate.

    Args:
        accepted: events new to the log.
        duplicates: events whose id was there already; nothing changed.
        refused: those that could not be accepted, by place in the batch.
        sequences: sequence number of each good event, in order; that of the first for a duplicate.
        version: the log's newest sequence number.
    """

    accepted: int
    duplicates: int
    refused: tuple[Refused, ...]
    sequences: tuple[int, ...]
    version: int


class Recommender:
    """Recommendations from one store. For one thread at a time.

    Example:
        >>> shop = Recommender.open("sqlite:///:memory:")
        >>> shop.record([{"user": "ann", "item": "milk", "type": "purchase"}]).accepted
        1
        >>> shop.recommend("bob").ids
        ('milk',)
        >>> shop.close()
    """

    def __init__(
        self,
        store: SqliteStore,
        settings: Settings,
        now: int | str | None = None,
        state: LiveState | None = None,
    ) -> None:
        self._store = store
        self._state = LiveState(store, settings, now) if state is None else state

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        tenant: str | None = None,
        settings: Settings | None = None,
        now: int | str | None = None,
        write: bool = True,
    ) -> Self:
        """Returns a recommender on a store; one that writes makes the store where there is none.

        Args:
            url: `sqlite:///shop.db`, `sqlite:////var/shop.db`, `sqlite:///:memory:`, or the folder `sqlite:///shops/`;
                default as in the settings.
            tenant: whose store, in a folder; default as in the settings.
            settings: default those of `mutua.toml`, of `shop.toml` beside `shop.db`, and of the environment.
            now: the scoring time of all calls, microseconds UTC; `log` for the newest event's; None for the wall clock.
            write: whether to record, learn and forget; readers need no lock and see what others write.

        Raises:
            StoreLocked: code `store.locked`; another process writes.
            StoreVersion: code `store.version`.
            ConfigError: code `config.invalid`.
            NoTenant: code `tenant.missing`, UnknownTenant: code `tenant.unknown`.
        """
        named = {name: value for name, value in (("url", url), ("tenant", tenant)) if value is not None}
        chosen = load(code={"store": named}).settings if settings is None else settings
        place = located(url or chosen.store.url, chosen.store.tenant if tenant is None else tenant)
        key = tenant_key(chosen.store)
        store = SqliteStore.open(place, write=write, types=chosen.declared_types, key=key)
        try:
            return cls(store, chosen, now)
        except BaseException:
            store.close()
            raise

    def record(self, events: Iterable[AnyEvent | Mapping[str, Any]] | AnyEvent | Mapping[str, Any]) -> Acknowledged:
        """Writes events durably and moves the profiles; a bad event never keeps a good one out.

        Args:
            events: one or several, as `mutua.events.kinds` or as plain objects with the same fields.

        Raises:
            StoreFull: code `store.full`; nothing of the call was kept.

        Cost: one fsync a call.
        """
        moment = clock.now()
        good, refused = _parsed([events] if isinstance(events, Event | Mapping) else events, moment)
        if not good:
            return Acknowledged(0, 0, refused, (), self._store.log.last_sequence())
        self._state.refresh()
        done = self._store.log.append(good, recorded=moment)
        fresh: dict[int, AnyEvent] = {}
        for event, at in zip(good, done.sequences, strict=True):
            if at > done.last - done.accepted:
                fresh.setdefault(at, event)
        self._state.apply(fresh.values(), fresh.keys(), moment)
        return Acknowledged(done.accepted, done.duplicates, refused, done.sequences, done.last)

    def record_file(
        self,
        path: Path | str,
        *,
        mapping: str = "",
        role: str = "",
        source: str = "file",
        progress: Callable[[Progress], None] | None = None,
    ) -> Recorded:
        """Records a file (CSV, TSV, JSONL, Parquet, MovieLens, RecBole, LightGCN), cleaned; see `store.recording`.

        Args:
            mapping: `user=visitorid,item=itemid,time=ts`; what it leaves open is guessed and noted.
            role: `interactions`, `users`, `items` or `events`; empty to tell it by the columns.
            source: who says so.
            progress: called after each batch, when it is on disk.
        """
        store, rules = self._store, self._state.settings.cleaning
        found = record_file(
            store.log,
            store.quarantine,
            Path(path),
            mapping=mapping,
            role=role,
            source=source,
            rules=rules,
            progress=progress,
        )
        self._state.drop()
        return found

    def recommend(
        self,
        user: str | None = None,
        n: int = 10,
        *,
        events: Iterable[Interaction] = (),
        attributes: Mapping[str, Any] | None = None,
        surface: Surface | str = "default",
        context: Mapping[str, Any] | None = None,
        where: Iterable[str] = (),
        exclude: Exclude | None = None,
        omit: Iterable[str] = (),
        now: int | None = None,
        as_of: int | None = None,
        explained: bool = False,
    ) -> Slate:
        """Returns the slate of a user as of now. An unknown user gets a sensible one, not an error.

        Args:
            user: outer id, or None for an anonymous visitor.
            events: further events of the user that are not recorded.
            attributes: of the user, instead of those recorded.
            surface: a configuration, or the name of one in the settings.
            context: what the request is about: `item` of a product page, `cart`, `items` to choose from, and words
                that the surface's rules wait for (see `pipeline.context`).
            where: further rules; exclude: another treatment of items seen already.
            omit: outer ids of items that this slate leaves out; unknown ones are nothing to leave out.
            now: scoring time, microseconds UTC.
            as_of: with the events that were known at this record time, microseconds UTC; also the scoring time.
            explained: whether items carry their reasons.

        Raises:
            UsageError: code `usage`; n outside 1 to 1,000, or a rule, cap or boost that does not fit the catalogue.
            ConfigError: code `config.invalid`; no surface of this name.

        Cost: about 40 µs for a plain surface, a known user and a catalogue of 40,000 items.
        """
        state = self._state
        laps = state.laps
        laps.start()
        state.refresh()
        name = surface if isinstance(surface, str) else ""
        title, about, variant = name or "inline", NO_CONTEXT, ""
        if context:
            about = read_context(context)
            events, omit = (*events, *happening(about, user)), (*omit, *about.seeds)
        if isinstance(surface, Surface):
            chosen = surface
        elif name in state.splits:
            chosen, variant = state.assigned(name, user or about.session)
        else:
            chosen = state.settings.surface(name)
        whole = narrowed(chosen, where, exclude) if where or exclude else chosen
        if context:
            whole = grounded(whole, about, state.catalog, self._store.names.items.get(about.item))
        if variant or whole is not chosen:
            name, chosen = "", whole
        snapshot = state.snapshot(user, events, attributes, now, as_of, chosen, about)
        plan = state.plan(chosen, snapshot, name, title)
        laps.lap("snapshot")
        slate = pipeline.recommend(plan, snapshot, n, state.settings.seed, _known(snapshot, omit), variant, laps)
        if not explained:
            return slate
        told = explained_slate(slate, plan.model, snapshot)
        laps.lap("explain")
        return told

    def explain(self, user: str | None, item: str, *, now: int | None = None) -> Explanation:
        """Returns why an item has its score for a user: exact terms that sum to it.

        Raises:
            NoModel: code `model.none`; nothing was learned yet.
            NotKnown: code `id.unknown`; no such item, or one recorded after the model learned.
        """
        state = self._state
        state.refresh()
        model = state.rankers.model
        return explain(model, state.snapshot(user, now=now), state.item(item, below=model.n_items))

    def learn(
        self,
        model: str | None = None,
        *,
        budget: float | None = None,
        until: int | None = None,
        force: bool = False,
        progress: Told = silent,
    ) -> Learned:
        """Learns from the log, saves the model and puts it in force unless it foresees the newest hours worse.

        Args:
            model: as the registry reads it; default as in the settings.
            budget: seconds for choosing hyper-parameters on held-out training data; 0 takes them as given.
            until: learn only from events up to this time, microseconds UTC.
            force: put it in force whatever the verdict, and though another version is pinned.
            progress: called with what is being done, how much of it is done, and how much there is.

        Raises:
            NotEnoughData: code `data.too-few`.
            UnknownPart: code `part.unknown`.
            StoreLocked: code `store.locked`; another process learns. Recording may go on meanwhile.
        """
        chosen = self._state.settings.learn
        seconds = chosen.budget if budget is None else budget
        done = train(
            self._store,
            self._state.rankers.rating_models,
            model or chosen.model,
            seconds,
            self._state.settings.seed,
            until,
            Guard(chosen.judge_hours, chosen.tolerance, force),
            progress,
        )
        self._state.load_models()
        return done

    @overload
    def evaluate(self, what: Options) -> Document: ...
    @overload
    def evaluate(self, what: str) -> Comparison: ...
    def evaluate(self, what: Options | str) -> Document | Comparison:
        """Returns how well models foresee held-out events of this store, or how an experiment's variants compare.

        Args:
            what: protocol, models, cutoffs … (the path is not used; the test part is read once); or the name of an
                experiment, whose slates a server has logged.

        Raises:
            NotEnoughData: code `data.too-few`; too few events, or no slate of the experiment.
        """
        if isinstance(what, str):
            settings = self._state.settings
            return evaluated(self._store, what, settings.experiments.get(what), settings.seed)
        return run_lab(what, data=dataset_of(self._store))

    def forget(self, user: str | None = None, *, event: str | None = None) -> Receipt:
        """Erases a user, or one event by its id, and returns a receipt; models forget at the next learn.

        Raises:
            NotKnown: code `id.unknown`.
            UsageError: code `usage`; not exactly one of both.
        """
        if (user is None) == (event is None):
            raise UsageError("forget with both or neither", "a user or an event", "name one of them")
        moment = clock.now()
        receipt = (
            forget_user(self._store, user, now=moment)
            if user is not None
            else forget_event(self._store, event or "", now=moment)
        )
        self._state.drop()
        return receipt

    def profile(self, user: str, *, as_of: int | None = None, as_of_event: int | None = None) -> Profile:
        """Returns everything known of a user at one instant.

        Args:
            as_of: as it was known at this record time, microseconds UTC.
            as_of_event: by event time, with today's knowledge.

        Raises:
            NotKnown: code `id.unknown`.
            DamagedModel: code `model.damaged`; what was learned of all users cannot be read.
        """
        state = self._state
        state.refresh()
        return profile_of(self._store, state.people, user, state.now(), as_of=as_of, as_of_event=as_of_event)

    def similar(self, item: str, n: int = 10) -> Slate:
        """Returns the items most like an item, best first.

        Raises:
            NoModel: code `model.none`.
            NotKnown: code `id.unknown`.
        """
        state = self._state
        state.refresh()
        model = state.rankers.model
        return pipeline.similar(model, state.snapshot(None), state.item(item, below=model.n_items), n)

    def predict(self, user: str, item: str) -> Rating:
        """Returns the rating that a user would give an item, with an interval that holds it in 80 % of cases.

        Raises:
            NotSupported: code `model.not-supported`; no values are ratings, so nothing was learned of them.
            NotKnown: code `id.unknown`; no such item.
            DamagedModel: code `model.damaged`.
        """
        state = self._state
        state.refresh()
        model = state.rankers.rating_model
        if not isinstance(model, Rates):
            raise NotSupported("a store without ratings", "events of a rating type", "record ratings, then learn")
        views = fold.view(state.snapshot(user).history, model.encoder, state.now())
        value, low, high = model.predict(views, np.array([state.item(item)], np.int32))[0].tolist()
        return Rating(value, low, high)

    @property
    def store(self) -> SqliteStore:
        """The open store, for tools that look at the log, the names or the versions of the model."""
        return self._store

    @property
    def catalog(self) -> AttributeTable:
        """The attributes of items by inner index."""
        return self._state.catalog

    def close(self) -> None:
        """Closes the store and gives the writer's lock back; closing twice is harmless."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parsed(events: Iterable[AnyEvent | Mapping[str, Any]], now: int) -> tuple[list[AnyEvent], tuple[Refused, ...]]:
    good: list[AnyEvent] = []
    refused: list[Refused] = []
    for place, event in enumerate(events):
        try:
            good.append(checked_event(event, now=now) if isinstance(event, Event) else parse_event(event, now=now))
        except MutuaError as error:
            refused.append(Refused(place, error))
    return good, tuple(refused)


def _known(snapshot: Snapshot, items: Iterable[str]) -> npt.NDArray[np.int32]:
    found = [index for item in items if (index := snapshot.items.get(item)) is not None]
    return np.array(found, np.int32) if found else NOTHING
