"""The content map: from what is known of an item to the items that people have and that are most like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import AttributeTable
from mutua.models.decomposition import truncated_svd
from mutua.models.features import Block, blocks_of, encoded
from mutua.models.joint import kernels
from mutua.models.joint.overlay import LENDERS, TIE_BREAK

Floats = npt.NDArray[np.float32]
Items = npt.NDArray[np.int32]
DIMENSIONS = 64
MOST_FEATURES = 20_000
"""Features kept for items to come, those of the greatest length in the map."""


@dataclass(frozen=True, eq=False)
class ContentMap:
    """Learned from the catalogue, and good for items that come later.

    Args:
        blocks: how attributes become features.
        feature: int32 [f], the features that are kept; turn: float32 [f, d], what each adds to an item's vector.
        lender: int32 [l], items that people have; vector: float32 [l, d], unit length; known: float32 [l], popularity.
        strength: weight of what a newcomer borrows.
    """

    blocks: tuple[Block, ...]
    feature: Items
    turn: Floats
    lender: Items
    vector: Floats
    known: Floats
    strength: float

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that the map reads."""
        return tuple(block.name for block in self.blocks)

    def nearest(self, items: AttributeTable, most: int) -> tuple[Items, Floats]:
        """Returns the lenders most like each item, int32 [n, most], and their shares, summing to 1; −1 and 0: none.

        Args:
            items: n items and what is known of them.

        Cost: about half a millisecond, and a tenth for every further item.
        """
        features = encoded(self.blocks, items)[:, self.feature]
        vectors = unit(np.asarray(features @ self.turn, np.float32))
        # One by one: the last digits must not depend on what else comes at the same time.
        alike = np.stack([self.vector @ vector for vector in vectors]) + TIE_BREAK * self.known
        alike[~vectors.any(axis=1)] = 0
        values = np.zeros((items.size, min(most, len(self.lender))), np.float32)
        places = np.full(values.shape, -1, np.int32)
        kernels.largest_dense(np.maximum(alike, 0), values, places)
        total = values.sum(axis=1, keepdims=True)
        shares = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
        return np.where(places >= 0, self.lender[places], -1).astype(np.int32), shares

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Returns what was learned as plain arrays."""
        return {
            "content_feature": self.feature,
            "content_turn": self.turn,
            "content_lender": self.lender,
            "content_vector": self.vector,
            "content_known": self.known,
            "content_rarity": np.concatenate([block.rarity for block in self.blocks]),
        }

    def meta(self) -> dict[str, Any]:
        """Returns the words of the features and the strength, as JSON values."""
        blocks = [{"name": block.name, "words": list(block.words), "given": block.given} for block in self.blocks]
        return {"blocks": blocks, "strength": self.strength}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> ContentMap:
        """Returns the map that `arrays` and `meta` describe."""
        rarity, ends = arrays["content_rarity"], np.cumsum([len(block["words"]) for block in meta["blocks"]])
        blocks = tuple(
            Block(block["name"], tuple(block["words"]), np.asarray(part), block["given"])
            for block, part in zip(meta["blocks"], np.split(rarity, ends[:-1]), strict=True)
        )
        names = ("feature", "turn", "lender", "vector", "known")
        parts = {name: np.asarray(arrays[f"content_{name}"]) for name in names}
        return cls(blocks, **parts, strength=float(meta["strength"]))


def learned(items: AttributeTable, known: Floats, strength: float, seed: int) -> tuple[ContentMap, Floats] | None:
    """Returns the map and the vector of every item, float32 [n, d] of unit length or 0; None where nothing is said.

    Args:
        known: float32 [n], popularity 0..1, 0 for items that nobody has.
    """
    blocks = blocks_of(items)
    features = sparse.csr_matrix(encoded(blocks, items), dtype=np.float32) if blocks else sparse.csr_matrix((0, 0))
    if not features.nnz:
        return None
    left, values, turn = truncated_svd(features, DIMENSIONS, np.random.default_rng(seed))
    vectors = np.zeros((len(known), len(values)), np.float32)
    vectors[: items.size] = unit(np.asarray(left * values, np.float32))
    weight = np.linalg.norm(turn, axis=1) * np.asarray(features.power(2).sum(axis=0)).ravel()
    kept = np.sort(np.argsort(-weight, kind="stable")[:MOST_FEATURES]).astype(np.int32)
    had = np.flatnonzero((known > 0) & vectors.any(axis=1))
    lender = np.sort(had[np.lexsort((had, -known[had]))[:LENDERS]]).astype(np.int32)
    turned = np.asarray(turn[kept], np.float32)
    return ContentMap(blocks, kept, turned, lender, vectors[lender], known[lender], strength), vectors


def unit(vectors: Floats) -> Floats:
    """Returns the rows brought to length 1; those without length stay 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-6), np.float32)
