"""Removing a tenant: nothing of it is left, nothing of another is touched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mutua import Recommender
from mutua.errors import StoreLocked, UnknownTenant
from mutua.privacy.removal import remove_tenant
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.lock import WriterLock

NOW = 1_800_000_000_000_000
BESIDE = ("{}.slates.db", "{}.outbox.db", "{}.keys", "{}.db.v1.bak", "{}.db-wal", ".{}.db.7.part")


@pytest.fixture
def shops(tmp_path: Path) -> Folder:
    for tenant in ("acme", "acme-2", "acm"):
        with Recommender.open(f"sqlite:///{tmp_path}/{tenant}.db") as shop:
            shop.record([{"user": f"person-of-{tenant}", "item": item, "type": "purchase"} for item in "ab"])
            shop.learn("popularity")
        for name in BESIDE:
            (tmp_path / name.format(tenant)).touch()
    return Folder(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_of_the_tenant_goes_and_nothing_else(shops: Folder) -> None:
    others = {name: found for name, found in contents(shops.path).items() if not name.lstrip(".").startswith("acme.")}
    done = remove_tenant(shops, "acme", now=NOW)
    assert contents(shops.path) == others
    assert (done.tenant, done.removed, done.events, done.left) == ("acme", NOW, 2, ())
    assert {"acme.db", "acme.models", "acme.slates.db", "acme.outbox.db"} <= set(done.files)
    assert done.bytes > 0
    with pytest.raises(UnknownTenant):
        remove_tenant(shops, "acme", now=NOW)
    with Recommender.open(f"sqlite:///{shops.path}/", tenant="acme-2") as shop:
        assert set(shop.recommend("x").ids) == {"a", "b"}


def test_a_damaged_store_can_be_removed(shops: Folder) -> None:
    shops.place("acme").file.write_bytes(b"damaged" * 1_000)
    done = remove_tenant(shops, "acme", now=NOW)
    assert done.events is None
    assert shops.tenants() == ("acm", "acme-2")


@contextmanager
def written_until(gone: Path, lock: WriterLock) -> Iterator[None]:
    """Holds the writer's lock until a file is gone, as a server does."""

    def hold() -> None:
        while gone.exists():
            threading.Event().wait(0.01)
        lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    yield
    thread.join()


def test_it_waits_for_the_server_that_lets_go_when_the_keys_are_gone(shops: Folder) -> None:
    place = shops.place("acme")
    with written_until(place.keys, WriterLock(place.lock)):
        assert remove_tenant(shops, "acme", now=NOW).left == ()


def test_a_store_that_is_written_to_or_learned_from_stays_but_its_keys_are_void(shops: Folder) -> None:
    place = shops.place("acme")
    for path in (place.lock, place.models / "learn.lock"):
        lock = WriterLock(path)
        with pytest.raises(StoreLocked):
            remove_tenant(shops, "acme", now=NOW, patience=0.0)
        lock.release()
        assert place.file.exists()
        assert not place.keys.exists()
