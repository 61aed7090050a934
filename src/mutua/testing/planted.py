"""Small data with a known structure: users of a few tastes, items of the same, and nothing else to find."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mutua.catalog.table import BRAND, CATEGORY, PRICE, TAGS, AttributeTable, Labels, Numbers, Sets, Texts
from mutua.core.clock import DAY
from mutua.core.seeds import stream
from mutua.events.interactions import Interactions
from mutua.models.base import TrainingData

TYPES = ("view", "purchase", "rating", "dislike")
_WORDS = ("红茶 oolong leaf", "strong espresso beans", "fresh whole milk", "sourdough rye loaf")
_NEW = 4
"""Items without any event, one of each taste, at the end of the vocabulary."""


def planted(
    users: int = 60, items: int = 48, events: int = 30, tastes: int = 4, noise: float = 0.15, seed: int = 0
) -> TrainingData:
    """Returns events in which user u prefers the items whose index has the remainder u mod `tastes`.

    Items have category, brand, tags, text and price by taste; ratings are 4 or 5 within the taste, else 1 or 2; the
    last four items have no events; users come back to about one item in four.

    Args:
        users: number of users.
        items: number of items, the four without events included.
        events: interactions a user.
        tastes: number of tastes, at most 4.
        noise: share of events outside the user's taste.
        seed: of all draws.
    """
    rng = stream(seed, "planted")
    count = users * events
    user = np.repeat(np.arange(users), events)
    places = (items - _NEW) // tastes
    popular = rng.permutation(places)[rng.zipf(1.6, count) % places]
    taste = np.where(rng.random(count) < noise, rng.integers(tastes, size=count), user % tastes)
    item = popular * tastes + taste
    inside = taste == user % tastes
    kind = np.where(inside, rng.choice(3, count, p=(0.5, 0.2, 0.3)), rng.choice((0, 2, 3), count, p=(0.4, 0.4, 0.2)))
    value = np.where(inside, rng.integers(4, 6, count), rng.integers(1, 3, count)).astype(np.float32)
    log = Interactions.of(
        user,
        item,
        rng.integers(0, 60 * DAY, count),
        type=kind,
        value=np.where(kind == TYPES.index("rating"), value, np.nan),
        n_items=items,
        types=TYPES,
        type_weights=(1.0, 3.0, 1.0, -2.0),
        targets=(True, True, True, False),
        ratings=(False, False, True, False),
    )
    return TrainingData(log.by_user(), AttributeTable(users), catalogue(items, tastes, rng), 61 * DAY)


def catalogue(items: int, tastes: int, rng: np.random.Generator) -> AttributeTable:
    """Returns attributes of `items` by taste; a few categories are missing."""
    taste = np.arange(items) % tastes
    codes = np.where(rng.random(items) < 0.1, -1, taste).astype(np.int32)
    tags = sparse.csr_matrix((np.ones(items, np.float32), (np.arange(items), taste)), shape=(items, tastes))
    names = tuple(f"taste {number}" for number in range(tastes))
    return AttributeTable(
        items,
        {
            CATEGORY: Labels(codes, names),
            BRAND: Labels(rng.integers(0, 5, items).astype(np.int32), tuple("abcde")),
            TAGS: Sets(tags, names),
            PRICE: Numbers(rng.uniform(1, 9, items).astype(np.float32)),
            "title": Texts(tuple(f"{_WORDS[number]} {place}" for place, number in enumerate(taste))),
        },
    )
