"""Learned trust: how reliable each source is, found from where sources contradict each other.

Texts, truth values and lists: the accuracy a_s of source s and the truth are found together by expectation
maximisation. A wrong claim is any of the other n values of the attribute alike, so
`p(v) ∝ Π_{s says v} n·a_s / (1 − a_s)`, and a_s is the mean of p over what s claims (ACCU: Dong, Berti-Équille,
Srivastava, Integrating conflicting data, VLDB 2009; the loop is TruthFinder's: Yin, Han, Yu, TKDE 2008).

Numbers: claims are the truth plus noise of variance v_s, so the mean square difference of two sources is v_s + v_t;
all pairs together give every v_s by non-negative least squares (the three-cornered hat: Gray, Allan, A method for
estimating the frequency stability of an individual oscillator, 1974).

Sources are held to err independently; sources that copy from each other count as often as they copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from mutua.profiles.facts import Fact, agreeing, is_number, standing

ROUNDS = 100
TOLERANCE = 1e-6
PRIOR_ACCURACY = 0.8
PRIOR_CLAIMS = 2.0
"""Claims that the prior accuracy counts for."""
UNKNOWN_ACCURACY = 0.5
UNKNOWN_SPREAD = 1.0
LEAST_SPREAD = 1e-3

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LearnedTrust:
    """A rule of fusion whose trust was learned from contradictions.

    Args:
        accuracy: by source, how often its texts, truth values and lists are right, 0 to 1.
        spread: by source, the standard deviation of its numbers around the truth, in units of `scale`.
        scale: by attribute of numbers, what one unit of spread is.
        values: by attribute of other values, how many different ones were claimed.
    """

    accuracy: Mapping[str, float]
    spread: Mapping[str, float]
    scale: Mapping[str, float]
    values: Mapping[str, int]

    def weigh(self, claims: Sequence[Fact], context: Mapping[str, Any]) -> list[float]:  # noqa: ARG002
        """Returns weights that sum, over the claims of a value, to the probability of that value."""
        if all(is_number(claim.value) for claim in claims):
            return self._weigh_numbers(claims)
        odds = {id(claim): self._log_odds(claim) for claim in claims}
        groups = agreeing(claims)
        scores = [sum(odds[id(claim)] for claim in group) for group in groups]
        unclaimed = max(self.values.get(claims[0].name, 0) - len(groups), 1)
        top = max(*scores, 0.0)
        whole = sum(math.exp(score - top) for score in scores) + unclaimed * math.exp(-top)
        weight: dict[int, float] = {}
        for group, score in zip(groups, scores, strict=True):
            shares = [self._accuracy(claim) for claim in group]
            for claim, share in zip(group, shares, strict=True):
                weight[id(claim)] = math.exp(score - top) / whole * share / sum(shares)
        return [weight[id(claim)] for claim in claims]

    def _weigh_numbers(self, claims: Sequence[Fact]) -> list[float]:
        """The claim that precise and near claims support most wins; the others count as far as they are away."""
        scale = self.scale.get(claims[0].name) or max(abs(_number(claim)) for claim in claims) or 1.0
        spread = np.array([self.spread.get(claim.source, UNKNOWN_SPREAD) for claim in claims])
        place = np.array([_number(claim) for claim in claims]) / scale
        share = spread**-2 / (spread**-2).sum()
        reach = np.sqrt(spread[:, None] ** 2 + spread**2)
        near = np.exp(-0.5 * ((place[:, None] - place) / reach) ** 2)
        support = near @ share
        best = int(support.argmax())
        weights = share * (1.0 - near[best])
        weights[best] = support[best]
        return [float(weight) for weight in weights]

    def _accuracy(self, claim: Fact) -> float:
        return self.accuracy.get(claim.source, UNKNOWN_ACCURACY)

    def _log_odds(self, claim: Fact) -> float:
        others = max(self.values.get(claim.name, 2) - 1, 1)
        return float(_log_odds(np.array(self._accuracy(claim)), np.array(others)))


def learn_trust(people: Iterable[Iterable[Fact]]) -> LearnedTrust:
    """Returns the trust that explains the contradictions of many users (or items) best.

    Args:
        people: the facts of each; only attributes on which two sources or more speak teach anything.

    Cost: O(claims) a round, at most 100 rounds, and O(pairs of claims on one attribute of one user).
    """
    objects = [claims for facts in people for claims in standing(facts).values()]
    numeric = {claims[0].name: True for claims in objects}
    for claims in objects:
        numeric[claims[0].name] &= all(is_number(claim.value) for claim in claims)
    contested = [claims for claims in objects if len(claims) > 1]
    accuracy, values = _learn_accuracy([claims for claims in contested if not numeric[claims[0].name]], objects)
    spread, scale = _learn_spread([claims for claims in contested if numeric[claims[0].name]])
    return LearnedTrust(accuracy, spread, scale, values)


def _learn_accuracy(
    contested: Sequence[Sequence[Fact]], objects: Sequence[Sequence[Fact]]
) -> tuple[dict[str, float], dict[str, int]]:
    claimed: dict[str, set[Any]] = {}
    for claims in objects:
        claimed.setdefault(claims[0].name, set()).update(claim.value for claim in claims)
    values = {name: len(found) for name, found in claimed.items()}
    sources, source_of = _sources(contested)
    choices = [group for claims in contested for group in agreeing(claims)]
    choice = np.repeat(np.arange(len(choices)), [len(group) for group in choices])
    source = np.array([source_of[claim.source] for group in choices for claim in group], np.int64)
    thing = np.repeat(np.arange(len(contested)), [len(agreeing(claims)) for claims in contested])
    others: Floats = np.array([max(values[claims[0].name] - 1.0, 1.0) for claims in contested])
    accuracy = np.full(len(sources), PRIOR_ACCURACY)
    for _ in range(ROUNDS if sources else 0):
        odds = _log_odds(accuracy[source], others[thing[choice]])
        score = np.bincount(choice, odds, len(choices)).astype(np.float64)
        probability = _probabilities(score, thing, others + 1.0)
        right = np.bincount(source, probability[choice], len(sources)) + PRIOR_ACCURACY * PRIOR_CLAIMS
        before, accuracy = accuracy, right / (np.bincount(source, minlength=len(sources)) + PRIOR_CLAIMS)
        if np.abs(accuracy - before).max() < TOLERANCE:
            break
    return dict(zip(sources, accuracy.tolist(), strict=True)), values


def _learn_spread(contested: Sequence[Sequence[Fact]]) -> tuple[dict[str, float], dict[str, float]]:
    sources, source_of = _sources(contested)
    if not sources:
        return {}, {}
    scale = _scales(contested)
    count, total = np.zeros((2, len(sources), len(sources)))
    for claims in contested:
        for one, other in combinations(claims, 2):
            pair = tuple(sorted((source_of[one.source], source_of[other.source])))
            count[pair] += 1.0
            total[pair] += ((_number(one) - _number(other)) / scale[one.name]) ** 2
    first, second = np.nonzero(count)
    square = total[first, second] / count[first, second]
    middle = float(np.average(square, weights=count[first, second])) / 2.0
    sums = np.zeros((len(first), len(sources)))
    sums[np.arange(len(first)), first] = sums[np.arange(len(first)), second] = 1.0
    trust = np.sqrt(count[first, second]) / np.maximum(square, LEAST_SPREAD)
    prior = np.eye(len(sources)) / max(middle, LEAST_SPREAD)
    variance, _ = nnls(
        np.concatenate((sums * trust[:, None], prior)), np.concatenate((square * trust, prior.diagonal() * middle))
    )
    return dict(zip(sources, np.maximum(np.sqrt(variance), LEAST_SPREAD).tolist(), strict=True)), scale


def _scales(contested: Sequence[Sequence[Fact]]) -> dict[str, float]:
    """By attribute the root mean square distance of claims from the middle of what is said of one user."""
    away: dict[str, list[float]] = {}
    for claims in contested:
        middle = float(np.median([_number(claim) for claim in claims]))
        away.setdefault(claims[0].name, []).extend((_number(claim) - middle) ** 2 for claim in claims)
    return {name: math.sqrt(sum(squares) / len(squares)) or 1.0 for name, squares in away.items()}


def _sources(contested: Sequence[Sequence[Fact]]) -> tuple[list[str], dict[str, int]]:
    names = sorted({claim.source for claims in contested for claim in claims})
    return names, {name: index for index, name in enumerate(names)}


def _log_odds(accuracy: Floats, others: Floats) -> Floats:
    held = np.clip(accuracy, 0.01, 0.99)
    return np.asarray(np.log(others * held / (1.0 - held)))


def _probabilities(score: Floats, thing: Ints, domain: Floats) -> Floats:
    """Probability of every claimed value; values of the domain that nobody claims have score 0."""
    top = np.zeros(len(domain))
    np.maximum.at(top, thing, score)
    part = np.exp(score - top[thing])
    unclaimed = np.maximum(domain - np.bincount(thing, minlength=len(domain)), 0.0) * np.exp(-top)
    return np.asarray(part / (np.bincount(thing, part, len(domain)) + unclaimed)[thing])


def _number(claim: Fact) -> float:
    return float(claim.value) if isinstance(claim.value, int | float) else math.nan
