"""Sets of items, one a view: what was held out, what must not be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ItemSets:
    """b sets, compressed: set s is `item[start[s]:start[s + 1]]`, ascending and distinct.

    Args:
        start: int64 [b + 1].
        item: int32 [m].
    """

    start: Longs
    item: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    @classmethod
    def of(cls, owner: npt.ArrayLike, item: npt.ArrayLike, size: int) -> ItemSets:
        """Returns `size` sets from pairs (owner, item), repeated pairs taken once, owners outside left out.

        Example:
            >>> ItemSets.of([1, 0, 1, 1], [5, 2, 3, 5], 2).item.tolist()
            [2, 3, 5]
        """
        owners, items = np.asarray(owner, np.int64), np.asarray(item, np.int64)
        inside = (owners >= 0) & (owners < size)
        span = int(items.max(initial=0)) + 1
        return cls._of_keys(distinct(owners[inside] * span + items[inside]), span, size)

    @classmethod
    def empty(cls, size: int) -> ItemSets:
        """Returns `size` empty sets."""
        return cls(np.zeros(size + 1, np.int64), np.empty(0, np.int32))

    def below(self, n_items: int) -> ItemSets:
        """Returns the sets without the items from `n_items` on."""
        known = self.item < n_items
        return (
            self
            if bool(known.all())
            else ItemSets(np.concatenate(([0], np.cumsum(known)))[self.start], self.item[known])
        )

    @property
    def owner(self) -> Longs:
        """int64 [m]: the set of each item."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.start))

    def rows(self, first: int, stop: int) -> ItemSets:
        """Returns sets `first` to `stop` (exclusive) without copying items."""
        low, high = self.start[first], self.start[stop]
        return ItemSets(self.start[first : stop + 1] - low, self.item[low:high])

    def take(self, chosen: npt.NDArray[np.intp]) -> ItemSets:
        """Returns the sets at these positions, in that order."""
        counts = np.diff(self.start)[chosen]
        start = np.concatenate(([0], np.cumsum(counts)))
        shift = np.repeat(self.start[:-1][chosen] - start[:-1], counts)
        return ItemSets(start, self.item[np.arange(start[-1]) + shift])

    def minus(self, other: ItemSets) -> ItemSets:
        """Returns each set without the items of the set at the same position in `other`."""
        span = int(max(self.item.max(initial=0), other.item.max(initial=0))) + 1
        keys = self.owner * span + self.item
        gone = other.owner * span + other.item
        place = np.minimum(np.searchsorted(gone, keys), len(gone) - 1)
        return self._of_keys(keys[gone[place] != keys] if len(gone) else keys, span, len(self))

    @classmethod
    def _of_keys(cls, keys: Longs, span: int, size: int) -> ItemSets:
        start = np.searchsorted(keys, np.arange(size + 1) * span).astype(np.int64)
        return cls(start, (keys % span).astype(np.int32))


def distinct(keys: Longs) -> Longs:
    """Returns the distinct keys, ascending; many times as fast as the hashing of `np.unique` on millions of pairs."""
    ordered = np.sort(keys)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    found: Longs = ordered[first]
    return found
