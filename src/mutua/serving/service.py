"""The server without the web: live state on one loop, one writing thread, the six verbs as the library has them.

All reading happens on the loop's thread over a store opened for reading; all writing on the writer's. An event is
acknowledged when it is on disk and the state has moved, so the next slate of its user holds it.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

from msgspec.structs import replace
from prometheus_client import generate_latest

from mutua.config import Settings, tenant_key
from mutua.core import clock
from mutua.errors import ConfigError, NotKnown, UsageError
from mutua.events.kinds import AnyEvent, Forget, IdentityLink, Interaction, UserUpsert
from mutua.events.parsing import Parsed, checked_time, parse_batch
from mutua.feedback.comparing import Comparison
from mutua.feedback.evaluating import evaluated
from mutua.pipeline.context import read_context
from mutua.pipeline.spec import Surface
from mutua.privacy.checks import Receipt
from mutua.recommender import Recommender
from mutua.serving import receipts
from mutua.serving.conditions import Condition
from mutua.serving.fallback import Popular
from mutua.serving.figures import Figures
from mutua.serving.messages import Change, Question, Recorded
from mutua.serving.metrics import of_tenant, registry
from mutua.serving.operations import ForgetEvent, ForgetUser
from mutua.serving.overload import level
from mutua.serving.push.courier import CourierCounts
from mutua.serving.push.hub import Hub
from mutua.serving.traffic import Traffic
from mutua.serving.translating import inline, plain, told
from mutua.serving.trial import check_surface
from mutua.serving.workers.figures import joined
from mutua.serving.writer import Committed, Writer, Written
from mutua.serving.writing import Writing
from mutua.slates import Degraded, Slate
from mutua.state import LiveState
from mutua.store.buffering import SlateBuffer
from mutua.store.codec import decode
from mutua.store.logged import ANONYMOUS, LoggedSlate
from mutua.store.sqlite.store import SqliteStore

LOG = logging.getLogger("mutua.server")
Result = TypeVar("Result")
Listener = Callable[[Iterable[AnyEvent], int], None]
Foreseer = Callable[[Iterable[AnyEvent]], None]
"""Called with events just before they move the state."""
FIXED = ("store", "types")
"""Settings that count when a store is opened."""
COMING = 0.25
"""Seconds in which what another worker acknowledged arrives, unless the writer went away just then."""
LATE = "the profile is at version {0}, the wait for {1} ended"


class Service:
    """One tenant's store, live. Used and closed on one event loop.

    Args:
        url: the store's; made where there is none.
        now: fixed scoring time of all slates, microseconds UTC; `log`; None for the wall clock. It is the time of
            events that come without one, too.
        loop: where it will be used, if it is made on another thread; default the running one.
        through: makes the way to the writer; default a thread of this process.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        now: int | str | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        through: Callable[[Service], Writing] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop() if loop is None else loop
        self._by_clock = now is None
        key = tenant_key(settings.store)

        def opened(write: bool) -> SqliteStore:
            return SqliteStore.open(url, write=write, types=settings.declared_types, key=key)

        self._opened = opened
        self.writer: Writing = Writer(lambda: opened(True), self._committed) if through is None else through(self)
        self.writer.start()
        try:
            self.store = opened(False)
        except BaseException:
            self.writer.close()
            raise
        with self.store.database.reading():
            self.version = self.store.log.last_sequence()
            self.state = LiveState(self.store, settings, now, fed=True)
            self.state.warm()
        self.shop = Recommender(self.store, settings, state=self.state)
        self._try_out()
        self.figures = Figures()
        self.state.laps = self.figures.laps
        self.popular = Popular(self.state)
        self.slates = SlateBuffer.open(self.store.address)
        self.hub = Hub(self._followed, loop=self._loop)
        self.listeners: list[Listener] = [self._push]
        self.foreseers: list[Foreseer] = []
        self.forgetters: list[Callable[[str], None]] = [self.hub.forget]
        self.refused_settings = ""
        self.tenant = ""
        self.traffic = Traffic()
        self.posted: Callable[[], CourierCounts | None] = lambda: None
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._asked = 0

    async def record(
        self, given: Sequence[Any], *, receipt: bool = False, only_if: Condition | None = None
    ) -> Recorded:
        """Writes decoded events durably, moves the profiles and returns one outcome an event.

        Args:
            given: as `events.parsing.parse_event` reads them; one without id and time is a fact of its own.
            receipt: tell what they changed for up to ten users; some milliseconds each.
            only_if: what must hold when they are written.

        Raises:
            Overtaken: code `version.overtaken`; it does not hold, nothing was kept.
            TooLarge: code `input.too-large`; over 10,000 events.
            Overloaded: code `server.overloaded`, nothing was kept.
            StoreFull: code `store.full`, nothing was kept.
        """
        started = perf_counter()
        parsed = parse_batch(given, now=clock.now())
        return await self.record_parsed(parsed, perf_counter() - started, receipt=receipt, only_if=only_if)

    async def record_parsed(
        self, parsed: Parsed, seconds: float, *, receipt: bool = False, only_if: Condition | None = None
    ) -> Recorded:
        """As `record`, of a batch that was parsed already in so many seconds."""
        self.figures.parsed(len(parsed.refused), seconds)
        if receipt:
            await self.current()
        before = receipts.seen(self.shop, parsed.events) if receipt else {}
        events = parsed.events if self._by_clock else [self._dated(event) for event in parsed.events]
        done = await self.write(events, only_if)
        changes: list[Change] = receipts.changes(self.shop, before) if receipt else []
        return told(parsed, done, self.version, changes)

    async def write(self, events: Sequence[AnyEvent], only_if: Condition | None = None) -> Written:
        """Writes parsed events durably and returns when the state has moved; raises as `record` does."""
        if not events:
            return Written()
        answer: asyncio.Future[Written] = self._loop.create_future()
        started = perf_counter()
        self.writer.submit(events, answer, only_if)
        done = await answer
        self.figures.written(len(done.fresh), sum(done.fresh), perf_counter() - started)
        return done

    async def recommend(self, question: Question, waited: float = 0.0, deadline: float | None = None) -> Slate:
        """Returns the slate that answers a question, with a note where the wait for a version ended too early.

        Args:
            waited: seconds from its arrival until its turn; what there is no time left for is left out.
            deadline: seconds; default that of the surface.

        Raises:
            TooLate: code `server.late`.
            UsageError: code `usage`, ConfigError: code `config.invalid`, as `Recommender.recommend`.
            DataError: an inline event that cannot be read.
        """
        self._check_question(question)
        if (known := self.writer.acknowledged(question.user)) > self.version:
            await self._caught_up(known)
        late = question.min_version > self.version and not await self.reached(question.min_version, question.wait)
        slate = self.slate(question, waited, deadline)
        if late:
            return replace(slate, notes=(*slate.notes, LATE.format(self.version, question.min_version)))
        return slate

    def _check_question(self, question: Question) -> None:
        """Refuses what no wait would mend."""
        if question.min_version > self.version:
            self.state.settings.surface(question.surface)
            inline(question)
            if question.as_of is not None:
                checked_time(question.as_of, clock.now())

    def slate(self, question: Question, waited: float = 0.0, deadline: float | None = None) -> Slate:
        """Returns the slate that answers a question as of now, as `recommend` does."""
        started = perf_counter()
        surface = self.state.settings.surface(question.surface)
        degraded = level(waited, surface.deadline if deadline is None else deadline)
        laps = self.figures.laps
        slate = self._degraded(question, degraded) if degraded else self._ranked(question, surface, degraded)
        self._log(slate)
        laps.lap("log")
        self.figures.answered(slate.degraded, perf_counter() - started)
        return slate

    def _degraded(self, question: Question, degraded: Degraded) -> Slate:
        """What there is time for, of the configuration that the user gets where an experiment splits the surface."""
        unit = question.user or (read_context(question.context).session if question.context else "")
        name, variant = self.state.branch(question.surface, unit)
        named, laps = self.state.settings.surface(name), self.figures.laps
        if degraded == "popularity" and self._has_list(question, named):
            laps.start()
            slate = self.popular.slate(question.user, question.n, name, question.omit)
            laps.lap("rank")
        else:
            slate = self._ranked(question, named, degraded)
        return replace(slate, surface=question.surface, variant=variant)

    def _has_list(self, question: Question, surface: Surface) -> bool:
        """Whether what is popular can stand for an answer: there is a model, and no rule is the question's own."""
        own = question.where or question.exclude or question.context or any("{" in rule for rule in surface.where)
        return self.state.in_force.model is not None and not own

    def _ranked(self, question: Question, named: Surface, degraded: Degraded) -> Slate:
        lighter = bool(degraded) and (question.explain or not (named.plain and named.ranks_all))
        slate = self.shop.recommend(
            question.user,
            question.n,
            events=inline(question) if question.events else (),
            attributes=question.attributes,
            surface=named.by_relevance() if lighter else question.surface,
            context=question.context,
            where=question.where,
            exclude=question.exclude,
            omit=question.omit,
            as_of=None if question.as_of is None else checked_time(question.as_of, clock.now()),
            explained=question.explain and not lighter,
        )
        if not lighter:
            return slate
        return replace(slate, degraded="linear")

    async def reached(self, version: int, seconds: float) -> bool:
        """Waits until the state holds a sequence number, at most `seconds`, and returns whether it does."""
        if version <= self.version:
            return True
        self._asked += 1
        arrived = self._loop.create_future()
        heapq.heappush(self._waiting, (version, self._asked, arrived))
        try:
            await asyncio.wait_for(arrived, seconds)
        except TimeoutError:
            return version <= self.version
        return True

    async def current(self) -> None:
        """Returns when the state holds all that was acknowledged anywhere; at once where there is one process."""
        if (known := self.writer.newest) > self.version:
            await self._caught_up(known)

    async def _caught_up(self, known: int) -> None:
        """Waits until what another worker acknowledged is here too; if it does not come, reads it in the log."""
        if not await self.reached(known, COMING):
            self._catch_up()

    async def forget(
        self, user: str | None = None, event: str | None = None, only_if: Condition | None = None
    ) -> Receipt:
        """Erases a user, or one event by its id, everywhere; raises as `Recommender.forget`.

        Args:
            only_if: what must hold of the user, else `Overtaken` is raised.
        """
        if (user is None) == (event is None):
            raise UsageError("forget with both or neither", "a user or an event", "name one of them")
        asked = ForgetUser(user, clock.now(), only_if) if user is not None else ForgetEvent(event or "", clock.now())
        await asyncio.to_thread(self.slates.flush)
        receipt = await self.call(asked)
        self.forgot(user, receipt.indices, max(receipt.sequences, default=0))
        return receipt

    def forgot(self, user: str | None, indices: Sequence[int], last: int) -> int:
        """Drops all that is kept here of a user or an event erased from the store, and returns how many slates it was.

        Args:
            indices: inner indices that are tombstones now; last: the newest sequence number.
        """
        for forget in self.forgetters if user is not None else ():
            forget(user or "")
        self.state.drop()
        self._move_on(max(self.version, last))
        return self.slates.erase_users(indices)

    async def call(self, run: Callable[[SqliteStore], Result]) -> Result:
        """Carries out one of the `operations` on the writing store, between two commits, and returns its result."""
        return await asyncio.wrap_future(self.writer.call(run))

    def configure(self, settings: Settings) -> None:
        """Takes new settings into use from the next request on, every surface tried before.

        Raises:
            ConfigError: code `config.invalid`; what is fixed when a store is opened was changed.
            UsageError: code `usage`; a surface whose rules, caps or boosts do not fit the catalogue.
        """
        for name in FIXED:
            if getattr(self.state.settings, name) != getattr(settings, name):
                raise ConfigError(
                    f"a change of [{name}]", "the same as at the start", "restart the server to change it"
                )
        for name, surface in settings.surfaces.items():
            check_surface(self.state, name, surface)
        self.state.configure(settings)
        self.refused_settings = ""
        self.hub.all_moved(self.version)

    def known(self, user: str) -> int:
        """Returns the inner index of a user.

        Raises:
            NotKnown: code `id.unknown`.
        """
        index = self.store.names.vocabulary("users").get(user)
        if index is None:
            raise NotKnown(f"user {user[:60]!r}", "a recorded user", "check the spelling; a forgotten user is unknown")
        return index

    def export(self, user: str) -> list[Mapping[str, Any]]:
        """Returns all events of a user and of the ids linked to him, in log order, as JSON values.

        Raises:
            NotKnown: code `id.unknown`.
        """
        batch = self.store.log.read_user(self.known(user))
        placed = zip(decode(batch), batch["sequence"], batch["recorded"], strict=True)
        return [
            {"sequence": sequence, "recorded": recorded / clock.SECOND, **plain(event)}
            for event, sequence, recorded in placed
        ]

    async def compared(self, experiment: str) -> Comparison:
        """Returns how an experiment's variants compare, read by a thread; raises as `Recommender.evaluate`."""
        settings = self.state.settings
        self.slates.flush()

        def compare() -> Comparison:
            with self._opened(False) as store:
                return evaluated(store, experiment, settings.experiments.get(experiment), settings.seed)

        return await asyncio.to_thread(compare)

    def readiness(self) -> dict[str, Any]:
        """Returns whether requests can be answered well, and what a person on duty wants to know."""
        force = self.state.in_force
        return {
            "ready": self.writer.ready,
            "version": self.version,
            "model_version": force.version,
            "waiting_events": self.writer.waiting,
            "notes": [note for note in (force.note, self.refused_settings) if note],
        }

    def renew_model(self) -> None:
        """Takes the model that is in force now into use, between two requests."""
        self.state.load_models()
        self.hub.all_moved(self.version)
        LOG.info("model %s is in force", self.state.in_force.version or "none")

    async def follow_models(self, every: float = 0.5) -> None:
        """Takes each newly published model into use between two requests, until cancelled.

        Args:
            every: seconds between looks at the pointer to the model in force.
        """
        seen = self.store.models.state()
        while True:
            await asyncio.sleep(every)
            if (now := self.store.models.state()) != seen:
                seen = now
                self.renew_model()

    def close(self) -> None:
        """Ends the streams, writes what is queued and closes the store; closing twice is harmless."""
        self.hub.close()
        self.writer.close()
        self.slates.close()
        self.store.close()

    def _try_out(self) -> None:
        """Answers once before anybody asks: kernels are compiled and kept now, not in a request or on a full disk."""
        users = self.store.names.vocabulary("users")
        self.shop.recommend(users.outer(0) if len(users) else None, surface=Surface())

    def _dated(self, event: AnyEvent) -> AnyEvent:
        """The event, at the service's own time where it comes without one; with an id, for two equal clicks are two."""
        if event.time is not None:
            return event
        return replace(event, time=self.state.now(), id=event.id or secrets.token_hex(16))

    def _followed(self, user: str, n: int, surface: str) -> Slate:
        """The slate of a stream, with nothing left to chance: what chance changes would be pushed for no reason."""
        named, variant = self.state.assigned(surface, user)
        slate = self.shop.recommend(user, n, surface=replace(named, explore=0.0, temperature=0.0))
        slate = replace(slate, surface=surface, variant=variant)
        self._log(slate)
        return slate

    def _log(self, slate: Slate) -> None:
        """Keeps a slate, so that feedback can name it; it is on disk within moments, and never waited for."""
        names = self.store.names
        items = names.vocabulary("items")
        user = None if slate.user is None else names.vocabulary("users").get(slate.user)
        placed = slate.inner or [index for entry in slate.items if (index := items.get(entry.item)) is not None]
        who, seed = ANONYMOUS if user is None else user, self.state.settings.seed
        self.slates.put(LoggedSlate.of(slate, placed, user=who, variant=slate.variant, seed=seed))

    def _push(self, events: Iterable[AnyEvent], version: int) -> None:
        followed = self.hub.followed
        if not followed:
            return
        users = {event.user for event in events if isinstance(event, Interaction | UserUpsert | IdentityLink)}
        self.hub.moved(self._joined(users) & followed, version)

    def _joined(self, users: set[str]) -> set[str]:
        """The users and all who are the same person as one of them."""
        union = self.store.identity.union()
        if not union.canonical:
            return users
        names = self.store.names.vocabulary("users")
        inner = {member for index in names.found(users) if index is not None for member in union.of(index)}
        return {outer for outer in names.outers(list(inner)) if outer is not None}

    def report(self) -> bytes:
        """Returns the figures as text for Prometheus; of a tenant among several his own alone."""
        return generate_latest(of_tenant(self, self.tenant) if self.tenant else registry(self))

    async def reports(self) -> bytes:
        """Returns the figures of all workers, each with its number; of the one process as they are."""
        found = await asyncio.wrap_future(self.writer.gather())
        return joined(found) if found else self.report()

    def _committed(self, done: Committed) -> None:
        self._loop.call_soon_threadsafe(self.committed, done)

    def committed(self, done: Committed) -> None:
        """Takes a commit in and answers its senders; where others came between, they are read in the log first."""
        if done.last - len(done.fresh) > self.version:
            self._catch_up()
        elif done.fresh:
            self._move(done.fresh, done.sequences, done.recorded)
        self._move_on(max(self.version, done.last))
        for answer, result in done.answers:
            if not answer.done():
                _tell(answer, result)

    def _catch_up(self) -> None:
        """Moves the state by all events of the log that it does not hold."""
        for batch in self.store.log.read(after=self.version):
            events = tuple(decode(batch))
            if any(isinstance(event, Forget) for event in events):
                self.state.drop()
            self._move(events, batch["sequence"].to_list(), clock.now())
        self._move_on(self.version)

    def _move(self, events: Sequence[AnyEvent], sequences: Sequence[int], recorded: int) -> None:
        if sequences[0] <= self.version:
            known = bisect_right(sequences, self.version)
            events, sequences = events[known:], sequences[known:]
        if not events:
            return
        for foresee in self.foreseers:
            foresee(events)
        started = perf_counter()
        self.state.apply(events, sequences, recorded)
        self.figures.applied(perf_counter() - started)
        self.version = sequences[-1]
        for listener in self.listeners:
            listener(events, self.version)

    def _move_on(self, version: int) -> None:
        """Lets those go on who waited for a version."""
        self.version = version
        while self._waiting and self._waiting[0][0] <= version:
            arrived = heapq.heappop(self._waiting)[2]
            if not arrived.done():
                arrived.set_result(None)


def _tell(answer: asyncio.Future[Written], told: Written | Exception) -> None:
    if isinstance(told, Exception):
        answer.set_exception(told)
    else:
        answer.set_result(told)
