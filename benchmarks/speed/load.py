"""A load generator: many kept connections from one process, as fast as they answer or at a fixed rate.

`python -m benchmarks.speed.load PORT FILE --connections 32 --seconds 5 [--rate 4000] [--deadline 0.5]`; FILE holds one
JSON object a line: `{"method", "path", "body"?}`. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter

import uvloop

DEGRADED = (b"", b"linear", b"popularity")
"""What answers may have gone without, as they say it."""


class Connection(asyncio.Protocol):
    """One kept connection: sends the next request when the last was answered, or when it is due."""

    def __init__(self, load: Load) -> None:
        self._load, self._buffer, self._sent, self._length = load, b"", 0.0, -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for `begin`."""
        self._transport = transport

    def begin(self) -> None:
        """Sends the first request."""
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
            self._load.answered(self._sent, self._buffer)
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
    """What all connections share: requests, end, latencies. At a rate, latency counts from when it was due."""

    def __init__(self, requests: Sequence[bytes], seconds: float, rate: float, deadline: float) -> None:
        self._requests, self._gap = cycle(requests), 1.0 / rate if rate else 0.0
        self._seconds = seconds
        self._due = self.end = 0.0
        self.latencies: list[float] = []
        self.errors = self.refused = 0
        self._deadline = deadline
        self.timely = dict.fromkeys(DEGRADED, 0)

    def begin(self) -> None:
        """Starts the clock, once all connections are there."""
        self._due = perf_counter()
        self.end = self._due + self._seconds

    def following(self) -> tuple[bytes | None, float]:
        """Returns the next request and when it is due, 0 for at once; None after the end."""
        if perf_counter() >= self.end or self._due >= self.end:
            return None, 0.0
        if not self._gap:
            return next(self._requests), 0.0
        self._due += self._gap
        return next(self._requests), self._due

    def answered(self, since: float, answer: bytes) -> None:
        """Counts an answer; a refusal is none."""
        spent, status = perf_counter() - since, answer[9:12]
        if status == b"503":
            self.refused += 1
            return
        self.latencies.append(spent)
        if status != b"200":
            self.errors += 1
        elif spent <= self._deadline:
            self.timely[next((name for name in DEGRADED if name and b'"%s"' % name in answer), b"")] += 1


def raw(line: str) -> bytes:
    """Returns one request as it goes over the wire."""
    said = json.loads(line)
    body = said.get("body", "").encode()
    head = f"{said['method']} {said['path']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def run(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float, deadline: float
) -> dict[str, float]:
    """Returns answers a second, their latencies in milliseconds, those not of status 200, those refused (503), and
    those that came in time: in all, and of them those degraded."""
    loop, load = asyncio.get_running_loop(), Load(requests, seconds, rate, deadline)
    made = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(connections)]
    load.begin()
    for _, connection in made:
        connection.begin()
    await asyncio.sleep(max(0.0, load.end - perf_counter()) + 0.2)
    found = sorted(load.latencies)
    return {
        "requests": len(found),
        "per_second": len(found) / seconds,
        "p50_ms": 1_000 * quantile(found, 0.5),
        "p99_ms": 1_000 * quantile(found, 0.99),
        "p999_ms": 1_000 * quantile(found, 0.999),
        "errors": load.errors,
        "refused": load.refused,
        "timely": sum(load.timely.values()),
        "linear": load.timely[b"linear"],
        "popularity": load.timely[b"popularity"],
    }


def quantile(ascending: Sequence[float], share: float) -> float:
    """Returns the value below which a share of the values lie, infinity where there is none."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else float("inf")


def keep_to_last_core() -> None:
    """Leaves the other cores to the server."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Reads the arguments, keeps to the last core, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--deadline", type=float, default=0.5)
    given = parser.parse_args()
    _allow(given.connections)
    keep_to_last_core()
    requests = [raw(line) for line in given.file.read_text().splitlines()]
    done = run(given.port, requests, given.connections, given.seconds, given.rate, given.deadline)
    print(json.dumps(uvloop.run(done)))


def _allow(connections: int) -> None:
    """Raises the limit of open files where it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < connections + 64:
        resource.setrlimit(resource.RLIMIT_NOFILE, (connections + 64, hard))


if __name__ == "__main__":
    main()
