"""Who follows whose slate, and the recomputing of slates when profiles move.

All of it runs on one event loop. A moved user waits in line once, however many events came; each turn of the loop
recomputes one user, so that requests are answered in between, and readers never wait for one another.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Set
from hashlib import blake2b

import msgspec

from mutua.errors import MutuaError, Overloaded
from mutua.serving.push.change import THRESHOLD, changed, changes
from mutua.serving.push.subscription import CLOSED, FAILED, SLOW, Key, Pushed, Subscription
from mutua.slates import Slate

LOG = logging.getLogger("mutua.server")
SlateOf = Callable[[str, int, str], Slate]
"""From user, length and surface to the slate as of now."""


class PushSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How slates are pushed.

    Args:
        threshold: share of places that must differ (see `change`).
        heartbeat: seconds of silence before a sign of life.
        depth: slates that may wait for a reader before he is dropped.
        readers: subscribers in all; each: subscribers of one user.
        remembered: lists of readers who went, kept to say what changed while they were away.
    """

    threshold: float = THRESHOLD
    heartbeat: float = 15.0
    depth: int = 8
    readers: int = 10_000
    each: int = 10
    remembered: int = 10_000


class HubCounts(msgspec.Struct, frozen=True):
    """Subscribers now, and since the start: slates pushed, readers dropped as slow, slates computed; users in line."""

    subscribers: int
    pushed: int
    dropped: int
    computed: int
    waiting: int


class Hub:
    """The subscriptions of one tenant. Used on one loop, as is all that it calls.

    Args:
        slate_of: makes a slate; a few tens of microseconds, for it runs on the loop.
        loop: default the running one.
    """

    def __init__(
        self,
        slate_of: SlateOf,
        settings: PushSettings | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._slate_of, self._settings = slate_of, settings or PushSettings()
        self._loop = asyncio.get_running_loop() if loop is None else loop
        self._readers: dict[str, dict[Key, list[Subscription]]] = {}
        self._moved: dict[str, None] = {}
        self._remembered: OrderedDict[Key, tuple[str, tuple[str, ...]]] = OrderedDict()
        self._version = self._subscribers = self._pushed = self._dropped = self._computed = 0
        self._closed = self._scheduled = False

    def subscribe(self, user: str, n: int = 10, surface: str = "default", last_id: str | None = None) -> Subscription:
        """Returns a new reader's subscription; the current slate comes first, unless he names it as his last.

        Args:
            last_id: `Pushed.id` of the newest slate that the reader has.

        Raises:
            Overloaded: code `server.overloaded`; too many readers, in all or of this user, or the hub is closed.
            MutuaError: what making the slate raises, such as an unknown surface.
        """
        self._check_room(user)
        key = (user, n, surface)
        current = self._current(key)
        reader = Subscription(key, self._settings.depth, self._settings.heartbeat, self._gone)
        self._readers.setdefault(user, {}).setdefault(key, []).append(reader)
        self._subscribers += 1
        if last_id == current.id:
            reader.given = current.slate.ids
        else:
            known, ids = self._remembered.get(key, ("", ()))
            if known == last_id:
                reader.given = ids
            self._push(reader, current)
        self._remember(key, current)
        return reader

    @property
    def followed(self) -> Set[str]:
        """The users whom anybody follows, outer ids."""
        return self._readers.keys()

    def moved(self, users: Iterable[str], version: int) -> None:
        """Takes note of users whose profiles moved; slates follow in the next turns of the loop, one user a turn.

        Args:
            users: outer ids, those linked to them included; version: the log's newest sequence number.
        """
        self._version = max(self._version, version)
        readers = self._readers
        self._moved.update((user, None) for user in users if user in readers)
        self._schedule()

    def all_moved(self, version: int) -> None:
        """As `moved` of everybody followed: the model, the catalogue or a surface changed."""
        self.moved(tuple(self._readers), version)

    def forget(self, user: str) -> None:
        """Ends what follows a user who was erased, and remembers none of his lists."""
        for reader in self._of(user):
            reader.close()
        for key in [key for key in self._remembered if key[0] == user]:
            del self._remembered[key]

    def counts(self) -> HubCounts:
        """Returns the figures as of now."""
        return HubCounts(self._subscribers, self._pushed, self._dropped, self._computed, len(self._moved))

    def close(self) -> None:
        """Ends every subscription after what is queued for it; closing twice is harmless."""
        self._closed = True
        self._moved.clear()
        for user in tuple(self._readers):
            for reader in self._of(user):
                reader.end(CLOSED)

    def _check_room(self, user: str) -> None:
        own = len(self._of(user))
        if self._closed or self._subscribers >= self._settings.readers or own >= self._settings.each:
            came = (
                "the server is closing" if self._closed else f"{own} streams of this user, {self._subscribers} in all"
            )
            limits = f"at most {self._settings.each} of a user and {self._settings.readers} in all"
            raise Overloaded(came, limits, "close one, or come again later")

    def _of(self, user: str) -> list[Subscription]:
        return [reader for readers in self._readers.get(user, {}).values() for reader in readers]

    def _schedule(self) -> None:
        if self._moved and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Recomputes the user who waits longest."""
        self._scheduled = False
        if self._moved:
            user = next(iter(self._moved))
            del self._moved[user]
            for key, readers in tuple(self._readers.get(user, {}).items()):
                self._renew(key, tuple(readers))
        self._schedule()

    def _renew(self, key: Key, readers: tuple[Subscription, ...]) -> None:
        try:
            current = self._current(key)
        except MutuaError as reason:
            LOG.warning("a stream ends, its slate cannot be made: %s", reason.code)
            return _end(readers)
        except Exception:
            LOG.exception("a fault in making the slate of a stream")
            return _end(readers)
        for reader in readers:
            if changed(reader.given, current.slate.ids, self._settings.threshold):
                self._push(reader, current)
                self._remember(key, current)
        return None

    def _current(self, key: Key) -> Pushed:
        self._computed += 1
        slate = self._slate_of(*key)
        return Pushed(slate_id(slate), slate, version=self._version)

    def _push(self, reader: Subscription, current: Pushed) -> None:
        told = changes(reader.given, current.slate.ids)
        if reader.put(msgspec.structs.replace(current, changes=told)):
            self._pushed += 1

    def _remember(self, key: Key, pushed: Pushed) -> None:
        self._remembered[key] = pushed.id, pushed.slate.ids
        self._remembered.move_to_end(key)
        if len(self._remembered) > self._settings.remembered:
            self._remembered.popitem(last=False)

    def _gone(self, reader: Subscription) -> None:
        self._subscribers -= 1
        self._dropped += reader.reason == SLOW
        user = reader.key[0]
        followed = self._readers[user]
        followed[reader.key].remove(reader)
        if not followed[reader.key]:
            del followed[reader.key]
        if not followed:
            del self._readers[user]


def slate_id(slate: Slate) -> str:
    """Returns the profile's sequence number and 32 bits of a hash of the list, `1042-5f0c9a21`.

    The number alone would not do: a new model or a changed catalogue changes the list at the same profile.
    """
    listed = blake2b("\x1f".join(slate.ids).encode(), digest_size=4)
    return f"{slate.profile_version}-{listed.hexdigest()}"


def _end(readers: Iterable[Subscription]) -> None:
    for reader in readers:
        reader.end(FAILED)
