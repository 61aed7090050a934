"""Mixed load on one server for a long time: errors, the slope of its memory, the growth of its latency.

`python -m benchmarks.speed.soak --minutes 30 [--rate 300]`: four of five requests ask for slates, the others record
events, one in four of them a batch. Prints a line a sample and one JSON object at the end; ends with 1 after an error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from benchmarks.speed.serve import MUTUA, Load, load, served
from mutua import Recommender, Settings
from mutua.core.seeds import stream

USERS, ITEMS, RECORDED = 5_000, 2_000, 200_000
CONNECTIONS = 32
WARM = 0.2
"""Share of the samples, the first ones, that caches need to fill; slopes are of the rest."""


def main() -> int:
    """Runs the soak and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=300.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutua-soak-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/shop.db"
        stock(folder, url)
        requests = plan(folder)
        with served(MUTUA, url, "/readyz") as port:
            found = soaked(port, requests, given.minutes, given.rate)
    print(json.dumps(found))
    return 1 if found["errors"] else 0


def soaked(port: int, requests: Path, minutes: float, rate: float) -> dict[str, float]:
    """Returns errors, refusals, MB an hour and the growth of p99 from the first third of the samples to the last."""
    step = min(60.0, 6.0 * minutes)
    loads: list[Load] = []
    memory: list[float] = []
    for _ in range(max(5, round(60 * minutes / step))):
        loads.append(load(port, requests, CONNECTIONS, step, rate))
        memory.append(resident(port))
        last = loads[-1]
        print(
            f"{memory[-1]:.0f} MB, p50 {last['p50_ms']:.1f} ms, p99 {last['p99_ms']:.1f} ms, {last['errors']:.0f} bad"
        )
    warm = memory[int(WARM * len(memory)) :]
    third = max(1, len(loads) // 3)
    early, late = (float(np.median([one["p99_ms"] for one in part])) for part in (loads[:third], loads[-third:]))
    return {
        "minutes": minutes,
        "requests": sum(one["requests"] for one in loads),
        "errors": sum(one["errors"] for one in loads),
        "refused": sum(one["refused"] for one in loads),
        "memory_mb": memory[-1],
        "memory_mb_an_hour": slope(warm) * 3_600 / step,
        "p99_ms": late,
        "p99_growth": late / early if early else 0.0,
    }


def slope(values: Sequence[float]) -> float:
    """Returns how much values grow from one to the next, by least squares."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0]) if len(values) > 1 else 0.0


def resident(port: int) -> float:
    """Returns the resident memory of the server by its own word, MB."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("process_resident_memory_bytes ")).split()[1]) / 1e6


def stock(folder: Path, url: str) -> None:
    """Records a shop and learns, in a process of its own, so that its memory is not the load's."""
    source = stream(0, "benchmark", "soak")
    rows = zip(source.integers(0, USERS, RECORDED).tolist(), source.zipf(1.3, RECORDED).tolist(), strict=True)
    lines = [f"u{user},i{item % ITEMS},view" for user, item in rows]
    (folder / "events.csv").write_text("user,item,type\n" + "\n".join(lines))
    command = f"import benchmarks.speed.soak as soak; soak.learned({url!r}, {str(folder / 'events.csv')!r})"
    subprocess.run([sys.executable, "-c", command], check=True)


def learned(url: str, events: str) -> None:
    """Records a file of events and learns from it."""
    with Recommender.open(url, settings=Settings()) as shop:
        shop.record_file(events)
        shop.learn(budget=0)


def plan(folder: Path) -> Path:
    """Returns the file of requests."""
    source = stream(1, "benchmark", "soak")

    def event() -> dict[str, str]:
        return {"user": f"u{source.integers(USERS)}", "item": f"i{source.integers(ITEMS)}", "type": "view"}

    lines = []
    for number in range(20_000):
        if number % 5:
            lines.append({"method": "GET", "path": f"/v1/users/u{source.integers(USERS)}/recommendations?n=20"})
            continue
        count = 100 if number % 20 == 0 else 1
        body = json.dumps({"events": [event() for _ in range(count)]})
        lines.append({"method": "POST", "path": "/v1/events", "body": body})
    path = folder / "requests.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


if __name__ == "__main__":
    raise SystemExit(main())
