"""Own frequency with gaps: people buy again what they buy often, once enough time has passed.

The baseline to beat in shops; the rate of a repeat by the gap since the last one is the hazard of survival analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY, HOUR
from mutua.events.interactions import Interactions
from mutua.models.base import Arrays, TrainingData
from mutua.models.linear import kernels
from mutua.models.linear.item_item import without_itself
from mutua.models.linear.popularity import decayed_counts
from mutua.models.matrices import implicit_encoder, not_enough
from mutua.models.reasons import by_size, of_item
from mutua.models.settings import at_least, one_of
from mutua.models.space import Among, Span
from mutua.profiles.encoder import HALF_LIVES, Encoder
from mutua.profiles.views import Evidence, Floats, Views
from mutua.slates import Reason

GAPS = np.concatenate(([0.0], np.array([1.0, 3.0, 8.0]) * HOUR, DAY * 2.0 ** np.arange(0, 9.5, 0.5)))
"""Edges of the gaps since the last target event, float64 microseconds: an hour to two years, by steps of √2."""
_PRIOR = 50.0
"""Repeats by which a gap's readiness is drawn towards 1."""


@dataclass(frozen=True, eq=False)
class FrequencyModel:
    """Own decayed count times readiness, plus a share of popularity that only breaks ties. An empty view: popularity.

    Args:
        readiness: float64 [gaps + 1], integral of the relative rate of a repeat from 0 to each edge of `GAPS`.
        popularity: float32 [n_items], what popularity adds to the score.
        encoder: makes the views that this model was learned on.
        settings: the learner's hyper-parameters.
    """

    name: ClassVar[str] = "frequency"
    linear: ClassVar[bool] = True

    readiness: npt.NDArray[np.float64]
    popularity: Floats
    encoder: Encoder
    settings: Mapping[str, Any]

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return len(self.popularity)

    def own(self, views: Views) -> npt.NDArray[np.float64]:
        """Returns what each entry of `views` adds to the score of its own item, float64 [m]."""
        now = np.repeat(views.now, np.diff(views.start))
        gap = np.maximum(now - views.last, 0).astype(np.float64)
        horizon = self.settings["horizon"] * DAY
        gap = np.minimum(gap, GAPS[-1] - horizon)
        due = np.interp(gap + horizon, GAPS, self.readiness) - np.interp(gap, GAPS, self.readiness)
        return views.weight.astype(np.float64) * np.where(views.last >= 0, due / horizon, 1.0)

    def score(self, views: Views) -> Floats:
        """Returns float32 [b, n_items]."""
        scores = np.repeat(self.popularity[None], len(views), axis=0)
        rows = np.repeat(np.arange(len(views)), np.diff(views.start))
        known = views.item < self.n_items
        scores[rows[known], views.item[known]] += self.own(views)[known]
        return scores

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns a `repeat` reason of all the user's events on `item`, where there are any, and popularity's part."""
        reasons = [Reason("popularity", float(self.popularity[item]))]
        amount = float(self.own(views)[views.item == item].sum())
        if amount != 0.0:
            reasons.append(of_item(evidence, "repeat", amount, item))
        return by_size(reasons)

    def similar(self, item: int) -> Floats:
        """Returns popularity, for want of likeness; the item itself at −inf."""
        return without_itself(self.popularity, item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        return {"readiness": self.readiness, "popularity": self.popularity, **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": dict(self.settings)}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(arrays["readiness"], arrays["popularity"], Encoder.restore(arrays), meta["settings"])


@dataclass(frozen=True)
class Frequency:
    """score(i) = h[i] · mean over the horizon of q(gap since the last target event on i) + tie · popularity(i).

    q(g) = repeats that came after a gap g / repeats that a steady rate, the own decayed count, would have given there.

    Args:
        half_life: days after which an event counts half, one of the encoder's grid; 0 means that nothing fades.
        horizon: days ahead within which a repeat is looked for.
        tie: what the most popular item gets on top.
    """

    name: ClassVar[str] = "frequency"
    model: ClassVar[type[FrequencyModel]] = FrequencyModel

    half_life: Annotated[float, Among((0.0, 90.0, 14.0, 2.0))] = 90.0
    horizon: Annotated[float, Span(1, 60, even=True)] = 7.0
    tie: Annotated[float, Span(1e-4, 0.1, even=True)] = 0.001

    def __post_init__(self) -> None:
        at_least(self, horizon=1 / 24, tie=0)
        one_of(self, "half_life", (0.0, *(HALF_LIVES[:-1] / DAY)))

    def learn(self, data: TrainingData, seed: int = 0) -> FrequencyModel:
        """Returns the model; linear in the number of events. Draws nothing from `seed`.

        Raises:
            NotEnoughData: code `data.too-few`.
        """
        log = data.interactions
        if not bool(log.is_target.any()):
            raise not_enough("no interaction of a target type")
        half_life = self.half_life * DAY if self.half_life else np.inf
        counts = decayed_counts(log, data.n_items, data.now, self.half_life)
        share = counts / max(float(counts.max()), 1e-300)
        shares = tuple(float(days == half_life) for days in HALF_LIVES)
        return FrequencyModel(
            readiness=integrated(log, data.now, half_life),
            popularity=(self.tie * share).astype(np.float32),
            encoder=implicit_encoder(log, shares),
            settings=asdict(self),
        )

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns half-lives and horizons, where times tell events apart."""
        if not data.interactions.has_time:
            return (replace(self, half_life=0.0),)
        grid = [(days, ahead) for days in (self.half_life, 0.0, 14.0) for ahead in (self.horizon, 1.0, 28.0)]
        return tuple(dict.fromkeys(replace(self, half_life=days, horizon=ahead) for days, ahead in grid))


def integrated(log: Interactions, now: int, half_life: float) -> npt.NDArray[np.float64]:
    """Returns the integral of the readiness q from 0 to each edge of `GAPS`, microseconds.

    Events of one user on one item at one time are one occasion; rare gaps are drawn towards q = 1.
    """
    rows = log.take(log.is_target)
    pair = rows.user.astype(np.int64) * log.n_items + rows.item
    order = np.lexsort((rows.time, pair))
    pair, time = pair[order], rows.time[order]
    distinct = np.append(True, (np.diff(pair) != 0) | (np.diff(time) != 0))
    observed, expected = np.zeros((2, len(GAPS) - 1))
    kernels.repeats(pair[distinct], time[distinct], now, GAPS, half_life, observed, expected)
    total = observed.sum() / max(expected.sum(), 1.0)
    readiness = (observed + _PRIOR) / (expected * total + _PRIOR)
    return np.concatenate(([0.0], np.cumsum(readiness * np.diff(GAPS))))
