"""Fusion: one value an attribute out of what several sources say, with its winner, its confidence and the losers.

A rule weighs the claims on one attribute; the value with the greatest weight wins, ties go to the newest claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mutua.profiles.facts import Fact, Value, agreeing, moment, standing

NO_CONTEXT: Mapping[str, Any] = {}


class Rule(Protocol):
    """A way to choose between sources: a frozen dataclass that weighs claims."""

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:
        """Returns a weight ≥ 0 for every claim on one attribute, in their order (oldest first).

        Weights that sum to less than 1 leave the rest to values that nobody claims.
        """
        ...


@dataclass(frozen=True)
class Fused:
    """The value that stands for an attribute.

    Args:
        name: the attribute.
        winner: the strongest claim of the value that won.
        confidence: share of the weight behind the value, 0 to 1.
        supporting: other claims of the same value; losing: the claims of other values.
    """

    name: str
    winner: Fact
    confidence: float
    supporting: tuple[Fact, ...] = ()
    losing: tuple[Fact, ...] = ()

    @property
    def value(self) -> Value | None:
        """What the attribute is held to be."""
        return self.winner.value


@dataclass(frozen=True)
class Newest:
    """The newest claim wins, whoever makes it; each older claim weighs half of the next."""

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:  # noqa: ARG002
        """Returns weights so that the newest outweighs all older ones together."""
        newest_first = sorted(range(len(claims)), key=lambda row: moment(claims[row]), reverse=True)
        weights = [0.0] * len(claims)
        for age, row in enumerate(newest_first):
            weights[row] = 2.0**-age
        return weights


@dataclass(frozen=True)
class MostTrusted:
    """The most trusted source wins; several less trusted ones never overrule it.

    Args:
        trust: by source, greater is better, 0 to 1; sources not named have `otherwise`.
    """

    trust: Mapping[str, float]
    otherwise: float = 0.5

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:  # noqa: ARG002
        """Returns weights by rank of trust, so that each rank outweighs all lower ones together."""
        levels = sorted({self._trust(claim) for claim in claims}, reverse=True)
        return [float(len(claims) + 1) ** -levels.index(self._trust(claim)) for claim in claims]

    def _trust(self, claim: Fact) -> float:
        return self.trust.get(claim.source, self.otherwise)


@dataclass(frozen=True)
class Majority:
    """Every source has one vote."""

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:  # noqa: ARG002
        """Returns 1 for every claim."""
        return [1.0] * len(claims)


@dataclass(frozen=True)
class ByContext:
    """A source is preferred while a field of the context has a value, such as the till's word in the shop.

    Args:
        on: the field of the context.
        prefer: by value of that field, the source whose claim then stands alone.
        otherwise: the rule where no preference holds, or the preferred source says nothing.
    """

    on: str
    prefer: Mapping[str, str]
    otherwise: Rule = field(default_factory=Newest)

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:
        """Returns 1 for the preferred source and 0 for the others, else what `otherwise` says."""
        preferred = self.prefer.get(str(context.get(self.on)))
        chosen = [1.0 if claim.source == preferred else 0.0 for claim in claims]
        return chosen if any(chosen) else self.otherwise.weigh(claims, context)


@dataclass(frozen=True)
class ByAttribute:
    """Each attribute has a rule of its own.

    Args:
        rules: rule by attribute; otherwise: the rule of the attributes not named.
    """

    rules: Mapping[str, Rule]
    otherwise: Rule = field(default_factory=Newest)

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:
        """Returns what the attribute's own rule says."""
        return self.rules.get(claims[0].name, self.otherwise).weigh(claims, context)


NEWEST = Newest()


def fuse(facts: Iterable[Fact], rule: Rule = NEWEST, context: Mapping[str, Any] = NO_CONTEXT) -> dict[str, Fused]:
    """Returns the fused value of every attribute that `facts` speak of, in order of name.

    Args:
        facts: of one user (or item), in any order; only each source's last word counts.
        rule: how to choose between sources.
        context: fields of the moment, for `ByContext`.

    Example:
        >>> said = [Fact("city", "Bern", "crm", 1, 1), Fact("city", "Basel", "app", 2, 2)]
        >>> fused = fuse(said, MostTrusted({"crm": 0.9}))["city"]
        >>> fused.value, fused.winner.source, [claim.value for claim in fused.losing]
        ('Bern', 'crm', ['Basel'])
    """
    return {name: _chosen(name, claims, rule.weigh(claims, context)) for name, claims in standing(facts).items()}


def _chosen(name: str, claims: tuple[Fact, ...], weights: list[float]) -> Fused:
    weight = dict(zip(claims, weights, strict=True))
    groups = agreeing(claims)
    best = max(groups, key=lambda group: (sum(weight[claim] for claim in group), max(map(moment, group))))
    winner = max(best, key=lambda claim: (weight[claim], moment(claim)))
    return Fused(
        name=name,
        winner=winner,
        confidence=sum(weight[claim] for claim in best) / max(sum(weights), 1.0),
        supporting=tuple(claim for claim in best if claim is not winner),
        losing=tuple(claim for claim in claims if claim not in best),
    )
