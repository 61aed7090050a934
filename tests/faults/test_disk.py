"""A full disk and damaged bytes: a coded error, and everything acknowledged before stays."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from mutua.errors import StoreError, StoreFull
from mutua.events.kinds import Interaction
from mutua.store.models import ModelFolders
from mutua.store.sqlite.backup import back_up
from mutua.store.sqlite.inspection import damage
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import batch_of

FILLER = """
import resource, sys
from mutua.errors import StoreFull
from mutua.events.kinds import Interaction
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import batch_of
url, bulk = sys.argv[1], sys.argv[2] == "bulk"
with SqliteStore.open(url, write=True) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    acknowledged = 0
    for batch in range(1_000):
        events = [Interaction(id=f"{batch}-{part}", user=f"u{batch}", item=f"i{part}", time=1) for part in range(200)]
        try:
            if bulk:
                last = store.log.append_batch(batch_of(events, 1), recorded=1).last
            else:
                last = store.log.append(events, recorded=1).last
        except StoreFull as reason:
            assert "free space" in reason.do
            assert store.names.users.get(f"u{batch}") is None
            assert store.log.last_sequence() == acknowledged
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert store.log.append(events, recorded=1).accepted == 200
            print(acknowledged, flush=True)
            break
        acknowledged = last
"""


@pytest.mark.parametrize("form", ["bulk", "single"])
def test_a_full_disk_refuses_the_batch_and_keeps_those_before(form: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    done = subprocess.run([sys.executable, "-c", FILLER, url, form], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    acknowledged = int(done.stdout)
    assert acknowledged >= 200
    with SqliteStore.open(url) as store:
        assert store.log.last_sequence() == acknowledged + 200
        assert len(store.names.users) == acknowledged // 200 + 1
        assert damage(store.database) == ()


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def filled(folder: Path) -> str:
    url = f"sqlite:///{folder}/shop.db"
    events = [Interaction(user=f"u{number % 50}", item=f"i{number}", time=number) for number in range(5_000)]
    with SqliteStore.open(url, write=True) as store:
        store.log.append_batch(batch_of(events, 1), recorded=1)
    return url


def test_a_backup_without_room_leaves_nothing(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        with file_limit(100_000), pytest.raises(StoreFull):
            back_up(store, tmp_path / "copy.db")
        assert not list(tmp_path.glob("*copy*"))
        assert back_up(store, tmp_path / "copy.db").events == 5_000


class Large:
    name = "large"

    def arrays(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        return {"weights": np.zeros(100_000)}

    def meta(self) -> dict[str, object]:
        return {}


def test_a_model_without_room_leaves_the_one_before_in_force(tmp_path: Path) -> None:
    models = ModelFolders(tmp_path / "models")
    models.save(Large(), sequence=1)
    with file_limit(100_000), pytest.raises(StoreFull):
        models.save(Large(), sequence=2)
    assert models.load().version == "000001"
    assert models.save(Large(), sequence=3) == "000002"


def test_damaged_bytes_are_a_clear_error(tmp_path: Path) -> None:
    url = filled(tmp_path)
    path = tmp_path / "shop.db"
    content = bytearray(path.read_bytes())
    for page in range(4_096, len(content), 4_096):
        content[page : page + 64] = b"\xee" * 64
    path.write_bytes(content)
    with pytest.raises(StoreError, match="restore"), SqliteStore.open(url) as store:
        store.log.interactions()


def test_a_file_cut_short_is_a_clear_error(tmp_path: Path) -> None:
    url = filled(tmp_path)
    path = tmp_path / "shop.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreError, match="doctor"), SqliteStore.open(url) as store:
        store.log.interactions()
