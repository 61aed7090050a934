"""The laws of a store, run on SQLite: in memory, in a file, and sealed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import LAWS, Law

KEY = bytes(range(32))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
@pytest.mark.parametrize("form", ["memory", "file", "sealed"])
def test_law(law: Law, form: str, tmp_path: Path) -> None:
    made = 0

    def fresh() -> SqliteStore:
        nonlocal made
        made += 1
        url = "sqlite:///:memory:" if form == "memory" else f"sqlite:///{tmp_path}/{made}.db"
        return SqliteStore.open(url, write=True, key=KEY if form == "sealed" else None)

    law(fresh)
