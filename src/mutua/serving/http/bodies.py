"""Long bodies read line by line, packed or not, within bounds of each line and of the whole."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from mutua.errors import InvalidField, TooLarge
from mutua.serving.http.exchange import BODY_SECONDS, Receive
from mutua.serving.security.limits import GZIP, MEMBERS, MIB

LINE_BYTES = MIB
BODY_BYTES = 256 * MIB
"""Of a whole body, unpacked; it is never held in memory at once."""
PIECE = 64 * 1024
"""Bytes unpacked at a time."""


async def lines(receive: Receive, packed: bool) -> AsyncIterator[bytes]:
    """Yields the lines of a body as they arrive, empty ones left out.

    Args:
        packed: whether it comes as gzip.

    Raises:
        TooLarge: code `input.too-large`; a line or the whole beyond its bound.
        InvalidField: code `field.invalid`; not gzip though it says so, cut short, or too slow.
    """
    rest, size = b"", 0
    async for piece in _unpacked(receive) if packed else _chunks(receive):
        size += len(piece)
        if size > BODY_BYTES:
            raise TooLarge(f"a body over {BODY_BYTES // MIB} MiB", "at most that", "send the rest by itself")
        whole, newline, begun = (rest + piece).rpartition(b"\n")
        rest = begun
        if len(rest) > LINE_BYTES:
            raise TooLarge(f"a line over {LINE_BYTES // MIB} MiB", "at most that", "send one object a line")
        for line in whole.split(b"\n") if newline else ():
            if line.strip():
                yield line
    if rest.strip():
        yield rest


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        try:
            message = await asyncio.wait_for(receive(), BODY_SECONDS)
        except TimeoutError as reason:
            came = f"a body of which nothing came for {BODY_SECONDS:g} s"
            raise InvalidField(came, "the whole body", "send it again") from reason
        if message["type"] == "http.disconnect":
            raise InvalidField("a body that was cut short", "the whole body", "send it again")
        if found := message.get("body", b""):
            yield found
        if not message.get("more_body"):
            return


async def _unpacked(receive: Receive) -> AsyncIterator[bytes]:
    unpacker, members = zlib.decompressobj(GZIP), 1
    async for chunk in _chunks(receive):
        while chunk:
            if unpacker.eof:
                unpacker, members = zlib.decompressobj(GZIP), members + 1
                if members > MEMBERS:
                    raise TooLarge(f"a gzip body of more than {MEMBERS} parts", "one part", "pack it in one go")
            try:
                piece = unpacker.decompress(chunk, PIECE)
            except zlib.error as reason:
                raise InvalidField(
                    f"a body that is not gzip: {reason}", "gzip", "drop Content-Encoding, or pack it"
                ) from reason
            chunk = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            if piece:
                yield piece
    if not unpacker.eof:
        raise InvalidField("a gzip body that is cut short", "the whole body", "send it again")
