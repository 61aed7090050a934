"""A search that is killed loses the trial under way and nothing else, and goes on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mutua.cli.main import main

TRIALS = 12
AFTER = 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [
        f"u{user},i{(user * 7 + place * (1 + user % 5)) % 60},purchase,2026-01-{1 + place:02d}T{user % 24:02d}:00:00Z"
        for user in range(120)
        for place in range(20)
    ]
    (tmp_path / "events.csv").write_text("\n".join(["user,item,type,time", *rows]) + "\n")
    for name in ("killed", "whole"):
        assert main(["record", "events.csv", "--store", f"sqlite:///{name}.db", "--json"]) == 0
    return tmp_path


def command(name: str) -> list[str]:
    return [
        "tune",
        "--model",
        "user-knn",
        "--trials",
        str(TRIALS),
        "--budget",
        "10min",
        "--store",
        f"sqlite:///{name}.db",
    ]


def tuned(capsys: pytest.CaptureFixture[str], name: str) -> dict:
    capsys.readouterr()
    assert main([*command(name), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_a_killed_search_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "mutua", *command("killed")],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith(f"trial {AFTER - 1}:"):
            break
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL
    went_on, whole = tuned(capsys, "killed"), tuned(capsys, "whole")
    assert AFTER <= went_on["resumed"] < TRIALS
    assert whole["resumed"] == 0
    assert [(one["settings"], one["steps"]) for one in went_on["trials"]] == [
        (one["settings"], one["steps"]) for one in whole["trials"]
    ]
    assert went_on["line"] == whole["line"]
