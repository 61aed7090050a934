"""Inputs for the parser of events that nobody would send: `python -m tests.events.fuzz 1000000` tries so many.

Each is either read or refused with a code of `errors.py`; anything else is a fault, printed with its seed.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from typing import Any

import msgspec

from mutua.errors import MutuaError
from mutua.events.kinds import Event
from mutua.events.parsing import parse_batch
from mutua.serving.security.limits import RequestLimits, check_depth

NOW = 1_780_000_000_000_000
ANY = msgspec.json.Decoder()
LIMITS = RequestLimits()
FIELDS = (
    "kind", "id", "user", "item", "type", "value", "time", "source", "session", "device", "context", "text", "slate",
    "position", "items", "attributes", "other", "linked", "purpose", "granted", "attribute", "until", "event", "",
)  # fmt: skip
KINDS = (
    "interaction", "impression", "user-upsert", "item-upsert", "edit", "consent", "identity-link", "forget", "KIND",
)  # fmt: skip
WORDS = (
    "ann", "milk", "purchase", "view", "2026-01-01T00:00:00Z", "1e400", "-0", "\x00", "\ud800", "\u202e", "a" * 300,
    "é" * 200, "NaN", "2026-13-45", "9" * 40, " ", "\n", "{}", "null", "💥", "2026-01-01", "1780000000", "-1",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, 2**63, -(2**63) - 1, 2**64, 10**30, 0.5, -0.0, 1e308, math.inf, -math.inf, math.nan, True)
GROUP = 50
"""Inputs of one batch: each is judged by itself."""


def value(draw: random.Random, depth: int = 0) -> Any:
    """Returns something that JSON or Python may hold."""
    kind = draw.randrange(8 if depth < 5 else 5)
    if kind < 2:
        return draw.choice(WORDS)
    if kind == 2:
        return draw.choice(NUMBERS)
    if kind == 3:
        return draw.choice((None, True, False))
    if kind == 4:
        return "".join(chr(draw.randrange(1, 0x3000)) for _ in range(draw.randrange(6)))
    if kind == 5:
        return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(FIELDS + WORDS): value(draw, depth + 1) for _ in range(draw.randrange(5))}


def event(draw: random.Random) -> Any:
    """Returns something like an event: mostly right, so that what comes after the first check is reached too."""
    if draw.random() < 0.1:
        return value(draw)
    given: dict[str, Any] = {"user": "ann", "item": "milk"}
    if draw.random() < 0.6:
        given["kind"] = draw.choice(KINDS)
    for _ in range(draw.randrange(4)):
        given[draw.choice(FIELDS)] = value(draw)
    if draw.random() < 0.1:
        given.pop(draw.choice(("user", "item")))
    return given


def mangled(draw: random.Random) -> bytes:
    """Returns the JSON of an event with some bytes changed, left out or put in."""
    text = bytearray(json.dumps(event(draw)).encode("utf-8", "surrogatepass"))
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(text) + 1)
        text[place : place + draw.randrange(3)] = bytes(draw.randrange(256) for _ in range(draw.randrange(3)))
    return bytes(text)


def try_group(draw: random.Random) -> int:
    """Tries a group of events as objects and one as bytes, and returns how many were taken."""
    parsed = parse_batch([event(draw) for _ in range(GROUP - 1)], now=NOW)
    assert len(parsed.events) + len(parsed.refused) == GROUP - 1
    assert all(isinstance(one, Event) for one in parsed.events)
    assert all(isinstance(refused.error, MutuaError) and refused.error.code for refused in parsed.refused)
    try:
        text = mangled(draw)
        check_depth(LIMITS, text)
        parse_batch([ANY.decode(text)], now=NOW)
    except (MutuaError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return len(parsed.events)
    return len(parsed.events)


def fuzz(inputs: int, seed: int = 0) -> int:
    """Tries so many inputs and returns how many were taken; raises at the first fault, with the seed of its group."""
    taken = 0
    for group in range(inputs // GROUP):
        number = seed * 1_000_000_000 + group
        try:
            taken += try_group(random.Random(number))
        except Exception as fault:
            raise AssertionError(f"a fault with the seed {number}") from fault
    return taken


if __name__ == "__main__":
    asked, began = int(sys.argv[1]), time.perf_counter()
    accepted = fuzz(asked)
    print(f"{asked:,} inputs, {accepted:,} taken, no fault, {time.perf_counter() - began:.0f} s")
