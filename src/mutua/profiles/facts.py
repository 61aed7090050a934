"""Facts: what each source says of an attribute, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mutua.events.kinds import Attributes

Value = str | float | bool | tuple[str, ...] | tuple[float, ...]
"""What an attribute can be: a text, a number, a truth value, or several texts or numbers."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One source's word on one attribute.

    Args:
        name: the attribute.
        value: what the source says; None withdraws its earlier word.
        source: who says so.
        time: when, microseconds UTC.
        sequence: position in the log.
    """

    name: str
    value: Value | None
    source: str
    time: int
    sequence: int


def facts_of(attributes: Attributes, source: str, time: int, sequence: int) -> tuple[Fact, ...]:
    """Returns the facts of one upsert.

    Example:
        >>> facts_of({"age": 31, "plan": None}, "crm", 0, 1)[0].value
        31
    """
    return tuple(Fact(name, _frozen(value), source, time, sequence) for name, value in attributes.items())


def standing(facts: Iterable[Fact]) -> dict[str, tuple[Fact, ...]]:
    """Returns, by attribute, every source's last word by (time, sequence), oldest first; withdrawn words are left out.

    The order in which facts come makes no difference.
    """
    latest: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        key = fact.name, fact.source
        if key not in latest or moment(latest[key]) <= moment(fact):
            latest[key] = fact
    by_name: dict[str, list[Fact]] = {}
    for fact in sorted(latest.values(), key=lambda fact: (fact.name, *moment(fact))):
        if fact.value is not None:
            by_name.setdefault(fact.name, []).append(fact)
    return {name: tuple(claims) for name, claims in by_name.items()}


def moment(fact: Fact) -> tuple[int, int]:
    """Returns a fact's place in the canonical order: time, then sequence."""
    return fact.time, fact.sequence


def is_number(value: object) -> bool:
    """Returns whether a value is a number; truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def agreeing(claims: Iterable[Fact]) -> list[tuple[Fact, ...]]:
    """Returns the claims grouped by what they say; true and 1 are not the same."""
    groups: dict[tuple[bool, Value | None], list[Fact]] = {}
    for claim in claims:
        groups.setdefault((isinstance(claim.value, bool), claim.value), []).append(claim)
    return [tuple(group) for group in groups.values()]


def _frozen(value: object) -> Value | None:
    if isinstance(value, list | tuple):
        return tuple(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
