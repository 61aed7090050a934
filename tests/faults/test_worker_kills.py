"""Several real processes, really killed: nothing acknowledged is lost, doubled or stale, and none is left behind."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from mutua.store.sqlite.inspection import damage
from mutua.store.sqlite.lock import written_pid
from mutua.store.sqlite.store import SqliteStore
from serving_process import SEVERAL, serving, wait_until_ready

CONNECTIONS = 8
"""Enough that every worker has some of them."""


def processes(server: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The writer and the workers that live."""
    return [one for one in psutil.Process(server.pid).children() if serves(one)]


def serves(process: psutil.Process) -> bool:
    try:
        return any("spawn_main" in part for part in process.cmdline())
    except psutil.Error:
        return False


def writer_and_workers(server: subprocess.Popen[bytes], folder: Path) -> tuple[psutil.Process, list[psutil.Process]]:
    writer = written_pid(folder / "shop.db.lock")
    found = processes(server)
    return next(one for one in found if one.pid == writer), [one for one in found if one.pid != writer]


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Sender(threading.Thread):
    """Sends events until it is stopped, again after every failure, and reads them back on another connection."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__()
        self.url, self.name_of, self.stopped = url, name, threading.Event()
        self.acknowledged: list[str] = []
        self.stale = self.read = self.refused = 0

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            ids = [f"{self.name_of}-{number}-{part}" for part in range(1 + number % 3)]
            events = [{"id": one, "user": self.name_of, "item": f"i{number % 30}"} for one in ids]
            sent = self.answered(lambda client, events=events: client.post("/v1/events", json={"events": events}))
            if sent is None:
                return
            self.acknowledged += ids
            number += 1
            asked = self.answered(lambda client: client.get(f"/v1/users/{self.name_of}/recommendations"))
            if asked is not None:
                self.read += 1
                self.stale += asked["profile_version"] < max(one["sequence"] for one in sent["results"])

    def answered(self, ask: Callable[[httpx.Client], httpx.Response]) -> dict | None:
        """Asks on a connection of its own until there is an answer; 503 must say when to come again."""
        while not self.stopped.is_set():
            try:
                with httpx.Client(base_url=self.url, timeout=30) as client:
                    answer = ask(client)
            except httpx.TransportError:
                continue
            if answer.status_code == 200:
                return answer.json()
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
            self.refused += 1
            time.sleep(0.02)
        return None


def checked(folder: Path, senders: list[Sender]) -> None:
    with SqliteStore.open(f"sqlite:///{folder / 'shop.db'}") as store:
        assert damage(store.database) == ()
        found = [name for (name,) in store.database.rows("SELECT id FROM event")]
    assert len(found) == len(set(found))
    for sender in senders:
        assert set(sender.acknowledged) <= set(found)
        assert sender.read > 0
        assert sender.stale == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_workers_and_writers_lose_double_and_hide_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, SEVERAL) as (server, url):
        until(lambda: len(processes(server)) == 3)
        senders = [Sender(url, f"sender-{number}") for number in range(CONNECTIONS)]
        for sender in senders:
            sender.start()
        for turn in range(6):
            before = sum(len(sender.acknowledged) for sender in senders)
            until(lambda: sum(len(sender.acknowledged) for sender in senders) > before + 40)  # noqa: B023
            writer, workers = writer_and_workers(server, tmp_path)
            killed = writer if turn % 2 else workers[turn // 2 % len(workers)]
            killed.kill()
            until(lambda: len(processes(server)) == 3 and killed.pid not in {p.pid for p in processes(server)})  # noqa: B023
            until(lambda: written_pid(tmp_path / "shop.db.lock") in {p.pid for p in processes(server)})
            wait_until_ready(url, server)
        for sender in senders:
            sender.stopped.set()
        for sender in senders:
            sender.join()
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    checked(tmp_path, senders)


@pytest.mark.slow
def test_what_one_worker_acknowledged_another_shows_at_once(tmp_path: Path) -> None:
    stale = 0
    with serving(tmp_path, SEVERAL) as (server, url):
        until(lambda: len(processes(server)) == 3)
        clients = [httpx.Client(base_url=url, timeout=30) for _ in range(CONNECTIONS)]
        load = [Sender(url, f"load-{number}") for number in range(2)]
        for sender in load:
            sender.start()
        for turn in range(600):
            user, here, there = f"u{turn % 20}", clients[turn % CONNECTIONS], clients[(turn + 1) % CONNECTIONS]
            done = here.post("/v1/events", json={"events": [{"user": user, "item": f"i{turn % 40}"}]}).json()
            seen = there.get(f"/v1/users/{user}/recommendations").json()
            stale += seen["profile_version"] < done["results"][0]["sequence"]
        text = httpx.get(f"{url}/metrics").text
        for sender in load:
            sender.stopped.set()
            sender.join()
        for client in clients:
            client.close()
    counts = [line for line in text.splitlines() if line.startswith("mutua_slate_seconds_count{")]
    assert len(counts) == 2
    assert all(float(line.rsplit(" ", 1)[1]) > 0 for line in counts), "every worker was asked"
    assert stale == 0


@pytest.mark.slow
def test_the_end_finishes_what_was_accepted_in_every_process(tmp_path: Path) -> None:
    with serving(tmp_path, SEVERAL) as (server, url):
        until(lambda: len(processes(server)) == 3)
        senders = [Sender(url, f"end-{number}") for number in range(4)]
        for sender in senders:
            sender.start()
        until(lambda: sum(len(sender.acknowledged) for sender in senders) > 100)
        running = processes(server)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        assert not any(one.is_running() for one in running)
        for sender in senders:
            sender.stopped.set()
            sender.join()
    checked(tmp_path, senders)


@pytest.mark.slow
def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, SEVERAL) as (server, url):
        running = processes(server)
        with httpx.Client(base_url=url, timeout=60) as client, client.stream("GET", "/v1/users/ann/stream") as stream:
            next(stream.iter_raw())
            server.send_signal(signal.SIGTERM)
            server.send_signal(signal.SIGINT)
            assert server.wait(5) == 1
        assert not any(one.is_running() for one in running)


@pytest.mark.slow
def test_nobody_outlives_a_killed_parent(tmp_path: Path) -> None:
    with serving(tmp_path, SEVERAL) as (server, _):
        until(lambda: len(processes(server)) == 3)
        running = psutil.Process(server.pid).children(recursive=True)
        server.kill()
        server.wait()
        _, left = psutil.wait_procs(running, timeout=60)
        assert left == []
    with SqliteStore.open(f"sqlite:///{tmp_path / 'shop.db'}", write=True) as store:
        assert damage(store.database) == ()
