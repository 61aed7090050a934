"""Reordering a pool of candidates: boosts and diversity. Orders are positions within the pool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable, Labels, Sets, Vectors
from mutua.models.base import Likens, Model
from mutua.pipeline.rules import matches, parse_rule
from mutua.pipeline.spec import Boost

Pool = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Order = npt.NDArray[np.intp]

TINY = np.float32(1e-30)
DIVERSE_BY = ("category", "brand", "tags", "genres", "vector")
"""Columns by which two items are alike, where the catalogue has them."""


def boosted(pool: Pool, scores: Floats, boosts: Sequence[Boost], catalog: AttributeTable) -> Floats:
    """Returns relevance float32 [p] in 0..1 of the pool, each boost multiplying the items that match its rule."""
    relevance = _scaled(scores)
    for boost in boosts:
        relevance = np.where(matches(parse_rule(boost.where), catalog)[pool], relevance * boost.factor, relevance)
    return relevance.astype(np.float32)


def diverse(relevance: Floats, likeness: Floats, n: int, diversity: float) -> Order:
    """Returns the order of maximal marginal relevance (Carbonell and Goldstein, 1998): the first n, then the rest.

    Each next item maximises `(1 − λ)·relevance − λ·max likeness to those above`.

    Args:
        relevance: float32 [p], 0..1.
        likeness: float32 [p, p], 0..1.
        n: positions to fill by diversity.
        diversity: λ, 0..1.

    Cost: O(n·p).
    """
    left = np.ones(len(relevance), np.bool_)
    nearest = np.zeros(len(relevance), np.float32)
    chosen: list[int] = []
    for _ in range(min(n, len(relevance))):
        gain = np.where(left, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(np.argmax(gain))
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, likeness[best])
    rest = np.flatnonzero(left)
    by_relevance = rest[np.argsort(-relevance[rest], kind="stable")]
    return np.concatenate((np.array(chosen, np.intp), by_relevance))


def likeness(pool: Pool, catalog: AttributeTable, model: Model | None) -> Floats:
    """Returns float32 [p, p] in 0..1: mean over the `DIVERSE_BY` columns, or the model's likeness without any."""
    parts = [part for name in DIVERSE_BY if (part := _alike(catalog, name, pool)) is not None]
    if parts:
        return np.asarray(np.mean(parts, axis=0), np.float32)
    if model is None or not len(pool):
        return np.eye(len(pool), dtype=np.float32)
    known = np.maximum(_learned(pool, model), 0)
    low, high = known.min(axis=1, keepdims=True), known.max(axis=1, keepdims=True)
    rows = np.where(high > low, (known - low) / np.maximum(high - low, TINY), 1.0)
    return np.asarray(np.maximum(rows, rows.T), np.float32)


def _learned(pool: Pool, model: Model) -> Floats:
    if isinstance(model, Likens):
        return model.alike(pool)
    return np.stack([model.similar(int(item))[pool] for item in pool])


def _alike(catalog: AttributeTable, name: str, pool: Pool) -> Floats | None:
    column = catalog.columns.get(name)
    if isinstance(column, Labels):
        codes = column.codes[pool]
        return np.asarray((codes[:, None] == codes[None, :]) & (codes[:, None] >= 0), np.float32)
    if isinstance(column, Sets):
        chosen = column.matrix[pool]
        common = np.asarray((chosen @ chosen.T).toarray(), np.float32)
        sizes = common.diagonal()
        return np.asarray(common / np.maximum(sizes[:, None] + sizes[None, :] - common, 1), np.float32)
    if isinstance(column, Vectors):
        rows = column.values[pool]
        unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return np.asarray(np.maximum(unit @ unit.T, 0), np.float32)
    return None


def _scaled(scores: Floats) -> Floats:
    finite = np.where(np.isfinite(scores), scores, np.nan)
    low, high = (np.nanmin(finite), np.nanmax(finite)) if len(scores) else (0.0, 0.0)
    if not high > low:
        return np.ones(len(scores), np.float32)
    return np.nan_to_num((finite - low) / (high - low)).astype(np.float32)
