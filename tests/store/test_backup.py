"""Backups while others write, and restoring them, to any record time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mutua.errors import DamagedBackup, UsageError
from mutua.events.kinds import IdentityLink, Interaction, ItemUpsert
from mutua.store.base import Rejected
from mutua.store.sqlite.backup import back_up, restore
from mutua.store.sqlite.store import SqliteStore
from mutua.testing.stores import events_of, vocabulary

WRITER = """
import sys
from mutua.events.kinds import Interaction
from mutua.store.sqlite.store import SqliteStore
with SqliteStore.open(sys.argv[1], write=True) as store:
    for number in range(10_000):
        events = [Interaction(user=f"u{number}", item=f"i{part}", time=part) for part in range(20)]
        print(store.log.append(events, recorded=number).last, flush=True)
"""


class Nothing:
    name = "nothing"

    def arrays(self) -> dict[str, object]:
        return {}

    def meta(self) -> dict[str, object]:
        return {}


def filled(folder: Path) -> str:
    """A store with a day of events at record time 10, another at 20, and a model after each."""
    url = f"sqlite:///{folder}/shop.db"
    with SqliteStore.open(url, write=True) as store:
        for day in (10, 20):
            store.log.append(
                [
                    *(Interaction(user=f"u{user}", item=f"i{day}", time=day + user) for user in range(day // 10, 4)),
                    Interaction(user=f"only {day}", item="milk", type=f"type {day}", source=f"source {day}"),
                    IdentityLink(user="u3", other=f"phone {day}"),
                    ItemUpsert(item=f"new {day}", attributes={"price": day}),
                ],
                recorded=day,
            )
            store.models.save(Nothing(), sequence=store.log.last_sequence())
        store.quarantine.put([Rejected("a.csv", 1, "row.invalid", "m", "r")])
    return url


def histories(store: SqliteStore) -> list[list[list[float]]]:
    users = range(len(store.names.users))
    return [
        [column.tolist() for column in (found.item, found.time, found.sequence)]
        for found in map(store.log.history, users)
    ]


def test_a_restored_backup_is_the_store(tmp_path: Path) -> None:
    url = filled(tmp_path)
    with SqliteStore.open(url) as store:
        made = back_up(store, tmp_path / "copy.db")
        assert (made.last, made.events, made.models, made.damaged) == (11, 11, ("000001", "000002"), ())
        restored = restore(made.path, tmp_path / "again.db")
        with SqliteStore.open(f"sqlite:///{restored.path}", write=True) as again:
            assert histories(again) == histories(store)
            assert vocabulary(again) == vocabulary(store)
            assert events_of(again) == events_of(store)
            assert again.quarantine.count() == 1
            assert again.models.current() == "000002"
            assert again.log.append([Interaction(user="new", item="milk")], recorded=30).sequences == (12,)
    assert sorted(path.name for path in tmp_path.glob("*.part*")) == []


def test_until_drops_what_was_recorded_later(tmp_path: Path) -> None:
    url = filled(tmp_path)
    with SqliteStore.open(url) as store:
        back_up(store, tmp_path / "copy.db")
        expected = [store.log.history(user, as_of=15).sequence.tolist() for user in range(5)]
    restored = restore(tmp_path / "copy.db", tmp_path / "again.db", until=15)
    assert (restored.last, restored.events, restored.dropped, restored.models) == (6, 6, 5, ("000001",))
    with SqliteStore.open(f"sqlite:///{restored.path}", write=True) as again:
        assert vocabulary(again) == (["u1", "u2", "u3", "only 10", "phone 10"], ["i10", "milk", "new 10"])
        assert [found[2] for found in histories(again)] == expected
        assert again.names.types.undeclared == ("type 10",)
        assert again.models.current() == "000001"
        again.log.append([Interaction(user="later", item="tea")], recorded=30)
        assert again.names.users.get("later") == 5
        assert again.log.last_sequence() == 7


def test_until_before_everything_leaves_an_empty_store(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        back_up(store, tmp_path / "copy.db")
    assert restore(tmp_path / "copy.db", tmp_path / "again.db", until=1).events == 0
    with SqliteStore.open(f"sqlite:///{tmp_path}/again.db") as again:
        assert vocabulary(again) == ([], [])


def test_a_backup_beside_a_writer_is_one_instant(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for number in range(3):
            acknowledged = int(writer.stdout.readline())
            with SqliteStore.open(url) as store:
                made = back_up(store, tmp_path / f"copy{number}.db")
            assert made.last >= acknowledged
            assert made.events == made.last
            assert made.last % 20 == 0
        writer.kill()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        back_up(store, tmp_path / "copy.db")
        with pytest.raises(UsageError, match="exists"):
            back_up(store, tmp_path / "copy.db")
    with pytest.raises(UsageError, match="exists"):
        restore(tmp_path / "copy.db", tmp_path / "shop.db")


def test_a_damaged_backup_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        back_up(store, tmp_path / "copy.db")
    content = bytearray((tmp_path / "copy.db").read_bytes())
    for page in range(4_096, len(content), 4_096):
        content[page : page + 100] = b"\xee" * 100
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(DamagedBackup, match="another backup"):
        restore(tmp_path / "copy.db", tmp_path / "again.db")
    with pytest.raises(DamagedBackup):
        restore(tmp_path / "none.db", tmp_path / "again.db")
    assert not list(tmp_path.glob("again*"))
    assert not list(tmp_path.glob(".*part*"))


def test_a_damaged_model_is_named_and_left_out(tmp_path: Path) -> None:
    with SqliteStore.open(filled(tmp_path)) as store:
        (store.models.folder("000002") / "manifest.json").write_text("{}")
        made = back_up(store, tmp_path / "copy.db")
    assert (made.models, made.damaged) == (("000001",), ("000002",))
