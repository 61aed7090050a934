"""Interactions as columns: what models learn from and evaluations split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Micros = npt.NDArray[np.int64]
COLUMNS = ("user", "item", "type", "value", "time", "sequence", "weight")


@dataclass(frozen=True)
class Interactions:
    """n interactions in log order within equal times.

    Args:
        user: int32 [n], inner user index.
        item: int32 [n], inner item index.
        type: int16 [n], index into `types`.
        value: float32 [n], NaN where none was given.
        time: int64 [n], microseconds UTC.
        sequence: int64 [n], position in the log; the second key of the canonical order (time, sequence).
        weight: float32 [n], 1, or 0 where cleaning marked the row.
        n_users: size of the user vocabulary.
        n_items: size of the item vocabulary.
        types: type names by index.
        type_weights: starting weight by type (see `EventType.weight`).
        targets: by type, whether it is one that recommending foresees.
        ratings: by type, whether its value is a rating.
    """

    user: Ints
    item: Ints
    type: npt.NDArray[np.int16]
    value: npt.NDArray[np.float32]
    time: Micros
    sequence: Micros
    weight: npt.NDArray[np.float32]
    n_users: int
    n_items: int
    types: tuple[str, ...] = ("view",)
    type_weights: tuple[float, ...] = (1.0,)
    targets: tuple[bool, ...] = (True,)
    ratings: tuple[bool, ...] = (False,)

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(
        cls,
        user: npt.ArrayLike,
        item: npt.ArrayLike,
        time: npt.ArrayLike | None = None,
        *,
        value: npt.ArrayLike | None = None,
        type: npt.ArrayLike | None = None,
        n_users: int | None = None,
        n_items: int | None = None,
        types: tuple[str, ...] = ("view",),
        type_weights: tuple[float, ...] | None = None,
        targets: tuple[bool, ...] | None = None,
        ratings: tuple[bool, ...] | None = None,
    ) -> Interactions:
        """Returns interactions from plain columns; without `time` every row has time 0 and the given order."""
        users, items = np.asarray(user, np.int32), np.asarray(item, np.int32)
        count = len(users)
        return cls(
            user=users,
            item=items,
            type=np.zeros(count, np.int16) if type is None else np.asarray(type, np.int16),
            value=np.full(count, np.nan, np.float32) if value is None else np.asarray(value, np.float32),
            time=np.zeros(count, np.int64) if time is None else np.asarray(time, np.int64),
            sequence=np.arange(count, dtype=np.int64),
            weight=np.ones(count, np.float32),
            n_users=int(users.max(initial=-1)) + 1 if n_users is None else n_users,
            n_items=int(items.max(initial=-1)) + 1 if n_items is None else n_items,
            types=types,
            type_weights=(1.0,) * len(types) if type_weights is None else type_weights,
            targets=(True,) * len(types) if targets is None else targets,
            ratings=(False,) * len(types) if ratings is None else ratings,
        )

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Interactions:
        """Returns the rows chosen by a mask or by positions, in that order; vocabularies stay."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    def by_time(self) -> Interactions:
        """Returns the rows in canonical order: time, then sequence."""
        return self.take(np.lexsort((self.sequence, self.time)))

    def by_user(self) -> Interactions:
        """Returns the rows grouped by user, each user's in canonical order."""
        return self.take(np.lexsort((self.sequence, self.time, self.user)))

    @property
    def is_target(self) -> npt.NDArray[np.bool_]:
        """bool [n]: rows of a target type that cleaning did not mark."""
        return np.asarray(self.targets)[self.type] & (self.weight > 0)

    @property
    def is_rating(self) -> npt.NDArray[np.bool_]:
        """bool [n]: unmarked rows whose value is a rating."""
        return np.asarray(self.ratings)[self.type] & np.isfinite(self.value) & (self.weight > 0)

    @cached_property
    def has_time(self) -> bool:
        """Whether times say more than an order: rows recorded without one are stamped a microsecond apart."""
        steps = np.diff(np.sort(self.time))
        steps = steps[steps > 0]
        return len(steps) > 0 and float(np.median(steps)) > 1.0

    @cached_property
    def share_of_returns(self) -> float:
        """Share of target events on an item that their user had a target event on before, 0..1."""
        target = self.is_target
        pairs = np.sort(self.user[target].astype(np.int64) * max(self.n_items, 1) + self.item[target])
        return int(np.count_nonzero(pairs[1:] == pairs[:-1])) / max(len(pairs), 1)
