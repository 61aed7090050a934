"""Identity links folded: which users are one person, now or as known at an earlier time."""

from __future__ import annotations

from collections.abc import Iterable

from mutua.events.kinds import IdentityLink
from mutua.profiles.identity import Link, Union, canonical
from mutua.store.codec import payload_fields
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.inspection import newest_of
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import SqliteNames


class SqliteIdentity:
    """The identity links of one store; reads new ones from the log when there are any."""

    def __init__(self, database: Database, names: SqliteNames, seals: Seals) -> None:
        self._database, self._names, self._seals = database, names, seals
        self._state = self._version = (-1, -1)
        self._links: list[tuple[int, Link]] = []
        self._union = canonical(())

    def members(self, user: int, *, as_of: int | None = None) -> tuple[int, ...]:
        """Returns the inner users that are the same person as `user`, himself included, as known at `as_of`."""
        return self.union(as_of=as_of).of(int(user))

    def canonical(self, user: int, *, as_of: int | None = None) -> int:
        """Returns the inner user that stands for the person."""
        return self.union(as_of=as_of).canonical.get(int(user), int(user))

    def union(self, *, as_of: int | None = None) -> Union:
        """Returns who is one person, by the links recorded until `as_of`; about 3 µs when nothing changed."""
        self._refresh()
        return self._union if as_of is None else canonical(link for recorded, link in self._links if recorded <= as_of)

    def naming(self, users: Iterable[int]) -> list[int]:
        """Returns the sequence numbers of all links, undone ones too, that name one of `users` on either side."""
        self._refresh()
        wanted = set(users)
        return [link.sequence for _, link in self._links if wanted & {link.user, link.other}]

    def _refresh(self) -> None:
        state = self._database.state()
        if state == self._state:
            return
        version = newest_of(self._database, IdentityLink.number)
        if version != self._version:
            self._links, self._version = self._read(), version
            self._union = canonical(link for _, link in self._links)
        self._state = state

    def _read(self) -> list[tuple[int, Link]]:
        """Returns record time, microseconds UTC, and link."""
        rows = self._database.rows(
            f"SELECT seq, time, recorded, user, id, payload, sealed FROM event "
            f"WHERE kind > 0 AND kind = {IdentityLink.number} ORDER BY seq"
        )
        users, links = self._names.users, []
        for sequence, time, recorded, user, event, payload, sealed in rows:
            fields = payload_fields(self._seals.open(user, payload, event) if sealed else payload)
            other = users.get(fields["other"])
            if other is not None:
                links.append((recorded, Link(user, other, time, sequence, fields.get("undo", False))))
        return links
