"""The real server, really killed: nothing acknowledged is lost or doubled, and a new model fails no request."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from mutua.core.seeds import stream
from mutua.store.sqlite.inspection import damage
from mutua.store.sqlite.store import SqliteStore
from recommender_shop import built
from serving_process import serving

KILLS = 50


def send_until_it_ends(url: str, name: str, acknowledged: list[str], limit: float) -> None:
    """Sends batches until the server is gone; notes the ids of those that it acknowledged."""
    deadline, number = time.monotonic() + limit, 0
    with httpx.Client(base_url=url, timeout=10) as client:
        while time.monotonic() < deadline:
            ids = [f"{name}-{number}-{part}" for part in range(1 + number % 20)]
            events = [{"id": one, "user": f"u{number % 50}", "item": f"i{number % 30}"} for one in ids]
            try:
                answer = client.post("/v1/events", json={"events": events})
            except httpx.TransportError:
                return
            assert answer.json()["accepted"] == len(ids)
            acknowledged += ids
            number += 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills_under_load(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    draw = stream(11, "server kills")
    for kill in range(KILLS):
        with serving(tmp_path) as (server, url):
            senders = [
                threading.Thread(target=send_until_it_ends, args=(url, f"{kill}-{sender}", acknowledged, 30))
                for sender in range(4)
            ]
            for sender in senders:
                sender.start()
            time.sleep(float(draw.random()) * 0.4)
            server.kill()
            for sender in senders:
                sender.join()
    with SqliteStore.open(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        assert damage(store.database) == ()
        found = [name for (name,) in store.database.rows("SELECT id FROM event")]
        assert store.log.last_sequence() == len(found)
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    assert len(acknowledged) > KILLS


@pytest.mark.slow
def test_the_end_writes_what_was_accepted(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with serving(tmp_path) as (server, url):
        sender = threading.Thread(target=send_until_it_ends, args=(url, "end", acknowledged, 30))
        sender.start()
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        sender.join()
    with SqliteStore.open(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        assert set(acknowledged) <= {name for (name,) in store.database.rows("SELECT id FROM event")}
    assert acknowledged


@pytest.mark.slow
def test_a_new_model_is_taken_up_under_load(tmp_path: Path) -> None:
    built(tmp_path)
    with serving(tmp_path) as (_, url), httpx.Client(base_url=url, timeout=10) as client:
        command = [sys.executable, "-m", "mutua", "--store", f"sqlite:///{tmp_path / 'shop.db'}", "learn"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as learner:
            versions = []
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and (not versions or versions[-1] == versions[0]):
                answer = client.post("/v1/recommend", json={"user": f"u{len(versions) % 24}"})
                assert answer.status_code == 200
                assert answer.json()["items"]
                versions.append(answer.json()["model_version"])
            assert learner.wait(60) == 0
    assert (versions[0], versions[-1]) == ("000001", "000002")
