"""The server of a folder as a process of its own: killed, each tenant finds what was acknowledged to it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mutua.store import checkpoints
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.lock import holder
from mutua.store.sqlite.store import SqliteStore
from serving_process import free_port, wait_until_ready
from serving_tenants import TENANTS, key

BATCHES, EACH = 6, 5


def recorded(url: str, tenant: str, admin: str) -> list[str]:
    """Records events one batch after the other and returns the ids that were acknowledged."""
    ids: list[str] = []
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {admin}"}, timeout=60) as client:
        for batch in range(BATCHES):
            new = [f"{tenant}-{batch}-{number}" for number in range(EACH)]
            events = [{"id": name, "user": "ann", "item": f"i{number}"} for number, name in enumerate(new)]
            assert client.post("/v1/events", json={"events": events}).json()["accepted"] == EACH
            ids += new
    assert exported(url, admin) == ids
    return ids


def exported(url: str, admin: str) -> list[str]:
    answer = httpx.get(f"{url}/v1/users/ann/export", headers={"authorization": f"Bearer {admin}"}, timeout=60)
    return [event["id"] for event in answer.json()["events"]]


def wait_until_let_go(folder: Folder) -> None:
    """Returns when no process writes any more, also where the one that was killed had others."""
    deadline = time.monotonic() + 60
    while any(holder(folder.place(tenant).lock) for tenant in TENANTS):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_each_tenant_finds_its_own_events_and_none_of_the_other(tmp_path: Path, workers: int) -> None:
    folder = Folder(tmp_path / "shops")
    folder.path.mkdir()
    for tenant in TENANTS:
        SqliteStore.open(f"sqlite:///{folder.place(tenant).file}", write=True).close()
    keys = {tenant: key(folder.path, tenant) for tenant in TENANTS}
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    line = [sys.executable, "-m", "mutua", "--store", f"sqlite:///{folder.path}/", "serve", "--port", str(port)]
    line += ["--workers", str(workers)]
    for end, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        with subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.DEVNULL) as server:
            try:
                wait_until_ready(url, server)
                if end == signal.SIGKILL:
                    with ThreadPoolExecutor() as pool:
                        told = dict(zip(TENANTS, pool.map(recorded, [url] * 2, TENANTS, keys.values()), strict=True))
                assert {tenant: exported(url, keys[tenant]) for tenant in TENANTS} == told
                server.send_signal(end)
                assert server.wait(60) == status
            finally:
                server.kill()
        wait_until_let_go(folder)
    for tenant in TENANTS:
        with SqliteStore.open(folder.url(tenant)) as store:
            assert not checkpoints.behind(store)
            found = [name for batch in store.log.read() for name in batch["id"]]
        assert found == told[tenant]
