"""Readers who follow slates: each buys what stands first in his list, and times the way from acknowledgement to push.

`python -m benchmarks.speed.follow PORT FILE --seconds 5`; FILE holds one user a line. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import quote

import uvloop

from benchmarks.speed.load import keep_to_last_core, quantile, raw

PAUSE = 0.05
"""Seconds between what one reader was pushed and what he does next."""
PATIENCE = 5.0
"""Seconds after which a push counts as missed."""


class Reader:
    """One user's stream and the connection over which he acts."""

    def __init__(self, port: int, user: str) -> None:
        self._port, self._user = port, user
        self.waits: list[float] = []
        self.missed = 0

    async def follow(self, end: float) -> None:
        """Acts and waits for the push until the end, or until nothing is left that he does not have."""
        stream, opened = await asyncio.open_connection("127.0.0.1", self._port)
        answers, sender = await asyncio.open_connection("127.0.0.1", self._port)
        opened.write(raw(json.dumps({"method": "GET", "path": f"/v1/users/{quote(self._user)}/stream?n=20"})))
        slate, _ = await _pushed(stream)
        while slate["items"] and perf_counter() < end:
            sender.write(self._bought(slate))
            sequence = await _acknowledged(answers)
            told = perf_counter()
            try:
                async with asyncio.timeout(PATIENCE):
                    slate, arrived = await _pushed(stream)
                    while slate["version"] < sequence:
                        slate, arrived = await _pushed(stream)
                self.waits.append(max(arrived - told, 0.0))
            except TimeoutError:
                self.missed += 1
            await asyncio.sleep(PAUSE)
        opened.close()
        sender.close()

    def _bought(self, slate: dict[str, Any]) -> bytes:
        event = {"user": self._user, "item": slate["items"][0]["item"], "type": "purchase"}
        return raw(json.dumps({"method": "POST", "path": "/v1/events", "body": json.dumps({"events": [event]})}))


async def _pushed(stream: asyncio.StreamReader) -> tuple[dict[str, Any], float]:
    """Returns the next slate and when it was there."""
    while line := await stream.readline():
        if line.startswith(b"data: "):
            found: dict[str, Any] = json.loads(line[len(b"data: ") :])
            return found, perf_counter()
    raise RuntimeError("a stream that ended")


async def _acknowledged(answers: asyncio.StreamReader) -> int:
    head = (await answers.readuntil(b"\r\n\r\n")).lower()
    at = head.find(b"content-length:") + len(b"content-length:")
    told = json.loads(await answers.readexactly(int(head[at : head.find(b"\r\n", at)])))
    sequence: int = told["results"][0]["sequence"]
    return sequence


async def run(port: int, users: list[str], seconds: float) -> dict[str, float]:
    """Returns how many pushes came, how many were missed, and the milliseconds from acknowledgement to push."""
    readers = [Reader(port, user) for user in users]
    end = perf_counter() + seconds
    await asyncio.gather(*(reader.follow(end) for reader in readers))
    waits = sorted(wait for reader in readers for wait in reader.waits)
    return {
        "pushes": len(waits),
        "missed": sum(reader.missed for reader in readers),
        "p50_ms": 1_000 * quantile(waits, 0.5),
        "p99_ms": 1_000 * quantile(waits, 0.99),
    }


def main() -> None:
    """Reads the arguments, keeps to the last core, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    keep_to_last_core()
    print(json.dumps(uvloop.run(run(given.port, given.file.read_text().splitlines(), given.seconds))))


if __name__ == "__main__":
    main()
