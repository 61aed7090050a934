"""What is worth trying of a model's settings, stated beside each: a span of numbers, or some values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from mutua.models.base import Learner

DIGITS = 3
"""Significant digits of a number that is tried: as fine as any effect, and short enough to be typed."""


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both included; whole ones where the setting is one.

    Args:
        even: whether every size is as likely as every other (a logarithmic scale), not every number.
    """

    low: float
    high: float
    even: bool = False


@dataclass(frozen=True)
class Among:
    """Some values."""

    values: tuple[Any, ...]


Range = Span | Among
Space = dict[str, tuple[type, Range]]
"""By setting: its type, and what to try."""


def space_of(kind: type[Learner]) -> Space:
    """Returns what is worth trying of a model's settings; those without a stated range are left as they are.

    Example:
        >>> from mutua.models.linear.ease import Ease
        >>> space_of(Ease)["transform"][1].values
        ('binary', 'log', 'linear')
    """
    hints = get_type_hints(kind, include_extras=True)
    found = {name: _stated(hint) for name, hint in hints.items()}
    return {name: stated for name, stated in found.items() if stated is not None}


def tidy(number: float) -> float:
    """Returns a number cut to `DIGITS` significant digits.

    Example:
        >>> tidy(0.123456), tidy(0.0000765432)
        (0.123, 7.65e-05)
    """
    return float(f"{number:.{DIGITS}g}")


def _stated(hint: Any) -> tuple[type, Range] | None:
    if get_origin(hint) is Annotated:
        kind, *extras = get_args(hint)
        return next(((kind, extra) for extra in extras if isinstance(extra, Range)), None)
    return (str, Among(get_args(hint))) if get_origin(hint) is Literal else None
