"""Profile views: what a model sees of users at an instant. Items, weights, times and attributes; never a user id."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
NO_EXTRA: Floats = np.empty((0, 0), np.float32)
NO_EVIDENCE = np.empty((0, 0))


class Views(msgspec.Struct, frozen=True, eq=False):
    """A batch of b profile views as compressed rows: view v owns entries `start[v]:start[v + 1]`.

    Args:
        start: int64 [b + 1].
        item: int32 [m], distinct within a view, in order of first appearance.
        weight: float32 [m], h_u(t)[item]; may be negative.
        last: int64 [m], time of the newest target event on the item, microseconds UTC; −1 if none.
        count: float32 [m], number of target events on the item.
        now: int64 [b], the scoring time, microseconds UTC.
        size: int32 [b], events in the history.
        attributes: float32 [b, a], encoded attributes, or None where the model uses none.
        extra: float32 [c, m], the weights of the encoder's extra channels.
    """

    start: npt.NDArray[np.int64]
    item: npt.NDArray[np.int32]
    weight: Floats
    last: npt.NDArray[np.int64]
    count: Floats
    now: npt.NDArray[np.int64]
    size: npt.NDArray[np.int32]
    attributes: Floats | None = None
    extra: Floats = NO_EXTRA

    def __len__(self) -> int:
        return len(self.now)

    def rows(self, first: int, stop: int) -> Views:
        """Returns views `first` to `stop` (exclusive) without copying entries."""
        low, high = int(self.start[first]), int(self.start[stop])
        return Views(
            start=self.start[first : stop + 1] - low,
            item=self.item[low:high],
            weight=self.weight[low:high],
            last=self.last[low:high],
            count=self.count[low:high],
            now=self.now[first:stop],
            size=self.size[first:stop],
            attributes=None if self.attributes is None else self.attributes[first:stop],
            extra=self.extra[:, low:high],
        )

    def take(self, chosen: npt.NDArray[np.intp]) -> Views:
        """Returns copies of the views at these positions, in that order, repeated ones included."""
        counts = np.diff(self.start)[chosen]
        start = np.concatenate(([0], np.cumsum(counts)))
        entries = np.arange(start[-1]) + np.repeat(self.start[:-1][chosen] - start[:-1], counts)
        return Views(
            start=start,
            item=self.item[entries],
            weight=self.weight[entries],
            last=self.last[entries],
            count=self.count[entries],
            now=self.now[chosen],
            size=self.size[chosen],
            attributes=None if self.attributes is None else self.attributes[chosen],
            extra=self.extra[:, entries] if len(self.extra) else self.extra,
        )


class Evidence(msgspec.Struct, frozen=True, eq=False):
    """The events behind one view: event e adds `weight[e]` to the view's weight of `item[e]`.

    Args:
        sequence: int64 [n], position in the log; item: int32 [n]; type: int16 [n];
        time: int64 [n], microseconds UTC; weight: float64 [n]; extra: float64 [c, n].
    """

    sequence: npt.NDArray[np.int64]
    item: npt.NDArray[np.int32]
    type: npt.NDArray[np.int16]
    time: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    extra: npt.NDArray[np.float64] = NO_EVIDENCE
