"""The calls of the README against the demo's server: each is run as it stands there, and answered in that form.

What is compared: the exit status; of JSON every key shown (all keys, unless `…` says that there are more), the kind of
every value, and the values of what is said again from the call or does not depend on the data. Scores, names of
recommended items and times are not: a cut of sixteen households serves here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving_process import free_port, wait_until_ready

README = Path(__file__).parents[2] / "README.md"
CALLS = re.findall(r"^\$ (curl .*)\n((?:(?!\$ |```).*\n)*)", README.read_text(encoding="utf-8"), re.MULTILINE)
MORE = "…"
SAME = frozenset({"status", "accepted", "duplicates", "rejected", "exact", "kind", "surface", "variant"})
"""Keys whose values do not depend on the data."""
STREAM_ENDED = 28
"""What curl ends with when its time is over, as for a stream."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    command = [sys.executable, "-m", "mutua", "--store", f"sqlite:///{folder / 'demo.db'}", "live"]
    options = ["--port", str(port), "--speed", "0", "--users", "16"]
    settings = {**os.environ, "MUTUA_BUDGET": "0"}
    with subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL, env=settings) as live:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", live)
            yield f"localhost:{port}"
        finally:
            live.send_signal(signal.SIGINT)
            try:
                assert live.wait(60) == 0, "Ctrl-C does not end it cleanly"
            finally:
                live.kill()


def fits(shown: Any, came: Any, call: str, where: str = "answer") -> None:
    """Asserts that what came has the form of what is shown."""
    if isinstance(shown, dict):
        assert isinstance(came, dict), where
        keys = set(shown) - {MORE}
        assert keys <= set(came) if MORE in shown else keys == set(came), f"{where}: {sorted(came)}"
        for key in keys:
            if key in SAME:
                assert shown[key] == came[key], f"{where}.{key}: {came[key]!r}"
            fits(shown[key], came[key], call, f"{where}.{key}")
    elif isinstance(shown, list):
        assert isinstance(came, list), where
        one_by_one = [one for one in shown if one != MORE]
        assert len(came) >= len(one_by_one) if MORE in shown else len(came) == len(one_by_one), f"{where}: {len(came)}"
        for place, (one, other) in enumerate(zip(one_by_one, came, strict=False)):
            fits(one, other, call, f"{where}[{place}]")
    elif isinstance(shown, bool) or shown is None:
        assert shown is came, where
    elif isinstance(shown, int | float):
        assert isinstance(came, int | float), where
    else:
        assert isinstance(came, str), where
        if re.search(rf"(?<![\w-]){re.escape(shown)}(?![\w-])", call):
            assert shown == came, where


def test_the_first_page_shows_calls_with_their_answers() -> None:
    assert len(CALLS) >= 5
    assert all(answer.strip() for _, answer in CALLS)


@pytest.mark.slow
def test_every_call_of_the_readme_is_answered_as_it_shows(address: str) -> None:
    for call, shown in CALLS:
        command = call.replace("localhost:8000", address)
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        if shown.lstrip().startswith("{"):
            assert done.returncode == 0, f"{call}: {done.stderr}"
            fits(json.loads(shown), json.loads(done.stdout), call)
        else:
            assert done.returncode == STREAM_ENDED, f"{call}: {done.stderr}"
            wanted = [line.partition(":")[0] for line in shown.splitlines() if ":" in line]
            came = [line.partition(":")[0] for line in done.stdout.splitlines() if ":" in line]
            assert came[: len(wanted)] == wanted, done.stdout[:300]
