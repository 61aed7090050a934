"""Exploration: positions given to chance, and the odds of every placement. Orders are positions within the pool.

What is drawn depends on the seed, the user, the version of the profile and the scoring time alone, all of which the log
of slates keeps, so that any slate can be made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log, log1p
from struct import Struct

import numpy as np
import numpy.typing as npt

Odds = Sequence[float]
Picks = tuple[tuple[int, int], ...]
"""Positions that chance fills, rising, each with the place among the candidates left that it fills it from."""

NO_PICKS: Picks = ()
_EIGHT = Struct("<8Q")
_STEP = 1.0 / (1 << 53)


def key_of(seed: int, user: str | None, version: int, now: int) -> bytes:
    """Returns what all draws of one slate come from, 64 bytes; about a microsecond."""
    return blake2b(f"{seed}\x1f{user or ''}\x1f{version}\x1f{now}".encode()).digest()


def picks(depth: int, pool: int, rate: float, key: bytes) -> Picks:
    """Returns which of the first `depth` positions are filled by chance (ε-greedy), and by which candidate left.

    Args:
        pool: candidates.
        rate: probability of a position to be filled by a candidate drawn uniformly from those left, the best included.

    Cost: half a microsecond where chance fills none, which one number decides.
    """
    numbers = _numbers(key)
    first = next(numbers)
    if rate <= 0 or not depth or first <= (1.0 - rate) ** depth:
        return NO_PICKS
    position, found = _wait(first, rate), []
    while position < depth:
        found.append((position, int(next(numbers) * (pool - position))))
        position += 1 + _wait(next(numbers), rate)
    return tuple(found)


def deepest(chosen: Picks) -> int:
    """Returns how many candidates must be ranked for those picks, of which there are some."""
    return 1 + max([position + place for position, place in chosen])


def by_chance(order: Sequence[int], depth: int, pool: int, rate: float, chosen: Picks) -> tuple[list[int], list[float]]:
    """Returns the order with those picks in it, and the probability of each of its first items given those above.

    Args:
        order: candidates, at least as many as the picks go deep; pool: how many there are in all.
    """
    placed, odds = list(order), list(greedy_odds(depth, pool, rate))
    for position, place in chosen:
        if place:
            placed.insert(position, placed.pop(position + place))
            odds[position] = rate / (pool - position)
    return placed, odds


@lru_cache(maxsize=1_024)
def greedy_odds(depth: int, pool: int, rate: float) -> tuple[float, ...]:
    """Returns the probability of the best candidate left at each of the first `depth` positions."""
    return tuple([1.0 - rate + rate / (pool - position) for position in range(depth)])


def plackett_luce(
    order: npt.NDArray[np.intp], relevance: npt.NDArray[np.float32], depth: int, temperature: float, key: bytes
) -> tuple[list[int], list[float]]:
    """Returns an order drawn item by item in proportion to exp(relevance ÷ temperature), and the odds of its first.

    Args:
        order: intp [p]; relevance: float32 [p], 0..1, of the pool; the first of `order` counts as the most relevant.
    """
    rng = np.random.default_rng(int.from_bytes(key, "little"))
    worth = np.sort(relevance.astype(np.float64))[::-1] / temperature
    drawn = np.argsort(-(worth + rng.gumbel(size=len(order))), kind="stable")
    drawn[depth:] = np.sort(drawn[depth:])
    left = np.logaddexp.accumulate(worth[drawn][::-1])[::-1]
    odds = np.exp(worth[drawn[:depth]] - left[:depth])
    return order[drawn].tolist(), np.clip(odds, np.finfo(np.float32).tiny, 1.0).tolist()


def _numbers(key: bytes) -> Iterator[float]:
    """Numbers of 0..1 without end, even and independent: the bits of a chain of hashes."""
    while True:
        for bits in _EIGHT.unpack(key):
            yield (bits >> 11) * _STEP
        key = blake2b(key).digest()


def _wait(chance: float, rate: float) -> int:
    """Positions that pass before chance fills one: geometric, from a number in 0..1."""
    return 0 if rate >= 1.0 else int(min(log(max(chance, 1e-300)) / log1p(-rate), 1e9))
