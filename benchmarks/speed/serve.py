"""The server on one core, asked from the other: slates a second, events a second, beside a plain FastAPI endpoint."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks import data
from benchmarks.data import ROOT
from benchmarks.goals import Figure, Goal, Measured
from benchmarks.timing import median
from mutua import Recommender, Settings
from mutua.core.seeds import stream

HELLO = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def hello():
    return {"hello": "world"}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
"""
MUTUA = """
import sys
from mutua.serving.http.run import Place, run
from mutua import Settings, Surface
from mutua.serving.learning import Schedule
settings = Settings(surfaces={"various": Surface(diversity=0.3)})
run(Place(sys.argv[1], "127.0.0.1", int(sys.argv[2]), settings=lambda url: settings), Schedule())
"""
ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS, QUICK_SECONDS = 5.0, 0.5
ASKED = 20_000
SHARE = Goal(
    "Recommend n=20 over HTTP, slates logged: share of plain FastAPI's hello-world", must=0.60, aim=1.0, form=".2f"
)
HALF = Goal("… p99 at half of its maximum", must=5.0, most=True, form=".1f", unit=" ms")
SINGLE = Goal("Single events, durable, 64 connections, a second", must=6_000, form=",.0f")
BATCHED = Goal("Events in durable batches of 100, a second, beside 200 slates a second", must=60_000, form=",.0f")
PUSHED = Goal("… event acknowledged → pushed slate received, p50", must=15, most=True, form=".1f", unit=" ms")
PUSHED_LATE = Goal("… the same, p99", must=60, most=True, form=".1f", unit=" ms")
VARIOUS = Goal(
    "Recommend n=20 with MMR and reasons: p99 at half of its maximum", must=5.0, most=True, form=".1f", unit=" ms"
)
GOALS = (SHARE, HALF, VARIOUS, SINGLE, BATCHED, PUSHED, PUSHED_LATE)
BESIDE = 200
"""Slates asked for in a second while batches come."""
FOLLOWED = 20
"""Users whose slates are followed meanwhile."""
Load = dict[str, float]


def run(quick: bool) -> Measured:
    """Returns the figures; both servers run in turns, so that a slower minute of the machine meets both."""
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="mutua-serve-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/shop.db"
        path = data.gowalla(folder, quick)
        with Recommender.open(url, settings=Settings()) as shop:
            shop.record_file(path / "train.txt")
            shop.learn(budget=0)
            files = plans(folder, shop)
        seen: dict[str, list[Load]] = {"hello": [], "recommend": [], "half": [], "various": [], "various_half": []}
        seen |= {"single": [], "batched": [], "beside": [], "followed": []}
        for _ in range(rounds):
            with served(HELLO, url, "/") as port:
                seen["hello"].append(load(port, files["hello"], 32, seconds))
            with served(MUTUA, url, "/readyz") as port:
                load(port, files["recommend"], 32, seconds)
                top = load(port, files["recommend"], 32, seconds)
                seen["recommend"].append(top)
                seen["half"].append(load(port, files["recommend"], 32, seconds, top["per_second"] / 2))
                top = load(port, files["various"], 32, seconds)
                seen["various"].append(top)
                seen["various_half"].append(load(port, files["various"], 32, seconds, top["per_second"] / 2))
                seen["single"].append(load(port, files["single"], 64, seconds))
                for name, found in mixed(port, files, seconds).items():
                    seen[name].append(found)
    return {"figures": rows(seen), "seeds": [0], "repeats": rounds, "details": dict(seen)}


def rows(seen: dict[str, list[Load]]) -> list[Figure]:
    """Returns the rows, each a median over the rounds."""

    def of(name: str, what: str = "per_second") -> float:
        return median([one[what] for one in seen[name]])

    share = median([m["per_second"] / h["per_second"] for m, h in zip(seen["recommend"], seen["hello"], strict=True)])
    errors = sum(one.get("errors", 0.0) for runs in seen.values() for one in runs)
    batched = f"(p99 {of('batched', 'p99_ms'):.0f} ms; {of('beside'):.0f} slates a second beside them)"
    pushes = f"({of('followed', 'pushes'):.0f} pushes, {of('followed', 'missed'):.0f} missed)"
    both = f"({of('recommend'):,.0f} against {of('hello'):,.0f} a second; {errors:.0f} errors in all)"
    return [
        SHARE.seen(share, both),
        HALF.seen(of("half", "p99_ms"), f"(p50 {of('half', 'p50_ms'):.1f} ms)"),
        VARIOUS.seen(of("various_half", "p99_ms"), f"(maximum {of('various'):,.0f} a second)"),
        SINGLE.seen(of("single"), f"(p99 {of('single', 'p99_ms'):.0f} ms)"),
        BATCHED.seen(100 * of("batched"), batched),
        PUSHED.seen(of("followed", "p50_ms"), pushes),
        PUSHED_LATE.seen(of("followed", "p99_ms")),
    ]


def plans(folder: Path, shop: Recommender) -> dict[str, Path]:
    """Returns the files of requests by name: users at random, events of known users on known items."""
    source = stream(0, "benchmark", "serve")
    users, items = shop.store.names.users, shop.store.names.items
    named = [users.outer(index) for index in source.integers(0, len(users), ASKED).tolist()]

    def event() -> dict[str, Any]:
        user, item = int(source.integers(0, len(users))), int(source.integers(0, len(items)))
        return {"user": users.outer(user), "item": items.outer(item), "type": "view"}

    def posted(count: int) -> dict[str, str]:
        body = json.dumps({"events": [event() for _ in range(count)]})
        return {"method": "POST", "path": "/v1/events", "body": body}

    def asked(user: str | None) -> dict[str, str]:
        question = {"user": user, "n": 20, "surface": "various", "explain": True}
        return {"method": "POST", "path": "/v1/recommend", "body": json.dumps(question)}

    requests: dict[str, Sequence[dict[str, str]]] = {
        "hello": [{"method": "GET", "path": "/"}],
        "recommend": [{"method": "GET", "path": f"/v1/users/{user}/recommendations?n=20"} for user in named],
        "various": [asked(user) for user in named],
        "single": [posted(1) for _ in range(5_000)],
        "batched": [posted(100) for _ in range(300)],
    }
    for name, lines in requests.items():
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "followed.txt").write_text("\n".join(dict.fromkeys(map(str, named[:FOLLOWED]))))
    return {name: folder / f"{name}.jsonl" for name in requests} | {"followed": folder / "followed.txt"}


@contextmanager
def served(code: str, url: str, ready: str) -> Iterator[int]:
    """Yields the port of a server process that is kept to the first core."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    pinned = f"import os; hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, {{{first_core()}}})\n{code}"
    with subprocess.Popen([sys.executable, "-c", pinned, url, str(port)], cwd=ROOT) as server:
        try:
            wait(f"http://127.0.0.1:{port}{ready}", server)
            yield port
        finally:
            server.terminate()


def first_core() -> int:
    """Returns the first core that this process may use."""
    return min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def wait(url: str, server: subprocess.Popen[bytes]) -> None:
    """Waits until a server answers, at most a minute."""
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            with urlopen(url):
                return
        except URLError:
            time.sleep(0.1)
    raise RuntimeError(f"no answer from {url}")


def load(port: int, requests: Path, connections: int, seconds: float, rate: float = 0.0, deadline: float = 0.5) -> Load:
    """Returns what the load generator saw from its own process on the last core."""
    return together({"one": loading(port, requests, connections, seconds, rate, deadline)})["one"]


def mixed(port: int, files: dict[str, Path], seconds: float) -> dict[str, Load]:
    """Returns what was seen while batches were posted as fast as they were taken, slates asked for and followed."""
    return together(
        {
            "batched": loading(port, files["batched"], 8, seconds),
            "beside": loading(port, files["recommend"], 8, seconds, BESIDE),
            "followed": ["follow", str(port), str(files["followed"]), "--seconds", str(seconds)],
        }
    )


def loading(
    port: int, requests: Path, connections: int, seconds: float, rate: float = 0.0, deadline: float = 0.5
) -> list[str]:
    """Returns the command of one load generator."""
    options = ["--connections", str(connections), "--seconds", str(seconds), "--rate", str(rate)]
    return ["load", str(port), str(requests), *options, "--deadline", str(deadline)]


def together(commands: dict[str, list[str]]) -> dict[str, Load]:
    """Returns what modules beside this one print, each run as a process of its own, all at the same time."""
    with ExitStack() as started:
        running = {
            name: started.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", f"benchmarks.speed.{module}", *options],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, (module, *options) in commands.items()
        }
        printed = {name: process.communicate()[0] for name, process in running.items()}
    return {name: json.loads(text) for name, text in printed.items()}
