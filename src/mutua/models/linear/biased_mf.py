"""Biased matrix factorisation of ratings (Koren, Bell & Volinsky 2009) by alternating least squares (Zhou et al. 2008).

A view's bias and vector are its own ridge solution, so a new user is rated for as soon as there is one rating.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.core.seeds import stream
from mutua.models.base import Arrays, TrainingData
from mutua.models.decomposition import truncated_svd
from mutua.models.linear import kernels
from mutua.models.linear.intervals import Spread, calibrated
from mutua.models.linear.item_item import cosines, without_itself
from mutua.models.matrices import compressed, not_enough
from mutua.models.reasons import by_size, reasons_by_item
from mutua.models.settings import at_least
from mutua.models.space import Span
from mutua.profiles import fold
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Floats, Views
from mutua.slates import Reason

Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings on a scale.

    Args:
        mean: of all learned ratings.
        lowest: of the observed scale; highest: of the observed scale.
    """

    mean: float
    lowest: float
    highest: float

    def residuals(self, views: Views, n_items: int) -> sparse.csr_matrix:
        """Returns mean rating per entry less the overall mean, float64 CSR [b, n_items]; unrated entries left out.

        A rating event without a value adds 0 to its sum; where that takes the mean off the scale, it is left out too.
        """
        rating = np.divide(views.weight, views.count, out=np.full(len(views.item), np.nan), where=views.count > 0)
        margin = 1e-4 * (1.0 + abs(self.highest) + abs(self.lowest))
        kept = (rating >= self.lowest - margin) & (rating <= self.highest + margin) & (views.item < n_items)
        start = np.concatenate(([0], np.cumsum(kept)))[views.start]
        return sparse.csr_matrix((rating[kept] - self.mean, views.item[kept], start), shape=(len(views), n_items))


@dataclass(frozen=True, eq=False)
class BiasedMfModel:
    """Foresees ratings, and ranks by them. An empty view gets the mean and the items' biases.

    Args:
        bias: float64 [n_items].
        features: float64 [n_items, 1 + d], a 1 and the item's vector: what the view's own bias and vector multiply.
        ratings: the scale.
        spread: the intervals.
        encoder: sums the values of ratings.
        learner: the hyper-parameters.
    """

    name: ClassVar[str] = "biased-mf"
    linear: ClassVar[bool] = False

    bias: Floats64
    features: Floats64
    ratings: Ratings
    spread: Spread
    encoder: Encoder
    learner: BiasedMf

    @property
    def n_items(self) -> int:
        """Items that `score` covers."""
        return len(self.bias)

    def score(self, views: Views) -> Floats:
        """Returns foreseen ratings, beyond the scale too, float32 [b, n_items]; cost: O(ratings · d² + d³) a view."""
        own = self.learner.fold_in(self.ratings.residuals(views, self.n_items), self.features, self.bias)
        return (self.ratings.mean + self.bias + own @ self.features.T).astype(np.float32)

    def predict(self, views: Views, items: npt.NDArray[np.int32]) -> Floats:
        """Returns value, low and high, float32 [b, 3], for one item per view, within the observed scale.

        The interval holds the truth in about 80 % of cases (split conformal: Lei et al. 2018, by number of ratings).
        An item recorded after learning gets what the user gives to the average item.
        """
        rated = self.ratings.residuals(views, self.n_items)
        own = self.learner.fold_in(rated, self.features, self.bias)
        known = items < self.n_items
        place = np.where(known, items, 0)
        particular = self.bias[place] + np.einsum("bk,bk->b", own[:, 1:], self.features[place, 1:])
        exact = self.ratings.mean + own[:, 0] + np.where(known, particular, 0.0)
        value = np.clip(exact, self.ratings.lowest, self.ratings.highest)
        low, high = self.spread.around(np.diff(rated.indptr))
        result = np.stack((value, value + low, value + high), axis=1)
        return np.clip(result, self.ratings.lowest, self.ratings.highest).astype(np.float32)

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns two `bias` reasons and an `influence` for each rated item: r_j z_iᵀ A⁻¹ z_j, z = (1, vector)."""
        rated = self.ratings.residuals(views, self.n_items)
        toward = self.learner.solved(rated, self.features, self.features[[item]].copy())[0]
        above = rated.data - self.bias[rated.indices]
        by_item = np.zeros(self.n_items)
        by_item[rated.indices] = above * (self.features[rated.indices] @ toward)
        known = views.item < self.n_items
        amounts = np.where(known, by_item[np.where(known, views.item, 0)], 0.0)
        biases = (
            Reason("bias", self.ratings.mean, label="average rating"),
            Reason("bias", float(self.bias[item]), label="this item against the average"),
        )
        return by_size([*biases, *reasons_by_item(views, evidence, amounts)])

    def similar(self, item: int) -> Floats:
        """Returns the cosine of item vectors, float32 [n_items]; the item itself at −inf."""
        return without_itself(cosines(self.features[:, 1:].astype(np.float32), item), item)

    def arrays(self) -> Arrays:
        """Returns all that was learned."""
        scale = np.array([self.ratings.mean, self.ratings.lowest, self.ratings.highest])
        parts = {"bias": self.bias, "features": self.features, "scale": scale}
        return {**parts, **self.spread.arrays(), **self.encoder.arrays()}

    def meta(self) -> Mapping[str, Any]:
        """Returns the hyper-parameters."""
        return {"settings": asdict(self.learner)}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(
            arrays["bias"],
            arrays["features"],
            Ratings(*arrays["scale"].tolist()),
            Spread.restore(arrays),
            Encoder.restore(arrays),
            BiasedMf(**meta["settings"]),
        )


@dataclass(frozen=True)
class BiasedMf:
    """r(u, i) = μ + b_u + b_i + x_u·y_i by least squares, with penalties ridge · n · |x|² and bias_ridge · b² a row.

    Args:
        factors: length d of the vectors.
        iterations: passes over users and items.
        ridge: > 0, penalty of a vector per rating of its row.
        bias_ridge: > 0, penalty of a bias.
    """

    name: ClassVar[str] = "biased-mf"
    model: ClassVar[type[BiasedMfModel]] = BiasedMfModel

    factors: Annotated[int, Span(4, 128, even=True)] = 16
    iterations: Annotated[int, Span(5, 30)] = 15
    ridge: Annotated[float, Span(0.01, 1, even=True)] = 0.12
    bias_ridge: Annotated[float, Span(0.1, 20, even=True)] = 2.0

    def __post_init__(self) -> None:
        at_least(self, factors=1, iterations=1, ridge=1e-9, bias_ridge=1e-9)

    def learn(self, data: TrainingData, seed: int = 0) -> BiasedMfModel:
        """Returns the model; cost: O(ratings · d² + (users + items) · d³) a pass, done twice for the intervals.

        Raises:
            NotEnoughData: code `data.too-few`; no value is a rating.
        """
        log = data.interactions
        if not bool(log.is_rating.any()):
            raise not_enough("no value of a type that is a rating")
        flags = np.asarray(log.ratings)
        encoder = Encoder.of(flags, flags, bases=(0.0, 1.0, 0.0))
        values = log.value[log.is_rating]
        ratings = Ratings(float(values.mean()), float(values.min()), float(values.max()))
        rated = ratings.residuals(fold.views(log.take(log.is_rating), encoder, data.now), data.n_items)
        learn = partial(self.factorised, seed=seed)
        spread = calibrated(rated, learn, self.fold_in, stream(seed, "biased-mf", "intervals"))
        features, bias = learn(rated)
        return BiasedMfModel(bias, features, ratings, spread, encoder, self)

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns penalties and lengths around the given ones."""
        grid = [(size, ridge) for size in (self.factors, 32, 8) for ridge in (1.0, 0.6, 1.6)]
        return tuple(dict.fromkeys(replace(self, factors=size, ridge=self.ridge * r) for size, r in grid))

    def factorised(self, rated: sparse.csr_matrix, seed: int = 0) -> tuple[Floats64, Floats64]:
        """Returns item features [n, 1 + d] and biases [n] learned from ratings less their mean."""
        transposed = sparse.csr_matrix(rated.T)
        _, values, right = truncated_svd(rated, self.factors, stream(seed, "biased-mf"), powers=2)
        features, bias = _with_ones(right * np.sqrt(values)), np.zeros(rated.shape[1])
        for _ in range(self.iterations):
            users = self.fold_in(rated, features, bias)
            items = self.fold_in(transposed, _with_ones(users[:, 1:]), users[:, 0])
            bias, features = items[:, 0], _with_ones(items[:, 1:])
        return features, bias

    def fold_in(self, rated: sparse.csr_matrix, features: Floats64, bias: Floats64) -> Floats64:
        """Returns the bias and vector of every row of `rated`, float64 [b, 1 + d], given the other side's."""
        above = sparse.csr_matrix((rated.data - bias[rated.indices], rated.indices, rated.indptr), shape=rated.shape)
        return self.solved(rated, features, np.asarray(above @ features, np.float64))

    def solved(self, rated: sparse.csr_matrix, features: Floats64, right: Floats64) -> Floats64:
        """Returns A⁻¹ · right for every row, A = Σ z zᵀ over its ratings + the penalties."""
        start, item, value = compressed(rated)
        size = features.shape[1]
        ratings = np.diff(start).astype(np.float64)
        penalty = np.full(size, self.ridge)
        penalty[0] = 0.0
        base = np.zeros((size, size))
        base[0, 0] = self.bias_ridge
        kernels.ridge(start, item, np.ones(len(value)), features, base, np.maximum(ratings, 1.0), penalty, right)
        return right


def _with_ones(vectors: Floats64) -> Floats64:
    return np.ascontiguousarray(np.column_stack((np.ones(len(vectors)), vectors)))
