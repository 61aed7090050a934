"""What options say in short forms of their own: durations, lists of models, events, attributes, surfaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from mutua.core import clock
from mutua.errors import ConfigError, UsageError
from mutua.events.kinds import Interaction
from mutua.events.parsing import parse_event
from mutua.pipeline.context import CART, ITEMS
from mutua.pipeline.spec import Surface

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, None: 1.0}


def seconds(text: str) -> float:
    """Returns a duration in seconds.

    Raises:
        UsageError: code `usage`.

    Example:
        >>> seconds("60s"), seconds("2min"), seconds("0")
        (60.0, 120.0, 0.0)
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"duration {text[:40]!r}", "a number with ms, s, min or h", "write 60s or 2min")
    return float(found[1]) * _SECONDS[found[2]]


def names(texts: Iterable[str]) -> tuple[str, ...]:
    """Returns the models that a list names; settings stay with their model.

    Example:
        >>> names(["default,ease:ridge=200,neighbours=50"])
        ('default', 'ease:ridge=200,neighbours=50')
    """
    found: list[str] = []
    for piece in (part.strip() for text in texts for part in text.split(",")):
        if found and "=" in piece and ":" not in piece.partition("=")[0]:
            found[-1] += f",{piece}"
        elif piece:
            found.append(piece)
    return tuple(found)


def cutoffs(text: str) -> tuple[int, ...]:
    """Returns the values of k in a list such as `10,20`.

    Raises:
        UsageError: code `usage`.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as reason:
        raise UsageError(f"cutoffs {text[:40]!r}", "whole numbers between commas", "write 10,20") from reason


def pair(text: str, between: str = "=") -> tuple[str, str]:
    """Returns both sides of `name=value`.

    Raises:
        UsageError: code `usage`.
    """
    name, found, value = text.partition(between)
    if not found or not name.strip() or not value.strip():
        raise UsageError(f"{text[:80]!r}", f"NAME{between}VALUE", "write both sides")
    return name.strip(), value.strip()


def plain(text: str) -> Any:
    """Returns the JSON value that `text` writes, else the text itself.

    Example:
        >>> plain("3.5"), plain("true"), plain("gold")
        (3.5, True, 'gold')
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def attributes(texts: Sequence[str]) -> dict[str, Any] | None:
    """Returns the attributes that `name=value` texts state, None for none."""
    return {name: plain(value) for name, value in map(pair, texts)} or None


def event(text: str, user: str) -> Interaction:
    """Returns the interaction that a text such as `item=milk,type=purchase,value=2` states.

    Raises:
        UsageError: code `usage`; not of this form.
        InvalidField: code `field.invalid`, and the other codes of `mutua.events.parsing.parse_event`.
    """
    fields: dict[str, Any] = dict(pair(part) for part in text.split(",") if part.strip())
    for name in {"value", "position"} & fields.keys():
        fields[name] = plain(fields[name])
    found = parse_event({"user": user, **fields}, now=clock.now())
    if not isinstance(found, Interaction):
        raise UsageError(f"an event of kind {fields['kind']!r}", "an interaction", "record other kinds first")
    return found


def surface(
    base: Surface,
    *,
    where: Sequence[str] = (),
    exclude: str | None = None,
    diversity: float | None = None,
    caps: Sequence[str] = (),
    pins: Sequence[str] = (),
    boosts: Sequence[str] = (),
) -> Surface:
    """Returns a surface with options over it; rules and boosts are added to its own.

    Args:
        caps: `brand=2`; pins: `1=milk`; boosts: `category=dairy*2`.

    Raises:
        UsageError: code `usage`; not of these forms.
        ConfigError: code `config.invalid`; a value out of its range.
    """
    tree: dict[str, Any] = msgspec.to_builtins(base)
    tree["where"] = [*tree["where"], *where]
    tree["caps"] |= {name: plain(value) for name, value in map(pair, caps)}
    tree["pins"] = {**tree["pins"], **dict(map(pair, pins))}
    tree["boosts"] = [*tree["boosts"], *map(_boost, boosts)]
    tree |= {name: value for name, value in (("exclude", exclude), ("diversity", diversity)) if value is not None}
    try:
        return msgspec.convert(tree, Surface, strict=False)
    except msgspec.ValidationError as reason:
        raise ConfigError(str(reason), "a surface as docs/configuration.md says", "correct this option") from reason


def context(texts: Sequence[str]) -> dict[str, Any]:
    """Returns the context that texts such as `item=milk`, `cart=milk|tea` and `store=north` state."""
    said = dict(map(pair, texts))
    return {name: value.split("|") if name in (CART, ITEMS) else value for name, value in said.items()}


def _boost(text: str) -> dict[str, Any]:
    where, factor = (part.strip() for part in text.rpartition("*")[::2])
    if not where or not factor:
        raise UsageError(f"boost {text[:80]!r}", "RULE*FACTOR, such as 'category=dairy*2'", "write both sides")
    return {"where": where, "factor": plain(factor)}
