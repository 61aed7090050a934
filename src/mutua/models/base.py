"""What a model is: a frozen configuration that learns, and what it learned, that scores and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.events.interactions import Interactions
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Views
from mutua.slates import Reason

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class TrainingData:
    """All that a model may learn from.

    Args:
        interactions: grouped by user, each user's in canonical order.
        users: attributes of users by inner index.
        items: attributes of items by inner index.
        now: the time up to which the data reach, microseconds UTC.
    """

    interactions: Interactions
    users: AttributeTable
    items: AttributeTable
    now: int

    @property
    def n_items(self) -> int:
        """Items in the vocabulary, those without any event included."""
        return max(self.interactions.n_items, self.items.size)


@runtime_checkable
class Learner(Protocol):
    """A frozen dataclass of hyper-parameters. Equal learners on equal data with one seed give equal models."""

    name: ClassVar[str]

    def learn(self, data: TrainingData, seed: int = 0) -> Model:
        """Returns a model; raises NotEnoughData (`data.too-few`) without a single target event."""
        ...

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns the configurations worth comparing on validation data, the best guess first."""
        ...


@runtime_checkable
class Model(Protocol):
    """What was learned: immutable arrays and pure functions of profile views."""

    name: ClassVar[str]
    linear: ClassVar[bool]
    """Whether scores are linear in the view's weights, so that removing an event takes away exactly its reason."""

    @property
    def encoder(self) -> Encoder:
        """The encoder that makes the views this model was learned on."""
        ...

    @property
    def n_items(self) -> int:
        """Items that `score` covers; items recorded later have no column yet."""
        ...

    def score(self, views: Views) -> Floats:
        """Returns relevance, float32 [b, n_items], finite; higher is better; comparable within a row only."""
        ...

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns the reasons of one score (b = 1), largest absolute amount first; they sum to the score."""
        ...

    def similar(self, item: int) -> Floats:
        """Returns likeness of every item to `item`, float32 [n_items]; the item itself at −inf."""
        ...

    def arrays(self) -> Arrays:
        """Returns all that was learned as plain arrays."""
        ...

    def meta(self) -> Mapping[str, Any]:
        """Returns the configuration and whatever else `restore` needs, as JSON values."""
        ...

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        ...


@runtime_checkable
class Ranks(Protocol):
    """A model with a faster way to its best items than scoring all of them."""

    def top(
        self, views: Views, n: int, excluded: npt.NDArray[np.int32], banned: npt.NDArray[np.bool_] | None = None
    ) -> tuple[npt.NDArray[np.int32], Floats]:
        """Returns the n best items of one view and their scores, best first, ties by item index.

        Args:
            excluded: int32 [m], items left out for this user, in any order, repeats allowed.
            banned: bool [n_items], items left out for everyone, or None.
        """
        ...


@runtime_checkable
class Likens(Protocol):
    """A model with a faster way to the likeness among a few items than that of each to all."""

    def alike(self, items: npt.NDArray[np.int32]) -> Floats:
        """Returns float32 [m, m], what `similar` says of each item in columns of the others; 0 on the diagonal."""
        ...


@runtime_checkable
class Repeats(Protocol):
    """A model that knows which items people come back for."""

    def repeatable(self) -> npt.NDArray[np.bool_]:
        """Returns bool [n_items]: items worth recommending to someone who has them already."""
        ...


@runtime_checkable
class Rates(Protocol):
    """A model that foresees ratings."""

    def predict(self, views: Views, items: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Returns float32 [b, 3]: value, low and high for one item per view, in units of the values learned."""
        ...


@runtime_checkable
class ReadsAttributes(Protocol):
    """A model whose views carry attributes of users; who builds views for it asks it to encode them."""

    def encode(self, users: AttributeTable, rows: npt.NDArray[np.int32]) -> Floats:
        """Returns the attributes of users `rows` for `Views.attributes`, float32 [b, a]; rows beyond the table: none.

        Args:
            users: attributes of users by inner index, of the same columns as in learning or others.
            rows: int32 [b], inner user indices.
        """
        ...
