"""Experiments: a surface splits its users between configurations, each user to the same one wherever it is asked.

Who gets what is a function of the experiment's name and the user alone, so it is the same after a restart and in every
process, and two experiments split independently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

import msgspec

from mutua.errors import UsageError

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
ROUNDING = 1e-9
BETWEEN = "/"
"""Stands between the names of an experiment and a variant where a slate names both."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One branch: the surface whose configuration it takes, and its share of users."""

    surface: str
    share: Share


class Experiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A surface's users, split.

    Args:
        surface: the one that is asked for.
        variants: by name, the first being the one that others are compared with; users beyond the shares are in none.
        click, goal: types of event that count as a click and as the conversion.
    """

    surface: str
    variants: dict[str, Variant]
    click: str = "click"
    goal: str = "purchase"

    def __post_init__(self) -> None:
        total = sum(variant.share for variant in self.variants.values())
        if len(self.variants) < 2 or total > 1 + ROUNDING or any(BETWEEN in name for name in self.variants):
            raise UsageError(
                f"{len(self.variants)} variants with shares of {total:g} in all",
                f"two or more, shares of at most 1 in all, no {BETWEEN!r} in a name",
                "correct [experiments.NAME.variants]",
            )


@dataclass(frozen=True)
class Split:
    """An experiment made ready.

    Args:
        name: the experiment's.
        pieces: stretches of the line from 0 to 1, each with the name of a variant and its surface.
    """

    name: str
    pieces: tuple[tuple[float, float, str, str], ...]

    @classmethod
    def of(cls, name: str, experiment: Experiment) -> Split:
        """Returns the split of an experiment."""
        variants = list(experiment.variants.items())
        found = stretches([variant.share for _, variant in variants])
        return cls(name, tuple((low, high, variants[at][0], variants[at][1].surface) for low, high, at in found))

    def variant_of(self, unit: str) -> tuple[str, str]:
        """Returns what slates call a user's variant, and its surface; empty where he is in none. About 2 µs."""
        at = place(self.name, unit)
        for low, high, name, surface in self.pieces:
            if low <= at < high:
                return f"{self.name}{BETWEEN}{name}", surface
        return "", ""


def splits(experiments: Mapping[str, Experiment]) -> dict[str, Split]:
    """Returns the split of each surface that has one."""
    return {one.surface: Split.of(name, one) for name, one in experiments.items()}


def place(experiment: str, unit: str) -> float:
    """Returns where a user stands between 0 and 1, evenly over users and independently between experiments."""
    digest = blake2b(f"{experiment}\x1f{unit}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / (1 << 64)


def stretches(shares: Sequence[float]) -> list[tuple[float, float, int]]:
    """Returns which stretches of 0 to 1 belong to which variant, so that changed shares move few users.

    Every variant has a room of its own, of equal width, and fills it from its beginning; what does not fit takes what
    others leave free at the ends of theirs. While shares stay below their rooms, a variant that grows keeps all of its
    users and one that shrinks takes nobody on.

    Example:
        >>> stretches([0.2, 0.8])
        [(0.0, 0.2, 0), (0.5, 1.0, 1), (0.2, 0.5, 1)]
    """
    width = 1.0 / len(shares)
    own = [min(share, width) for share in shares]
    found = [(at * width, at * width + own[at], at) for at in range(len(shares)) if own[at]]
    free_until = [(at + 1) * width for at in range(len(shares))]
    for at, share in enumerate(shares):
        missing = share - own[at]
        for room in range(len(shares)):
            taken = min(missing, free_until[room] - (room * width + own[room]))
            if taken > ROUNDING:
                found.append((free_until[room] - taken, free_until[room], at))
                free_until[room] -= taken
                missing -= taken
    return found
