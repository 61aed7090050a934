"""The population: what is known of everybody, against which one user is read."""

from __future__ import annotations

from dataclasses import dataclass

from mutua.catalog.bands import with_price_bands
from mutua.catalog.table import CATEGORY, AttributeTable, Labels
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.profiles import fold
from mutua.profiles.anomalies import NO_NORMS, Norms, norms_of
from mutua.profiles.interests import LONG, fading
from mutua.profiles.lifecycle import POPULATION, Rhythms, rhythms_of
from mutua.profiles.segments import Segments, find_segments, interest_vectors
from mutua.profiles.views import Floats


@dataclass(frozen=True, eq=False)
class Population:
    """What is known of everybody.

    Args:
        items: the catalogue, price bands included.
        type_weights: starting weight by type index.
        rhythms: how often people come; norms: what values they send; segments: groups by interest, where there are.
    """

    items: AttributeTable
    type_weights: tuple[float, ...] = (1.0,)
    rhythms: Rhythms = POPULATION
    norms: Norms = NO_NORMS
    segments: Segments | None = None

    @classmethod
    def of(
        cls, interactions: Interactions, items: AttributeTable, now: int, *, k: int | None = None, seed: int = 0
    ) -> Population:
        """Returns the population of a log that is grouped by user; without categories or users there are no segments.

        Args:
            now: microseconds UTC; k: how many segments, default the best of 3 to 12.

        Cost: seconds for thousands of users with hundreds of categories, most of it the choice of k.
        """
        banded, categories = with_price_bands(items), items.labels(CATEGORY)
        views = fold.views(interactions, fading(interactions.type_weights, LONG), now)
        return cls(
            items=banded,
            type_weights=interactions.type_weights,
            rhythms=rhythms_of(interactions),
            norms=norms_of(interactions),
            segments=None
            if categories is None
            else _segments(interest_vectors(views, categories), categories, k, seed),
        )


def _segments(vectors: Floats, categories: Labels, k: int | None, seed: int) -> Segments | None:
    try:
        return find_segments(vectors, tuple(categories.levels), k, seed)
    except NotEnoughData:
        return None
