"""The real server as a process of its own, on a free port of this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

SERVER = """
import sys
from mutua.serving.http.run import Place, run
from mutua.serving.learning import Schedule
run(Place(sys.argv[1], "127.0.0.1", int(sys.argv[2])), Schedule())
"""


SEVERAL = """
import sys
from mutua.serving.http.run import Place
from mutua.serving.http.several import run_several
from mutua.serving.learning import Schedule
sys.exit(not run_several(Place(sys.argv[1], "127.0.0.1", int(sys.argv[2])), Schedule(), None, 2))
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(folder: Path, code: str = SERVER) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-c", code, f"sqlite:///{folder / 'shop.db'}", str(port)]) as server:
        try:
            wait_until_ready(url, server)
            yield server, url
        finally:
            server.kill()


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError("the server did not become ready")
