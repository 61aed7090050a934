"""Surfaces: named configurations of a pipeline, as they stand in `mutua.toml`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Position = Annotated[int, msgspec.Meta(ge=1)]
Exclude = Literal["auto", "on", "off"]


class Boost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items that match `where` count `factor` times their distance above the pool's lowest score."""

    where: str
    factor: Annotated[float, msgspec.Meta(ge=0, le=100)]


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one place in a shop or app turns a profile into a slate.

    Args:
        exclude: items already seen: `on` leaves them out, `off` keeps them, `auto` keeps those of categories
            that people buy again, as the model has learned.
        where: rules that every item must match (see `pipeline.rules`).
        diversity: 0 orders by relevance alone, 1 by novelty against the items above (MMR).
        caps: most items per label of a column, such as `{brand = 2}`.
        pins: item by 1-based position; a pinned item passes caps and exclusion but never a rule or a guard.
        boosts: rules with a factor.
        explore: share of positions given to a random item of the pool, with its propensity.
        pool: candidates that later stages choose from, as a multiple of n.
    """

    exclude: Exclude = "auto"
    where: tuple[str, ...] = ()
    diversity: Share = 0.0
    caps: dict[str, Annotated[int, msgspec.Meta(ge=1)]] = {}
    pins: dict[Position, str] = {}
    boosts: tuple[Boost, ...] = ()
    explore: Share = 0.0
    pool: Annotated[int, msgspec.Meta(ge=2, le=100)] = 5

    @property
    def plain(self) -> bool:
        """Whether the order is that of the scores alone, so that the best n are the answer."""
        return not (self.diversity or self.caps or self.pins or self.boosts or self.explore)
