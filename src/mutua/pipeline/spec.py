"""Surfaces: named configurations of a pipeline, as they stand in `mutua.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

import msgspec
from msgspec.structs import replace

from mutua.errors import UsageError
from mutua.pipeline.rules import filled, parse_rule

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Position = Annotated[int, msgspec.Meta(ge=1)]
Exclude = Literal["auto", "on", "off"]
Source = Literal["model", "popular", "trending", "similar", "content", "new", "recent", "given"]

SOURCES: tuple[str, ...] = get_args(Source)
EXPLORED = 0.02
"""Share of positions given to a random candidate, where a surface says nothing else."""
BY_MODEL, BY_POPULARITY = "model", "popularity"


class Boost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items that match `where` count `factor` times their distance above the pool's lowest score."""

    where: str
    factor: Annotated[float, msgspec.Meta(ge=0, le=100)]

    def __post_init__(self) -> None:
        _check_rule(self.where)


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one place in a shop or app turns a profile into a slate.

    Args:
        candidates: where items come from (see `pipeline.candidates`): `model` ranks all items, the others bring a few
            each, which are ranked together by the same score.
        ranker: `model` scores by the model in force, `popularity` by counts, a version such as `000012` by that one.
        exclude: items already seen: `on` leaves them out, `off` keeps them, `auto` keeps those of categories
            that people buy again, as the model has learned.
        where: rules that every item must match (see `pipeline.rules`); `{name}` stands for what the request's context
            says, `{item.name}` for an attribute of the item that it is about.
        diversity: 0 orders by relevance alone, 1 by novelty against the items above (MMR).
        caps: most items per label of a column, such as `{brand = 2}`.
        pins: item by 1-based position; a pinned item passes caps and exclusion but never a rule or a guard.
        boosts: rules with a factor.
        explore: share of positions given to a random item of the pool, with its propensity.
        temperature: above 0, positions are drawn by Plackett-Luce instead: each item left in proportion to
            exp(relevance ÷ temperature), relevance being 0 to 1 over the pool.
        pool: candidates that later stages choose from, as a multiple of n.
        deadline: seconds within which a server answers; what it has no time for it leaves out, and says so.
    """

    candidates: tuple[Source, ...] = ("model",)
    ranker: str = BY_MODEL
    exclude: Exclude = "auto"
    where: tuple[str, ...] = ()
    diversity: Share = 0.0
    caps: dict[str, Annotated[int, msgspec.Meta(ge=1)]] = {}
    pins: dict[Position, str] = {}
    boosts: tuple[Boost, ...] = ()
    explore: Share = EXPLORED
    temperature: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    pool: Annotated[int, msgspec.Meta(ge=2, le=100)] = 5
    deadline: Annotated[float, msgspec.Meta(ge=0.01, le=30)] = 0.5

    def __post_init__(self) -> None:
        for rule in self.where:
            _check_rule(rule)
        if not self.candidates:
            raise UsageError("candidates = []", f"one of {', '.join(SOURCES)}", "leave it out for the model's ranking")
        if self.exclude == "on" and self.candidates == ("recent",):
            raise UsageError("exclude = 'on' with what was had recently", "`off` or `auto`", "correct `exclude`")
        if self.ranker not in (BY_MODEL, BY_POPULARITY) and not self.ranker.isdecimal():
            raise UsageError(
                f"ranker = {self.ranker[:40]!r}",
                f"{BY_MODEL}, {BY_POPULARITY} or a version such as '000012'",
                "name one",
            )

    @property
    def plain(self) -> bool:
        """Whether the order is that of the scores alone, exploring aside."""
        return not (self.diversity or self.caps or self.pins or self.boosts or self.temperature)

    @property
    def ranks_all(self) -> bool:
        """Whether the candidates are all items, by the ranker."""
        return self.candidates == (BY_MODEL,)

    def by_relevance(self) -> Surface:
        """Returns the surface with its ranker, rules and exclusion: all items, ordered by the scores alone."""
        return msgspec.structs.replace(
            self,
            candidates=(BY_MODEL,),
            diversity=0.0,
            caps={},
            pins={},
            boosts=(),
            explore=0.0,
            temperature=0.0,
        )


def narrowed(surface: Surface, where: Iterable[str], exclude: Exclude | None) -> Surface:
    """Returns the surface with further rules, and another treatment of items seen already if one is given."""
    return replace(surface, where=(*surface.where, *where), exclude=exclude or surface.exclude)


def _check_rule(text: str) -> None:
    parse_rule(filled(text, lambda name: "0"))  # noqa: ARG005
