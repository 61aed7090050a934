"""A folder of stores: a name is one file in it and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua import Recommender, Settings
from mutua.config import StoreSettings
from mutua.errors import NoTenant, UnknownTenant, UsageError
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.folder import Folder, checked_tenant, every, located
from mutua.store.sqlite.store import SqliteStore

TRICKS = [
    "",
    ".",
    "..",
    "../rival",
    "a/../b",
    "/etc/passwd",
    "a\\b",
    "a\x00",
    "a\n",
    "a.db",
    "a.slates",
    "ACME",
    "Acme",
    "аcme",  # the first letter is Cyrillic
    "ａcme",
    "acm\u0435",
    "ſhop",
    "\u212aey",
    "a\u0301",
    "١",
    "-a",
    "_a",
    "a b",
    "a%2f",
    "~",
    "con",
    "nul",
    "com1",
    "lpt9",
    "a" * 64,
]


@pytest.fixture
def shops(tmp_path: Path) -> str:
    for tenant in ("acme", "rival"):
        SqliteStore.open(f"sqlite:///{tmp_path}/{tenant}.db", write=True).close()
    return f"sqlite:///{tmp_path}/"


@pytest.mark.parametrize("name", TRICKS)
def test_what_is_no_name_never_becomes_a_place(shops: str, name: str) -> None:
    folder = Folder.of(shops)
    assert folder is not None
    before = sorted(folder.path.iterdir())
    for refused in (checked_tenant, folder.place, folder.url):
        with pytest.raises(UsageError):
            refused(name)
    assert sorted(folder.path.iterdir()) == before


@pytest.mark.parametrize("name", ["a", "0", "acme-2", "a_b", "console", "a" * 63])
def test_names_are_files_of_the_folder(shops: str, name: str) -> None:
    folder = Folder.of(shops)
    assert folder is not None
    assert folder.place(name).file.resolve() == (folder.path / f"{name}.db").resolve()


def test_a_folder_is_told_by_its_slash_or_by_being_there(shops: str, tmp_path: Path) -> None:
    assert Folder.of(shops) == Folder.of(shops[:-1])
    assert Folder.of(f"sqlite:///{tmp_path}/new/") == Folder(tmp_path / "new")
    for one in (f"sqlite:///{tmp_path}/new", f"sqlite:///{tmp_path}/acme.db", "sqlite:///:memory:", "sqlite:///", "x/"):
        assert Folder.of(one) is None


def test_only_stores_are_tenants(shops: str, tmp_path: Path) -> None:
    for other in ("acme.slates.db", "acme.outbox.db", "Upper.db", "nul.db", "notes.txt", ".hidden.db"):
        (tmp_path / other).touch()
    (tmp_path / "folder.db").mkdir()
    assert Folder(tmp_path).tenants() == ("acme", "rival")
    assert every(shops) == {name: f"{shops}{name}.db" for name in ("acme", "rival")}


def test_one_store_is_located(shops: str) -> None:
    assert located(shops, "acme") == f"{shops}acme.db"
    assert located(f"{shops}acme.db", "acme") == f"{shops}acme.db" == located(f"{shops}acme.db")
    with pytest.raises(NoTenant, match=r"tenant\.missing"):
        located(shops)
    with pytest.raises(NoTenant):
        Address.of(shops)
    with pytest.raises(UnknownTenant, match="did you mean 'acme'"):
        located(shops, "acne")
    with pytest.raises(UsageError, match="one store"):
        located(f"{shops}acme.db", "rival")


def test_the_library_opens_a_tenant_and_makes_none(shops: str, tmp_path: Path) -> None:
    with Recommender.open(shops, tenant="acme") as shop:
        shop.record({"user": "ann", "item": "milk", "type": "purchase"})
        assert shop.recommend("bob").ids == ("milk",)
    with Recommender.open(settings=Settings(store=StoreSettings(shops, "rival"))) as shop:
        assert shop.recommend("bob").ids == ()
    with pytest.raises(UnknownTenant):
        Recommender.open(shops, tenant="third")
    assert not (tmp_path / "third.db").exists()
