"""A recording process that is killed at any moment loses nothing it acknowledged and doubles nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mutua.core.seeds import stream
from mutua.store.sqlite.inspection import damage
from mutua.store.sqlite.store import SqliteStore

RECORDER = """
import sys
from mutua.events.kinds import Interaction
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import batch_of
url, start = sys.argv[1], int(sys.argv[2])
with SqliteStore.open(url, write=True) as store:
    print("open", flush=True)
    for batch in range(start, start + 100_000):
        names = [f"{batch}-{part}" for part in range(1 + batch % 300)]
        events = [Interaction(id=name, user=f"u{name}", item=f"i{batch}", time=batch) for name in names]
        if batch % 2:
            store.log.append_batch(batch_of(events, batch), recorded=batch)
        else:
            store.log.append(events, recorded=batch)
        print(batch, flush=True)
"""


def killed_recording(url: str, start: int, delay: float) -> list[int]:
    """Returns the batches that a recorder acknowledged before it was killed."""
    command = [sys.executable, "-c", RECORDER, url, str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == "open\n"
        time.sleep(delay)
        recorder.kill()
        return [int(line) for line in recorder.stdout.read().split("\n")[:-1]]


def survives_kills(folder: Path, kills: int) -> None:
    url, acknowledged, start = f"sqlite:///{folder}/shop.db", list[int](), 0
    draw = stream(7, "kills")
    for _ in range(kills):
        acknowledged += killed_recording(url, start, float(draw.random()) * 0.25)
        start = (acknowledged[-1] if acknowledged else start) + 1
        with SqliteStore.open(url) as store:
            assert damage(store.database) == ()
            found = store.database.rows("SELECT seq, id FROM event ORDER BY seq")
            assert [sequence for sequence, _ in found] == list(range(1, len(found) + 1))
            recorded = {name for _, name in found}
            assert len(recorded) == len(found)
            promised = {f"{batch}-{part}" for batch in acknowledged for part in range(1 + batch % 300)}
            assert promised <= recorded
            extra = {int(name.split("-")[0]) for name in recorded - promised}
            complete = {f"{batch}-{part}" for batch in extra for part in range(1 + batch % 300)}
            assert complete | promised == recorded, "a batch is there in part"
            users = store.names.users
            assert {users.outer(index) for index in range(len(users))} == {f"u{name}" for name in recorded}
            history = store.log.history(len(users) - 1)
            assert history.sequence.tolist() == [len(found)]
    assert len(acknowledged) > kills, "the recorder was killed before it recorded anything"


def test_a_few_kills(tmp_path: Path) -> None:
    survives_kills(tmp_path, 3)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_fifty_kills(tmp_path: Path) -> None:
    survives_kills(tmp_path, 50)
