"""Several processes read while one writes: each sees whole batches, never fewer than before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mutua.events.kinds import Interaction
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import batch_of

BATCHES, SIZE = 40, 50
READER = """
import sys
from mutua.store.sqlite.store import SqliteStore
url, wanted, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with SqliteStore.open(url) as store:
    print("open", flush=True)
    seen = 0
    while seen < wanted:
        rows = store.log.interactions()
        assert len(rows) >= seen, (len(rows), seen)
        assert len(rows) % size == 0, len(rows)
        assert rows.user.max(initial=-1) < rows.n_users <= len(store.names.users)
        assert len(store.log.history(0)) * size >= len(rows)
        seen = len(rows)
    print(seen, store.names.users.outer(size - 1), flush=True)
"""


def test_readers_see_whole_batches(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(url, write=True) as store:
        command = [sys.executable, "-c", READER, url, str(BATCHES * SIZE), str(SIZE)]
        readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "open\n"
        for batch in range(BATCHES):
            events = [Interaction(user=f"u{part}", item=f"i{batch}", time=batch) for part in range(SIZE)]
            store.log.append_batch(batch_of(events, batch), recorded=batch)
        for reader in readers:
            said, _ = reader.communicate(timeout=60)
            assert said == f"{BATCHES * SIZE} u{SIZE - 1}\n"
            assert reader.returncode == 0
