"""How much two top lists differ, and how.

The measure is the share of places that hold another item: of the places 1 to the longer list's length, those where
both lists do not have the same item. It is 0 for equal lists and 1 where no place kept its item; one item that enters
at the top moves all below it, and counts so, for the reader sees every place move.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

THRESHOLD = 0.1


class Changes(msgspec.Struct, frozen=True):
    """What became of the items between two top lists, each in the order of the list that it stands in.

    Args:
        rose, fell: those in both lists that stand higher or lower now, in the new order.
        entered: those only in the new list, in its order; left: those only in the old one, in its order.
    """

    rose: tuple[str, ...] = ()
    fell: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def share(before: Sequence[str], after: Sequence[str]) -> float:
    """Returns the share of places that differ, 0 to 1; a place that only one list has differs.

    Example:
        >>> share(("a", "b", "c", "d"), ("a", "c", "b", "d"))
        0.5
    """
    places = max(len(before), len(after))
    return sum(old != new for old, new in zip_longest(before, after)) / places if places else 0.0


def changed(before: Sequence[str], after: Sequence[str], threshold: float = THRESHOLD) -> bool:
    """Returns whether the lists differ, and at no less than the share `threshold` of the places."""
    found = share(before, after)
    return found > 0.0 and found >= threshold


def changes(before: Sequence[str], after: Sequence[str]) -> Changes:
    """Returns which items rose, fell, entered and left; an item stands once in a list.

    Example:
        >>> changes(("a", "b", "c"), ("b", "a", "d"))
        Changes(rose=('b',), fell=('a',), entered=('d',), left=('c',))
    """
    was = {item: place for place, item in enumerate(before)}
    now = frozenset(after)
    stayed = [(item, place, was[item]) for place, item in enumerate(after) if item in was]
    return Changes(
        rose=tuple(item for item, place, old in stayed if place < old),
        fell=tuple(item for item, place, old in stayed if place > old),
        entered=tuple(item for item in after if item not in was),
        left=tuple(item for item in before if item not in now),
    )
