"""Popularity: how often each item was chosen of late. The same for everyone, and the baseline to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY
from mutua.events.interactions import Interactions
from mutua.models.base import Arrays, TrainingData
from mutua.models.linear.item_item import without_itself
from mutua.models.matrices import implicit_encoder, not_enough
from mutua.models.settings import at_least
from mutua.models.space import Among
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Floats, Views
from mutua.slates import Reason


def decayed_counts(
    interactions: Interactions, n_items: int, now: int, half_life: float = 0.0
) -> npt.NDArray[np.float64]:
    """Returns Σ 2^{−(now − t)/half_life} over the unmarked target events of every item, float64 [n_items].

    Args:
        now: microseconds UTC; events after it count in full.
        half_life: days; 0 means that nothing fades.
    """
    rows = interactions.is_target
    ages = np.maximum(now - interactions.time[rows], 0) / DAY
    amounts = np.exp2(-ages / half_life) if half_life else np.ones(len(ages))
    return np.bincount(interactions.item[rows], amounts, n_items).astype(np.float64)


@dataclass(frozen=True, eq=False)
class PopularityModel:
    """One score an item, whatever the view; `similar` answers with popularity as well.

    Args:
        counts: float32 [n_items], decayed counts of target events.
        encoder: weighs events by type; the scores do not depend on it.
        settings: the learner's hyper-parameters.
    """

    name: ClassVar[str] = "popularity"
    linear: ClassVar[bool] = True

    counts: Floats
    encoder: Encoder
    settings: Mapping[str, Any]

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return len(self.counts)

    def score(self, views: Views) -> Floats:
        """Returns the counts for every view, float32 [b, n_items]."""
        return np.repeat(self.counts[None], len(views), axis=0)

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns the one reason."""
        return (Reason("popularity", float(self.counts[item])),)

    def similar(self, item: int) -> Floats:
        """Returns the counts, for want of likeness; the item itself at −inf."""
        return without_itself(self.counts, item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        return {"counts": self.counts, **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": dict(self.settings)}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(arrays["counts"], Encoder.restore(arrays), meta["settings"])


@dataclass(frozen=True)
class Popularity:
    """score(i) = Σ_e 2^{−(now − t_e)/half_life} over the target events e on item i.

    Args:
        half_life: days after which an event counts half; 0 means that nothing fades.
    """

    name: ClassVar[str] = "popularity"
    model: ClassVar[type[PopularityModel]] = PopularityModel

    half_life: Annotated[float, Among((0.0, 90.0, 30.0, 14.0, 7.0, 3.0, 1.0))] = 0.0

    def __post_init__(self) -> None:
        at_least(self, half_life=0)

    def learn(self, data: TrainingData, seed: int = 0) -> PopularityModel:
        """Returns the model; draws nothing from `seed`.

        Raises:
            NotEnoughData: code `data.too-few`.
        """
        if not bool(data.interactions.is_target.any()):
            raise not_enough("no interaction of a target type")
        counts = decayed_counts(data.interactions, data.n_items, data.now, self.half_life)
        return PopularityModel(counts.astype(np.float32), implicit_encoder(data.interactions), asdict(self))

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns half-lives from a day to for ever, where times tell events apart."""
        others = (90.0, 30.0, 7.0, 1.0, 0.0) if data.interactions.has_time else ()
        return tuple(dict.fromkeys((self, *(replace(self, half_life=days) for days in others))))
