"""Identity links folded: which users are one person, now or as known at an earlier time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.events.kinds import IdentityLink
from mutua.store.codec import payload_fields
from mutua.store.sqlite.connection import Database
from mutua.store.sqlite.inspection import newest_of
from mutua.store.sqlite.keys import Seals
from mutua.store.sqlite.names import SqliteNames


@dataclass(frozen=True)
class Link:
    """One link or its undoing, in inner users; times in microseconds UTC."""

    sequence: int
    time: int
    recorded: int
    user: int
    other: int
    undo: bool


@dataclass(frozen=True)
class Union:
    """The people that links make.

    Args:
        members: by linked user, all users of that person in order of index, himself included.
        canonical: by linked user, the one whose index stands for the person.
    """

    members: Mapping[int, tuple[int, ...]]
    canonical: Mapping[int, int]

    def applied(self, users: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int32]:
        """Returns `users`, int32 inner indices below `size`, each as the canonical user of that person."""
        if not self.canonical:
            return users
        table = np.arange(size, dtype=np.int32)
        table[list(self.canonical)] = list(self.canonical.values())
        return table[users]


def joined(links: Iterable[Link]) -> Union:
    """Returns the union that links make, whatever the order they come in.

    The newest word on a pair, by time then sequence, decides whether it is linked. A person's canonical user is the
    smallest index among those that no standing link calls `other`, or the smallest of all in a circle.
    """
    newest: dict[frozenset[int], Link] = {}
    for link in sorted(links, key=lambda link: (link.time, link.sequence)):
        newest[frozenset((link.user, link.other))] = link
    standing = [link for link in newest.values() if not link.undo]
    groups: dict[int, set[int]] = {}
    for link in standing:
        merged = groups.get(link.user, {link.user}) | groups.get(link.other, {link.other})
        groups.update(dict.fromkeys(merged, merged))
    others = {link.other for link in standing if link.other != link.user}
    return Union(
        members={user: tuple(sorted(group)) for user, group in groups.items()},
        canonical={user: min(group - others or group) for user, group in groups.items()},
    )


class SqliteIdentity:
    """The identity links of one store; reads new ones from the log when there are any."""

    def __init__(self, database: Database, names: SqliteNames, seals: Seals) -> None:
        self._database, self._names, self._seals = database, names, seals
        self._state = self._version = (-1, -1)
        self._links: list[Link] = []
        self._union = joined(())

    def members(self, user: int, *, as_of: int | None = None) -> tuple[int, ...]:
        """Returns the inner users that are the same person as `user`, himself included, as known at `as_of`."""
        return self.union(as_of=as_of).members.get(int(user), (int(user),))

    def canonical(self, user: int, *, as_of: int | None = None) -> int:
        """Returns the inner user that stands for the person."""
        return self.union(as_of=as_of).canonical.get(int(user), int(user))

    def union(self, *, as_of: int | None = None) -> Union:
        """Returns who is one person, by the links recorded until `as_of`; about 3 µs when nothing changed."""
        self._refresh()
        return self._union if as_of is None else joined(link for link in self._links if link.recorded <= as_of)

    def naming(self, users: Iterable[int]) -> list[int]:
        """Returns the sequence numbers of all links, undone ones too, that name one of `users` on either side."""
        self._refresh()
        wanted = set(users)
        return [link.sequence for link in self._links if wanted & {link.user, link.other}]

    def _refresh(self) -> None:
        state = self._database.state()
        if state == self._state:
            return
        version = newest_of(self._database, IdentityLink.number)
        if version != self._version:
            self._links, self._version = self._read(), version
            self._union = joined(self._links)
        self._state = state

    def _read(self) -> list[Link]:
        rows = self._database.rows(
            f"SELECT seq, time, recorded, user, id, payload, sealed FROM event "
            f"WHERE kind > 0 AND kind = {IdentityLink.number} ORDER BY seq"
        )
        users, links = self._names.users, []
        for sequence, time, recorded, user, event, payload, sealed in rows:
            fields = payload_fields(self._seals.open(user, payload, event) if sealed else payload)
            other = users.get(fields["other"])
            if other is not None:
                links.append(Link(sequence, time, recorded, user, other, fields.get("undo", False)))
        return links
