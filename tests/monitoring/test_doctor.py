"""The doctor finds what is wrong, says what to do, and never fails itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua.errors import UsageError
from mutua.events.kinds import Interaction
from mutua.monitoring.doctor import Finding, examine
from mutua.store.base import Rejected
from mutua.store.sqlite.store import SqliteStore

NOW = 1_800_000_000_000_000


def findings(url: str, now: int = NOW) -> dict[str, Finding]:
    found = examine(url, now=now)
    names = [finding.name for finding in found]
    assert len(set(names)) == len(names), f"a name twice: {names}"
    assert all(finding.do for finding in found if not finding.ok), "a failure without advice"
    return {finding.name: finding for finding in found}


def wrong(url: str, now: int = NOW) -> set[str]:
    return {name for name, finding in findings(url, now).items() if not finding.ok}


@pytest.fixture
def url(tmp_path: Path) -> str:
    place = f"sqlite:///{tmp_path}/shop.db"
    with SqliteStore.open(place, write=True) as store:
        store.log.append([Interaction(user="ann", item="milk")], recorded=NOW)
    return place


def test_a_sound_store_passes(url: str) -> None:
    found = findings(url)
    assert wrong(url) <= {"disk space"}
    assert {"python", "sqlite", "numba", "clock", "permissions", "writer", "schema", "integrity"} <= found.keys()
    assert found["writer"].what == "nobody writes"


def test_it_works_beside_a_writer_and_names_it(url: str) -> None:
    with SqliteStore.open(url, write=True):
        assert "writes" in findings(url)["writer"].what
        assert wrong(url) <= {"disk space"}


def test_everything_that_waits_is_found(url: str, tmp_path: Path) -> None:
    with SqliteStore.open(url, write=True) as store:
        store.quarantine.put([Rejected("a.csv", 1, "row.invalid", "m", "r")])
        store.log.append([Interaction(user="ann", item="milk", type="gaze")], recorded=NOW)
        store.models.root.mkdir()
        (store.models.root / ".000001.9.part").mkdir()
    (tmp_path / "shop.db").chmod(0o644)
    found = findings(url)
    assert {name for name, finding in found.items() if not finding.ok} - {"disk space"} == {
        "quarantine",
        "types",
        "models",
        "permissions",
    }
    assert "gaze" in found["types"].what
    assert ".000001.9.part" in found["models"].what


def test_a_damaged_model_is_found(url: str, tmp_path: Path) -> None:
    (tmp_path / "shop.models" / "000001").mkdir(parents=True)
    assert "manifest" in findings(url)["models"].what


def test_a_clock_that_fell_back_is_found(url: str) -> None:
    assert wrong(url, now=NOW - 3_600_000_000) - {"disk space"} == {"record times"}
    assert {"clock", "record times"} <= wrong(url, now=0)


def test_a_damaged_file_is_found(url: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    content = bytearray(path.read_bytes())
    for page in range(4_096, len(content), 4_096):
        content[page : page + 100] = b"\xee" * 100
    path.write_bytes(content)
    found = findings(url)
    assert not all(found[name].ok for name in ("store", "integrity") if name in found)


@pytest.mark.parametrize("content", [None, b"", b"noise " * 1_000])
def test_a_missing_or_strange_file_is_a_finding(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "shop.db").write_bytes(content)
        (tmp_path / "shop.db").chmod(0o600)
    assert wrong(f"sqlite:///{tmp_path}/shop.db") - {"disk space"} == {"store"}


def test_a_missing_folder_is_a_finding(tmp_path: Path) -> None:
    assert wrong(f"sqlite:///{tmp_path}/none/shop.db") == {"folder", "store"}


def test_a_url_of_no_store_is_an_error() -> None:
    with pytest.raises(UsageError):
        examine("shop.db", now=NOW)
