"""A load generator: many kept connections from one process, as fast as they answer or at a fixed rate.

`python -m benchmarks.speed.load PORT FILE --connections 32 --seconds 5 [--rate 4000]`; FILE holds one JSON object a
line: `{"method", "path", "body"?}`. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter

import uvloop


class Connection(asyncio.Protocol):
    """One kept connection: sends the next request when the last was answered, or when it is due."""

    def __init__(self, load: Load) -> None:
        self._load, self._buffer, self._sent, self._length = load, b"", 0.0, -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        """Counts a whole answer, then sends again."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        if self._length < 0:
            at = self._buffer.lower().find(b"content-length:")
            self._length = head + 4 + int(self._buffer[at + 15 : self._buffer.find(b"\r\n", at)])
        if len(self._buffer) >= self._length:
            self._load.answered(self._sent, self._buffer[9:12] == b"200")
            self._buffer, self._length = b"", -1
            self._next()

    def _next(self) -> None:
        request, due = self._load.following()
        if request is None:
            self._transport.close()  # type: ignore[attr-defined]
        elif due > (now := perf_counter()):
            asyncio.get_running_loop().call_later(due - now, self._send, request, due)
        else:
            self._send(request, due or now)

    def _send(self, request: bytes, counted_from: float) -> None:
        self._sent = counted_from
        self._transport.write(request)  # type: ignore[attr-defined]


class Load:
    """What all connections share: requests, deadline, latencies. At a rate, latency counts from when it was due."""

    def __init__(self, requests: Sequence[bytes], seconds: float, rate: float) -> None:
        self._requests, self._gap = cycle(requests), 1.0 / rate if rate else 0.0
        self._due = perf_counter()
        self.began, self.end = self._due, self._due + seconds
        self.latencies: list[float] = []
        self.errors = 0

    def following(self) -> tuple[bytes | None, float]:
        """Returns the next request and when it is due, 0 for at once; None after the end."""
        if perf_counter() >= self.end or self._due >= self.end:
            return None, 0.0
        if not self._gap:
            return next(self._requests), 0.0
        self._due += self._gap
        return next(self._requests), self._due

    def answered(self, since: float, well: bool) -> None:
        """Counts an answer."""
        self.latencies.append(perf_counter() - since)
        self.errors += not well


def raw(line: str) -> bytes:
    """Returns one request as it goes over the wire."""
    said = json.loads(line)
    body = said.get("body", "").encode()
    head = f"{said['method']} {said['path']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def run(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float) -> dict[str, float]:
    """Returns requests a second, their latencies in milliseconds, and how many were not answered with 200."""
    loop, load = asyncio.get_running_loop(), Load(requests, seconds, rate)
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    await asyncio.sleep(max(0.0, load.end - perf_counter()) + 0.2)
    found = sorted(load.latencies)
    at = {share: 1_000 * found[min(len(found) - 1, int(share * len(found)))] for share in (0.5, 0.99, 0.999)}
    return {
        "requests": len(found),
        "per_second": len(found) / seconds,
        "p50_ms": at[0.5],
        "p99_ms": at[0.99],
        "p999_ms": at[0.999],
        "errors": load.errors,
    }


def main() -> None:
    """Reads the arguments, keeps to the last core, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    requests = [raw(line) for line in given.file.read_text().splitlines()]
    print(json.dumps(uvloop.run(run(given.port, requests, given.connections, given.seconds, given.rate))))


if __name__ == "__main__":
    main()
