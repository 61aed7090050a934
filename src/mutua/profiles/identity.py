"""Identity: which ids are one person. Links have dates and can be undone; a person's history is that of all members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.profiles.history import EMPTY, WINDOW, History
from mutua.profiles.tail import Tail


@dataclass(frozen=True, slots=True)
class Link:
    """`other` is the same person as `user`, or (undo) is not after all.

    Args:
        user, other: inner user indices.
        time: since when, microseconds UTC; sequence: position in the log.
        undo: whether it takes the link between the two back.
    """

    user: int
    other: int
    time: int
    sequence: int
    undo: bool = False


@dataclass(frozen=True)
class Union:
    """The people that links make; ids without a link stand for themselves.

    Args:
        canonical: by linked user, the one that stands for the person.
        members: by canonical user, all users of the person, ascending.
    """

    canonical: Mapping[int, int]
    members: Mapping[int, tuple[int, ...]]

    def of(self, user: int) -> tuple[int, ...]:
        """Returns all users of the person that `user` is, itself included."""
        return self.members.get(self.canonical.get(user, user), (user,))

    def applied(self, users: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int32]:
        """Returns `users`, int32 inner indices below `size`, each as the one that stands for the person."""
        if not self.canonical:
            return users
        table = np.arange(size, dtype=np.int32)
        table[list(self.canonical)] = list(self.canonical.values())
        return table[users]


def canonical(links: Iterable[Link], as_of: int | None = None) -> Union:
    """Returns who is one person by the links dated until `as_of` (microseconds UTC; default: all).

    The newest word on a pair, by time then sequence, decides whether it is linked, so an undone link leaves no trace
    and the order in which links come makes none. The smallest user that no standing link calls `other` stands for the
    person, or the smallest of all in a circle.

    Example:
        >>> links = [Link(1, 8, 10, 1), Link(1, 9, 20, 2), Link(1, 8, 30, 3, undo=True)]
        >>> canonical(links).of(9), canonical(links).of(8), canonical(links, as_of=25).of(8)
        ((1, 9), (8,), (1, 8, 9))
    """
    newest: dict[tuple[int, int], Link] = {}
    for link in sorted(links, key=lambda link: (link.time, link.sequence)):
        if as_of is None or link.time <= as_of:
            newest[min(link.user, link.other), max(link.user, link.other)] = link
    standing = [link for link in newest.values() if not link.undo and link.user != link.other]
    parent: dict[int, int] = {}
    for link in standing:
        parent[_root(parent, link.other)] = _root(parent, link.user)
    groups: dict[int, list[int]] = {}
    for user in sorted(parent):
        groups.setdefault(_root(parent, user), []).append(user)
    others = {link.other for link in standing}
    members = {min(set(group) - others or group): tuple(group) for group in groups.values()}
    return Union({user: head for head, group in members.items() for user in group}, members)


def _root(parent: dict[int, int], user: int) -> int:
    above = parent.setdefault(user, user)
    while above != parent[above]:
        parent[user] = parent[above]
        user, above = above, parent[above]
    return above


def merged(histories: Sequence[History], window: int = WINDOW) -> History:
    """Returns the history of one person from the histories of the members.

    With every event in its member's window, the bits are those of recording under a single id. Tails are added up and
    agree to 1e-9.
    """
    known = [history for history in histories if history.version > 0]
    if not known:
        return EMPTY
    tail = known[0].tail
    for history in known[1:]:
        tail = _joined(tail, history.tail)
    item, type, value, time, sequence = (
        np.concatenate(columns) for columns in zip(*(history.columns for history in known), strict=True)
    )
    order = np.lexsort((sequence, time))
    return History(item[order], type[order], value[order], time[order], sequence[order], tail).bounded(window)


def _joined(one: Tail, other: Tail) -> Tail:
    """Rows stay apart by member: the fold adds rows of one item up, each faded from its own time."""
    if not len(one) or not len(other):
        return one if len(one) else other
    item, type, sums, count, valued, last = (
        np.concatenate(columns) for columns in zip(one.columns, other.columns, strict=True)
    )
    newest = max(one.sequence, other.sequence)
    return Tail(max(one.time, other.time), item, type, sums, count, valued, last, newest)


NO_LINKS = canonical(())
