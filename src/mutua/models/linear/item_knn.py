"""Item-based nearest neighbours: what is alike to what the user had (Sarwar et al. 2001; Bell & Koren 2007)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar, Self, get_args

from scipy import sparse

from mutua.models.base import TrainingData
from mutua.models.linear.item_item import SparseItemItem
from mutua.models.matrices import Transform, implicit_encoder, learning_matrix
from mutua.models.neighbours import NeighbourIndex
from mutua.models.settings import at_least, one_of
from mutua.models.space import Span


class ItemKnnModel(SparseItemItem):
    """Weights are the shrunk cosines of each scored item with its nearest neighbours."""

    name: ClassVar[str] = "item-knn"


@dataclass(frozen=True)
class ItemKnn:
    """score(i) = Σ_{j ∈ N(i)} h[j] · x_i·x_j / (|x_i||x_j| + shrink), over the nearest neighbours N(i) of item i.

    Args:
        neighbours: how many each scored item keeps.
        shrink: ≥ 0; damps the likeness of rarely seen items.
        transform: how weights enter the columns x that are compared.
    """

    name: ClassVar[str] = "item-knn"
    model: ClassVar[type[ItemKnnModel]] = ItemKnnModel

    neighbours: Annotated[int, Span(10, 500, even=True)] = 100
    shrink: Annotated[float, Span(0, 200)] = 10.0
    transform: Transform = "log"

    def __post_init__(self) -> None:
        at_least(self, neighbours=1, shrink=0)
        one_of(self, "transform", get_args(Transform))

    def learn(self, data: TrainingData, seed: int = 0) -> ItemKnnModel:
        """Returns the model; cost: the sum over users of their squared number of items. Draws nothing from `seed`.

        Raises:
            NotEnoughData: code `data.too-few`.
        """
        encoder = implicit_encoder(data.interactions)
        columns = sparse.csr_matrix(learning_matrix(data, encoder, self.transform).T)
        alike = NeighbourIndex.of(columns).nearest(columns, self.neighbours, self.shrink)
        return ItemKnnModel(sparse.csr_matrix(alike.T), encoder, asdict(self))

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns neighbourhoods of three sizes and three shrinkages."""
        sizes = (self.neighbours, 30, 300)
        return tuple(
            dict.fromkeys(
                replace(self, neighbours=size, shrink=shrink) for size in sizes for shrink in (self.shrink, 0.0, 100.0)
            )
        )
