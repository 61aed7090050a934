"""The running server while the machine misbehaves: no memory, no room on the disk, a backup taken."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from mutua.store.sqlite.inspection import damage
from mutua.store.sqlite.store import SqliteStore
from recommender_shop import built
from serving_process import serving

ROOM = 4 << 20


def send(client: httpx.Client, name: str, events: int = 1, text: str = "") -> httpx.Response:
    rows: list[dict[str, Any]] = [
        {"id": f"{name}-{part}", "user": "ann", "item": f"i{part}", **({"text": text} if text else {})}
        for part in range(events)
    ]
    return client.post("/v1/events", json={"events": rows})


def ids(folder: Path) -> set[str]:
    with SqliteStore.open(f"sqlite:///{folder / 'shop.db'}") as store:
        assert damage(store.database) == ()
        return {name for (name,) in store.database.rows("SELECT id FROM event WHERE id IS NOT NULL")}


@pytest.mark.slow
def test_short_of_memory_it_refuses_with_a_code_and_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, url), httpx.Client(base_url=url, timeout=30) as client:
        assert send(client, "before").status_code == 200
        used = psutil.Process(server.pid).memory_info().vms
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_AS)
        resource.prlimit(server.pid, resource.RLIMIT_AS, (used + ROOM, hard))
        large = send(client, "large", 10_000, "x" * 600)
        assert (large.status_code, large.json()["code"]) == (503, "server.overloaded")
        resource.prlimit(server.pid, resource.RLIMIT_AS, (hard, hard))
        assert send(client, "after").status_code == 200
        assert server.poll() is None
    found = ids(tmp_path)
    assert {"before-0", "after-0"} <= found
    assert not any(name.startswith("large") for name in found)


@pytest.mark.slow
def test_a_full_disk_refuses_events_while_slates_are_served_and_ends_when_there_is_room(tmp_path: Path) -> None:
    built(tmp_path)
    with serving(tmp_path) as (server, url), httpx.Client(base_url=url, timeout=30) as client:
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (64 << 10, hard))
        answers = [send(client, f"full{number}", 500, "x" * 200) for number in range(8)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(507, "store.full")}
        assert client.post("/v1/recommend", json={"user": "u1"}).json()["items"]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert send(client, "after").status_code == 200
    found = ids(tmp_path)
    assert "after-0" in found
    for number, answer in enumerate(answers):
        assert (f"full{number}-0" in found) == (answer.status_code == 200)


@pytest.mark.slow
def test_a_backup_beside_the_running_server_holds_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        for number in range(20):
            assert send(client, f"b{number}", 50).status_code == 200
        command = [sys.executable, "-m", "mutua", "--json", "--store", f"sqlite:///{tmp_path / 'shop.db'}", "backup"]
        with subprocess.Popen([*command, str(tmp_path / "copy.db")], stdout=subprocess.DEVNULL) as copying:
            during = 0
            while copying.poll() is None:
                assert send(client, f"d{during}").status_code == 200
                during += 1
            assert copying.returncode == 0
    with SqliteStore.open(f"sqlite:///{tmp_path / 'copy.db'}") as store:
        held = {name for (name,) in store.database.rows("SELECT id FROM event")}
    assert {f"b{number}-{part}" for number in range(20) for part in range(50)} <= held
    assert during > 0
