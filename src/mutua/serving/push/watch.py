"""The watch over a store's events: keeps who cares for what and what lies in carts, and finds triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from mutua.core import clock
from mutua.events.kinds import AnyEvent, Consent, Interaction, ItemUpsert
from mutua.serving.push.audience import Audience
from mutua.serving.push.carts import Carts, Left
from mutua.serving.push.shelf import Shelf
from mutua.serving.push.triggers import ItemChange, Trigger, TriggerSettings, cart_trigger, triggers_of
from mutua.store.codec import decode
from mutua.store.sqlite.store import SqliteStore

CART, PURCHASE, PERSONALISE = "cart", "purchase", "personalise"
RECENT = 100_000
"""Events of the log from which a watch starts."""


class WatchCounts(msgspec.Struct, frozen=True):
    """Labels with an audience and items in carts now; since the start, triggers found and changed items passed over."""

    labels: int
    carts: int
    found: int
    skipped: int


class Watch:
    """Finds triggers in events, in log order. For one thread at a time; bounded in memory and in work.

    Users who refused to be personalised are told nothing.

    Args:
        store: open for reading; whoever feeds the watch has brought its names up to the events.
        now: the clock that events without a time are given theirs by, microseconds UTC.
    """

    def __init__(
        self, store: SqliteStore, settings: TriggerSettings | None = None, now: Callable[[], int] = clock.now
    ) -> None:
        self._store, self._settings, self._now = store, settings or TriggerSettings(), now
        self._audience, self._carts = Audience(now()), Carts(self._settings.patience)
        self._shelf = Shelf(self._settings.stock)
        self._items = store.names.vocabulary("items")
        self._refused: set[str] = set()
        self._found = self._skipped = 0

    def resume(self, seen: int, recent: int = RECENT) -> list[Trigger]:
        """Starts from the newest events of the log; called once, before any other event comes.

        Args:
            seen: the log's sequence number up to which triggers were handed on; 0 for a first start.

        Returns:
            The triggers in later events; none at a first start, for what is in the log then is no news.
        """
        log, last = self._store.log, self._store.log.last_sequence()
        start = max(last - recent, 0)
        self._shelf.load(self._store.catalog.item_facts(), start)
        for batch in log.read(kinds=[Consent.number]):
            self._take(decode(batch), batch["sequence"])
        found: list[Trigger] = []
        for batch in log.read(after=start):
            taken = self._take(decode(batch), batch["sequence"])
            found += [trigger for trigger in taken if trigger.sequence > (seen or last)]
        return self._told(found)

    def moved(self, events: Iterable[AnyEvent], version: int) -> list[Trigger]:
        """Takes the events of one commit and returns the triggers in them.

        Args:
            events: those new to the log, in order; version: the sequence number of the last of them.
        """
        fresh = tuple(events)
        return self._told(self._take(fresh, range(version - len(fresh) + 1, version + 1)))

    def sweep(self) -> list[Trigger]:
        """Returns the carts that were abandoned by now; for a timer, every minute or so."""
        now = self._now()
        left = (cart_trigger(one, self._settings) for one in self._carts.abandoned(now))
        return self._told(trigger for trigger in left if self._is_news(trigger.time, now))

    def forget(self, user: str) -> None:
        """Drops all that is kept of a user who was erased."""
        self._audience.forget(user)
        self._carts.forget(user)
        self._refused.discard(user)

    def counts(self) -> WatchCounts:
        """Returns the figures as of now."""
        return WatchCounts(len(self._audience), len(self._carts), self._found, self._skipped)

    def _take(self, events: Iterable[AnyEvent], sequences: Iterable[int]) -> list[Trigger]:
        """Moves by all events; triggers are sought in the first changed items only, so that an import stays cheap."""
        types, now, looked = self._store.names.types, self._now(), 0
        weights, found = types.weights(), list[Trigger]()
        for event, sequence in zip(events, sequences, strict=True):
            time = now if event.time is None else event.time
            if isinstance(event, Interaction):
                kind = types.known(event.type)
                if kind is not None:
                    self._interaction(event, types.names[kind], weights[kind], time, sequence)
            elif isinstance(event, ItemUpsert):
                change = self._change(event, time, sequence)
                if change is not None and self._is_news(time, now):
                    looked += 1
                    if looked <= self._settings.items:
                        found += triggers_of(change, self._audience, self._settings)
            elif isinstance(event, Consent) and event.purpose == PERSONALISE:
                (self._refused.discard if event.granted else self._refused.add)(event.user)
        self._skipped += max(looked - self._settings.items, 0)
        return found

    def _told(self, found: Iterable[Trigger]) -> list[Trigger]:
        told = [trigger for trigger in found if trigger.user not in self._refused]
        self._found += len(told)
        return told

    def _is_news(self, time: int, now: int) -> bool:
        return now - time <= self._settings.fresh * clock.SECOND

    def _interaction(self, event: Interaction, name: str, weight: float, time: int, sequence: int) -> None:
        if name == CART:
            self._carts.put(Left(event.user, event.item, time, sequence))
        elif name == PURCHASE or weight < 0:
            self._carts.taken(event.user, event.item, time)
        if weight == 0.0:
            return
        item = self._items.get(event.item)
        categories = () if item is None else self._shelf.categories(item)
        self._audience.moved(event.user, event.item, categories, weight, time)

    def _change(self, event: ItemUpsert, time: int, sequence: int) -> ItemChange | None:
        """Takes a statement; None where it changes nothing that triggers look at."""
        item = self._items.get(event.item)
        if item is None:
            return None
        before, after = self._shelf.say(item, event.attributes, time)
        return None if before == after else ItemChange(event.item, before, after, time, sequence)
