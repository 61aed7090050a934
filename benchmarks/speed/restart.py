"""Restart: from the start of the process to an answer of `/readyz`, from the log alone and from a checkpoint."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.data import ROOT
from benchmarks.goals import Goal, Measured
from benchmarks.speed.serve import MUTUA
from benchmarks.speed.stocked import stocked
from benchmarks.timing import median, timed

EVENTS, QUICK_EVENTS = 10_000_000, 20_000
REPEATS, QUICK_REPEATS = 3, 1
LIMIT = 600.0
READY = Goal(
    "Ready after a restart with 10 million events, from a checkpoint", must=20.0, most=True, form=".1f", unit=" s"
)
REPLAYED = Goal("… without one, from the log alone", form=".1f", unit=" s")
RATE = Goal("… events of the log read a second", form=",.0f")
WRITTEN = Goal("… writing a checkpoint of all, in a process beside the server", form=".1f", unit=" s")
GOALS = (READY, REPLAYED, RATE, WRITTEN)


def run(quick: bool) -> Measured:
    """Returns the figures; the server is killed as soon as it is ready, so that it writes no checkpoint itself."""
    events, repeats = (QUICK_EVENTS, QUICK_REPEATS) if quick else (EVENTS, REPEATS)
    with tempfile.TemporaryDirectory(prefix="mutua-restart-") as name:
        whole, empty = Path(name) / "shop.db", Path(name) / "empty.db"
        stocked(empty, 1, 1, 1)
        stocked(whole, events // 20, max(events // 100, 100), events)
        idle = median([ready(empty) for _ in range(repeats)])
        replayed = ready(whole)
        written, _ = timed(lambda: checkpointed(whole))
        checkpoint = [ready(whole) for _ in range(repeats)]
    rate = events / max(replayed - idle, 1e-9)
    return {
        "figures": [
            READY.seen(median(checkpoint), f"({events:,} events; an empty store {idle:.1f} s)"),
            REPLAYED.seen(replayed),
            RATE.seen(rate),
            WRITTEN.seen(written),
        ],
        "seeds": [0],
        "repeats": repeats,
        "details": {"checkpoint": checkpoint, "replayed": replayed, "empty": idle, "written": written},
    }


def checkpointed(path: Path) -> None:
    """Writes a checkpoint in a process of its own, as the server does."""
    command = [sys.executable, "-m", "mutua.store.checkpoints", f"sqlite:///{path}"]
    subprocess.run(command, cwd=ROOT, check=True)


def ready(path: Path) -> float:
    """Returns the seconds from the start of a server to its first answer that it is ready."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    began = time.perf_counter()
    command = [sys.executable, "-c", MUTUA, f"sqlite:///{path}", str(port)]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            while server.poll() is None and time.perf_counter() - began < LIMIT:
                try:
                    with urlopen(f"http://127.0.0.1:{port}/readyz"):
                        return time.perf_counter() - began
                except URLError:
                    time.sleep(0.02)
        finally:
            server.kill()
    raise RuntimeError(f"the server on {path} did not become ready")
