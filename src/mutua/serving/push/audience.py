"""Who has lately shown interest in an item or a category: a bounded memory, moved by every event.

Weights of events fade by half every half-life. A weight is kept as of one fixed moment: what happens later counts
more, instead of all else fading; shares of one user are the same whenever they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mutua.core.clock import DAY

HALF_LIFE = 30 * DAY
USERS_EACH = 500
"""Users kept of an item or a category, those active there last."""
PLACES = 1_000_000
"""Weights kept over all labels, about 100 bytes each; the labels that were active last stay."""
USERS = 200_000
Label = tuple[str, str]
"""`item` or `category`, and its name."""


@dataclass(frozen=True, slots=True)
class Interested:
    """A user and what a label means to him.

    Args:
        weight: faded sum of the weights of his events there, in units of a view now.
        share: of the weights of all his events, 0 to 1.
    """

    user: str
    weight: float
    share: float


class Audience:
    """Faded weights by label and user.

    Args:
        start: the fixed moment, microseconds UTC; half_life: microseconds.
        each: users kept of a label; places: weights kept over all labels; users: users whose sums are kept.
    """

    def __init__(
        self,
        start: int,
        half_life: float = HALF_LIFE,
        each: int = USERS_EACH,
        places: int = PLACES,
        users: int = USERS,
    ) -> None:
        self._start, self._half_life = start, half_life
        self._each, self._most_places, self._most_users = each, places, users
        # Plain dictionaries in order of use: taking out and putting back is cheaper than moving within an OrderedDict.
        self._labels: dict[Label, dict[str, float]] = {}
        self._sums: dict[str, float] = {}
        self._places = 0

    def __len__(self) -> int:
        return len(self._labels)

    def moved(self, user: str, item: str, categories: Sequence[str], weight: float, time: int) -> None:
        """Counts one event; a negative weight takes away. A few microseconds."""
        counted = weight * self._factor(time)
        _add(self._sums, user, max(counted, 0.0), self._most_users)
        self._count(("item", item), user, counted)
        for category in categories:
            self._count(("category", category), user, counted)

    def of_item(self, item: str, now: int) -> Iterator[Interested]:
        """Yields the users with positive weight on an item as of `now`, those active there last first."""
        return self._of(("item", item), now)

    def of_category(self, category: str, now: int) -> Iterator[Interested]:
        """Yields the users with positive weight in a category as of `now`, those active there last first."""
        return self._of(("category", category), now)

    def forget(self, user: str) -> None:
        """Drops all that is kept of a user."""
        self._sums.pop(user, None)
        for users in self._labels.values():
            self._places -= users.pop(user, None) is not None

    def _count(self, label: Label, user: str, counted: float) -> None:
        users = self._labels.pop(label, None)
        self._labels[label] = users = {} if users is None else users
        before = len(users)
        _add(users, user, counted, self._each)
        self._places += len(users) - before
        if self._places > self._most_places:
            self._make_room()

    def _make_room(self) -> None:
        """Drops the labels that were active longest ago, a tenth of all weights at once."""
        left = self._places - self._most_places + self._most_places // 10
        for label in list(self._labels):
            if left <= 0:
                return
            gone = len(self._labels.pop(label))
            self._places -= gone
            left -= gone

    def _of(self, label: Label, now: int) -> Iterator[Interested]:
        fade = 1.0 / self._factor(now)
        for user, weight in reversed(self._labels.get(label, {}).items()):
            whole = self._sums.get(user, 0.0)
            if weight > 0.0 and whole > 0.0:
                yield Interested(user, weight * fade, min(weight / whole, 1.0))

    def _factor(self, time: int) -> float:
        return float(2.0 ** ((time - self._start) / self._half_life))


def _add(sums: dict[str, float], user: str, weight: float, most: int) -> None:
    sums[user] = sums.pop(user, 0.0) + weight
    if len(sums) > most:
        _trim(sums, most)


def _trim(kept: dict[str, float], most: int) -> None:
    """Drops the least recently used, a tenth at once: finding the oldest of a dictionary is slow when done singly."""
    for key in list(islice(kept, len(kept) - most + most // 10)):
        del kept[key]
