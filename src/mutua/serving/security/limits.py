"""How much: bounds of a request's body, packed and unpacked, of a batch and of nesting."""

from __future__ import annotations

import re
import zlib
from typing import Annotated

import msgspec
import numpy as np

from mutua.errors import InvalidField, TooLarge
from mutua.events.limits import BATCH_EVENTS

Positive = Annotated[int, msgspec.Meta(ge=1)]
MIB = 1 << 20
GZIP = 16 + zlib.MAX_WBITS
MEMBERS = 16
"""Parts of one gzip body; without a bound, millions of empty ones would keep the server busy."""
SHORT = 32_768
"""Bytes of JSON up to which plain operations on bytes beat arrays."""
CHUNK = 1 << 20
QUOTE = ord('"')
ONE_KIND = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
STEPS = np.zeros(256, np.int8)
STEPS[[ord("["), ord("{")]], STEPS[[ord("]"), ord("}")]] = 1, -1


class RequestLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of one request.

    Args:
        body_bytes: of a body as it comes over the network.
        unpacked_bytes: of a body after gzip.
        batch_events: events in one body.
        depth: arrays and objects inside each other.
    """

    body_bytes: Positive = 8 * MIB
    unpacked_bytes: Positive = 32 * MIB
    batch_events: Positive = BATCH_EVENTS
    depth: Positive = 32


def check_declared(limits: RequestLimits, content_length: bytes) -> None:
    """Refuses a body by the length that it declares, before any of it is read.

    Args:
        content_length: the header's value, empty where there is none.

    Raises:
        TooLarge: code `input.too-large`. InvalidField: code `field.invalid`; no length at all.
    """
    if not content_length:
        return
    if re.fullmatch(rb"[0-9]+", content_length) is None:
        raise InvalidField("a Content-Length that is no number", "bytes of the body", "correct the header")
    digits = content_length.lstrip(b"0")
    check_body(limits, int(digits or b"0") if len(digits) < 19 else 1 << 62)


def check_body(limits: RequestLimits, size: int) -> None:
    """Refuses a body of so many bytes, read so far or in all.

    Raises:
        TooLarge: code `input.too-large`.
    """
    if size > limits.body_bytes:
        raise TooLarge(f"a body over {_said(limits.body_bytes)}", "at most that", "send smaller batches")


def check_batch(limits: RequestLimits, events: int) -> None:
    """Refuses a batch of so many events.

    Raises:
        TooLarge: code `input.too-large`.
    """
    if events > limits.batch_events:
        raise TooLarge(f"{events:,} events in one batch", f"at most {limits.batch_events:,}", "send smaller batches")


def check_depth(limits: RequestLimits, text: bytes) -> None:
    """Refuses JSON that is nested too deep; a body with few brackets costs a glance. For NDJSON, give line by line.

    Raises:
        TooLarge: code `input.too-large`.
    """
    if text.count(b"{") + text.count(b"[") > limits.depth and nesting(text) > limits.depth:
        raise TooLarge(f"JSON more than {limits.depth} levels deep", f"at most {limits.depth} levels", "flatten it")


def nesting(text: bytes) -> int:
    """Returns how many arrays and objects of a JSON text are inside each other at most, without parsing it.

    Exact for JSON. Of what is not JSON it says something, in linear time, and the parser will refuse it. A batch of 20
    events takes about 10 µs, a body of 8 MiB about 50 ms and 20 MiB of memory.

    Example:
        >>> nesting(b'{"a": [1, {"b]]": "[[["}]}')
        3
    """
    plain = text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text
    found = _peeled(plain) if len(plain) <= SHORT else None
    return _walked(plain) if found is None else found


def _peeled(plain: bytes) -> int | None:
    """The depth by taking away innermost pairs, a level at a time; None where brackets do not match or go deep."""
    outside = b"".join(plain.split(b'"')[::2])
    brackets = outside.translate(ONE_KIND, NO_BRACKETS)
    levels = 0
    while brackets and levels < 16:
        brackets = brackets.replace(b"[]", b"")
        levels += 1
    return None if brackets else levels


def _walked(plain: bytes) -> int:
    """The depth by adding up brackets outside of strings, in chunks so that memory stays small."""
    deepest = depth = 0
    within = np.False_
    for start in range(0, len(plain), CHUNK):
        chunk = np.frombuffer(plain, np.uint8, min(CHUNK, len(plain) - start), start)
        inside = np.logical_xor.accumulate(chunk == QUOTE) ^ within
        heights = depth + np.cumsum(np.where(inside, 0, STEPS[chunk]), dtype=np.int64)
        deepest = max(deepest, int(heights.max()))
        depth, within = int(heights[-1]), inside[-1]
    return deepest


def unpacked(limits: RequestLimits, packed: bytes) -> bytes:
    """Returns a gzip body unpacked; it never holds more than one byte above the bound, whatever was packed.

    Raises:
        TooLarge: code `input.too-large`; more bytes or parts than the bound.
        InvalidField: code `field.invalid`; not gzip, damaged, or cut short.
    """
    parts: list[bytes] = []
    rest, room = packed, limits.unpacked_bytes + 1
    for _ in range(MEMBERS):
        part, rest = _member(rest, room)
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise TooLarge(f"a body over {_said(limits.unpacked_bytes)} unpacked", "at most that", "send less at once")
        if not rest:
            return b"".join(parts)
    raise TooLarge(f"a gzip body of more than {MEMBERS} parts", "one part", "pack it in one go")


def _member(packed: bytes, room: int) -> tuple[bytes, bytes]:
    """The next part of a gzip body, cut at `room` bytes, and what follows it."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        found = unpacker.decompress(packed, room)
    except zlib.error as reason:
        raise InvalidField(
            f"a body that is not gzip: {reason}", "gzip", "drop Content-Encoding, or pack it"
        ) from reason
    if not unpacker.eof and len(found) < room:
        raise InvalidField("a gzip body that is cut short", "the whole body", "send it again")
    return found, unpacker.unused_data


def _said(size: int) -> str:
    return f"{size // MIB} MiB" if size % MIB == 0 else f"{size:,} bytes"
