"""Content: what is like the things a user had, by text, category, tags and brand. Recommends items without events."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from mutua.core.seeds import stream
from mutua.models.base import TrainingData
from mutua.models.decomposition import truncated_svd
from mutua.models.features import item_features
from mutua.models.linear.item_item import FactoredItemItem
from mutua.models.matrices import implicit_encoder, learning_views, not_enough
from mutua.models.settings import at_least
from mutua.models.space import Span


class ContentModel(FactoredItemItem):
    """The vectors are the items' latent content, of length 1."""

    name: ClassVar[str] = "content"


@dataclass(frozen=True)
class Content:
    """score(i) = Σ_j h[j] · cos(F_j, F_i), F the truncated SVD of TF-IDF (Deerwester et al. 1990).

    Args:
        dimensions: length of the vectors.
    """

    name: ClassVar[str] = "content"
    model: ClassVar[type[ContentModel]] = ContentModel

    dimensions: Annotated[int, Span(16, 512, even=True)] = 128

    def __post_init__(self) -> None:
        at_least(self, dimensions=1)

    def learn(self, data: TrainingData, seed: int = 0) -> ContentModel:
        """Returns the model; events only tell that there is something to recommend from.

        Raises:
            NotEnoughData: code `data.too-few`; no target event, or nothing is known of any item.
        """
        encoder = implicit_encoder(data.interactions)
        learning_views(data, encoder)
        features = item_features(data.items, data.n_items)
        if not features.nnz:
            raise not_enough("no item has a text, category, tag, brand or vector")
        left, values, _ = truncated_svd(features, self.dimensions, stream(seed, "content"))
        vectors = left * values
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        factors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-6)
        return ContentModel(np.ascontiguousarray(factors, np.float32), encoder, asdict(self))

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns three lengths of the vectors."""
        return tuple(dict.fromkeys(replace(self, dimensions=size) for size in (self.dimensions, 64, 256)))
