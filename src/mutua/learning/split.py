"""A split: what is learned from, what is held out, and when each user is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mutua.core.seeds import stream
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.learning.itemsets import Ints, ItemSets, Longs

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Split:
    """Interactions cut in two; no row is in both.

    Args:
        name: how it was cut, for reports.
        train: grouped by user, each user's in canonical order.
        test: the rows held out, in the same order.
        moment: int64 [n_users], when each user is asked, microseconds UTC.
        drawn: whether another seed holds out other rows.
    """

    name: str
    train: Interactions
    test: Interactions
    moment: Longs
    drawn: bool = False


@dataclass(frozen=True, eq=False)
class Questions:
    """What a model is asked: for each of u users, which items come next?

    Args:
        users: int32 [u], ascending; moment: int64 [u], microseconds UTC.
        targets: the items held out; never empty.
        banned: the items that no list may hold.
        left_out: users with held-out rows, but without a target that may be shown.
    """

    users: Ints
    moment: Longs
    targets: ItemSets
    banned: ItemSets
    left_out: int

    def __len__(self) -> int:
        return len(self.users)

    def take(self, chosen: npt.NDArray[np.intp]) -> Questions:
        """Returns the questions at these positions, which must ascend."""
        return replace(
            self,
            users=self.users[chosen],
            moment=self.moment[chosen],
            targets=self.targets.take(chosen),
            banned=self.banned.take(chosen),
        )


def questions(split: Split, exclude_seen: bool) -> Questions:
    """Returns the questions of a split.

    Args:
        exclude_seen: whether items on which a user has a target event in training are banned, and so no targets.

    Raises:
        NotEnoughData: code `data.too-few`; no user has a target.
    """
    size = split.train.n_users
    held, had = split.test.is_target, split.train.is_target
    targets = ItemSets.of(split.test.user[held], split.test.item[held], size)
    banned = ItemSets.of(split.train.user[had], split.train.item[had], size) if exclude_seen else ItemSets.empty(size)
    targets = targets.minus(banned)
    chosen = np.flatnonzero(np.diff(targets.start) > 0)
    if not len(chosen):
        raise NotEnoughData(
            f"no user with an item to find among {len(split.test)} held-out events ({split.name})",
            "at least one held-out event of a target type"
            + (" on an item that is new to its user" if exclude_seen else ""),
            "hold out more events, name another target type, or do not exclude seen items",
        )
    asked = len(np.unique(split.test.user))
    users = chosen.astype(np.int32)
    return Questions(users, split.moment[chosen], targets.take(chosen), banned.take(chosen), asked - len(users))


def separate(rows: Interactions, held: Mask, name: str, moment: int | Longs | None = None) -> Split:
    """Returns the split that holds out the target rows under `held`; other rows under it are in neither part.

    Args:
        rows: any order.
        moment: when users are asked; default: the newest time of the training rows.
    """
    train, test = rows.take(~held).by_user(), rows.take(held & rows.is_target).by_user()
    when = int(train.time.max(initial=0)) if moment is None else moment
    return Split(name, train, test, np.broadcast_to(np.asarray(when, np.int64), rows.n_users).copy())


def by_time(rows: Interactions, at: int) -> Split:
    """Returns the split at one instant for all: events at `at` (microseconds UTC) or later are held out."""
    return separate(rows, rows.time >= at, "time", at)


def by_share_of_time(rows: Interactions, fraction: float) -> Split:
    """Returns the split that holds out the newest `fraction` of rows; rows of one instant stay together.

    Where no time tells rows apart, the order of the log does.
    """
    order = np.lexsort((rows.sequence, rows.time))
    cut = min(int(np.ceil(len(rows) * (1.0 - fraction))), len(rows) - 1)
    if rows.has_time:
        at = int(rows.time[order[cut]])
        return by_time(rows, at if at > rows.time.min() else at + 1)
    held = np.zeros(len(rows), np.bool_)
    held[order[cut:]] = True
    return separate(rows, held, "order of the log")


def leave_last(rows: Interactions) -> Split:
    """Returns the split that holds out each user's newest target row, where the user has two or more.

    Users are asked at the time of that row, and what they did after it is in neither part.
    """
    ordered = rows.by_user()
    positions = np.flatnonzero(ordered.is_target)
    users, first, count = np.unique(ordered.user[positions], return_index=True, return_counts=True)
    last = np.full(rows.n_users, len(ordered), np.int64)
    last[users[count > 1]] = positions[(first + count - 1)[count > 1]]
    later = np.arange(len(ordered)) > last[ordered.user]
    held = np.arange(len(ordered)) == last[ordered.user]
    moment = np.full(rows.n_users, int(rows.time.max(initial=0)), np.int64)
    moment[ordered.user[held]] = ordered.time[held]
    split = separate(ordered.take(~later), held[~later], "leave one out")
    return replace(split, moment=moment)


def by_share_of_user(rows: Interactions, fraction: float, seed: int) -> Split:
    """Returns the split that holds out `fraction` of each user's items at random, all events on an item together.

    A user keeps at least one item; a user of one item is not held out. Each is asked at the time of their own newest
    training event, since what is held out lies anywhere in their past.
    """
    split = _asked_last(separate(rows, _drawn(rows, seed, fraction=fraction), "share of each user"))
    return replace(split, drawn=True)


def k_fold(rows: Interactions, folds: int, seed: int) -> tuple[Split, ...]:
    """Returns `folds` splits; every user's items are dealt out among them, each item held out once.

    Users are asked as in `by_share_of_user`.
    """
    return tuple(
        _asked_last(separate(rows, _drawn(rows, seed, fold=fold, folds=folds), f"fold {fold + 1} of {folds}"))
        for fold in range(folds)
    )


def _asked_last(split: Split) -> Split:
    moment = np.full(len(split.moment), -1, np.int64)
    np.maximum.at(moment, split.train.user, split.train.time)
    return replace(split, moment=np.where(moment < 0, split.moment, moment))


def _drawn(rows: Interactions, seed: int, *, fraction: float = 0.0, fold: int = 0, folds: int = 0) -> Mask:
    """Chooses pairs (user, item) by their place in a random order of each user's items."""
    pairs = rows.user.astype(np.int64) * rows.n_items + rows.item
    distinct, back = np.unique(pairs, return_inverse=True)
    owner = distinct // max(rows.n_items, 1)
    shuffled = np.lexsort((stream(seed, "split").random(len(distinct)), owner))
    count = np.bincount(owner, minlength=rows.n_users)
    begin = np.concatenate(([0], np.cumsum(count)))[:-1]
    nth = np.empty(len(distinct), np.int64)
    nth[shuffled] = np.arange(len(distinct)) - begin[owner]
    if folds:
        chosen = (nth + owner) % folds == fold
    else:
        quota = np.minimum(np.floor(count * fraction + 0.5), count - 1)
        chosen = nth < quota[owner]
    return np.asarray(chosen[back], np.bool_)
