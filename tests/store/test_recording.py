"""Recording files into a store: nothing is lost, nothing is doubled, every row that is none is kept aside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from mutua.core.clock import DAY, MINUTE, SECOND, parse_time
from mutua.errors import MissingColumn, UnreadableFile
from mutua.events.cleaning import CleaningRules, names_of
from mutua.events.readers import delimited
from mutua.store.base import Appended
from mutua.store.recipes import Recipe
from mutua.store.recording import Progress, Recorded, record_file
from mutua.store.retrying import record_quarantined
from mutua.store.sqlite.store import SqliteStore

NOW = parse_time("2026-03-01T12:00:00Z")
HEADER = "user,item,event,price,ts\n"


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with SqliteStore.open("sqlite:///:memory:", write=True) as opened:
        yield opened


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes readers read 2 KiB at once, so that small files come in many batches."""
    monkeypatch.setattr(delimited, "blocks", lambda path, *, encoding, **_: BLOCKS(path, encoding=encoding, size=2_048))


BLOCKS = delimited.blocks


def shop(folder: Path, rows: int = 400, seed: int = 1, name: str = "shop.csv") -> Path:
    draws = random.Random(seed)
    lines = [
        f"u{draws.randrange(20)},i{draws.randrange(50)},{draws.choice(['view', 'cart'])},{draws.randrange(1, 9)}.5,"
        f"{NOW // SECOND - 30 * 86_400 + row * 4_001 % (29 * 86_400)}"
        for row in range(rows)
    ]
    path = folder / name
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def record(store: SqliteStore, path: Path, **options: Any) -> Recorded:
    return record_file(store.log, store.quarantine, path, **{"now": NOW, **options})


def rows_of(store: SqliteStore) -> pl.DataFrame:
    return pl.concat(list(store.log.read()))


def test_a_file_is_recorded_whole_and_the_second_time_changes_nothing(store: SqliteStore, tmp_path: Path) -> None:
    path = shop(tmp_path)
    first = record(store, path)
    assert (first.accepted, first.duplicates, dict(first.quarantined)) == (400, 0, {})
    assert first.mapping == "user=user,item=item,type=event,value=price,time=ts"
    assert any("read as --map" in note for note in first.notes)
    logged = rows_of(store)
    given = pl.read_csv(path)
    assert logged["user"].to_list() == given["user"].to_list()
    assert logged["value"].to_list() == given["price"].to_list()
    assert (logged["time"] // SECOND).to_list() == given["ts"].to_list()
    again = record(store, path)
    assert (again.accepted, again.duplicates) == (0, 400)
    assert rows_of(store).equals(logged)


@pytest.mark.usefixtures("small_blocks")
def test_batches_do_not_change_what_is_recorded(tmp_path: Path, store: SqliteStore) -> None:
    path = shop(tmp_path)
    steps: list[Progress] = []
    record(store, path, progress=steps.append)
    assert len(steps) > 4
    assert [step.accepted for step in steps] == sorted(step.accepted for step in steps)
    assert steps[-1].accepted == 400
    assert steps[-1].read == steps[-1].size
    record_in_one = pl.DataFrame()
    with pytest.MonkeyPatch.context() as patch, SqliteStore.open("sqlite:///:memory:", write=True) as other:
        patch.setattr(delimited, "blocks", BLOCKS)
        record(other, path)
        record_in_one = rows_of(other)
    assert rows_of(store).drop("recorded").equals(record_in_one.drop("recorded"))


@pytest.mark.usefixtures("small_blocks")
def test_a_killed_recording_is_resumed_by_running_it_again(tmp_path: Path, store: SqliteStore) -> None:
    path = shop(tmp_path)
    with path.open("a") as file:
        file.writelines(f"bot,i{row % 7},view,1,{NOW // SECOND - 86_400 + row * 20}\n" for row in range(300))
        file.write("bad\n")
    append, calls = store.log.append_batch, []

    def failing(batch: pl.DataFrame, *, recorded: int) -> Appended:
        calls.append(len(batch))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return append(batch, recorded=recorded)

    store.log.append_batch = failing  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        record(store, path)
    kept = store.log.last_sequence()
    assert kept == sum(calls[:3])
    resumed = record(store, path)
    assert (resumed.accepted, resumed.duplicates) == (700 - kept, kept)
    assert dict(resumed.quarantined) == {"row.invalid": 1}
    with SqliteStore.open("sqlite:///:memory:", write=True) as whole:
        record(whole, path)
        columns = ["sequence", "id", "user", "item", "time", "mark"]
        assert rows_of(store).select(columns).equals(rows_of(whole).select(columns))
    assert {names_of(mark) for mark in rows_of(store).filter(user="bot")["mark"]} == {("bot-rhythm",)}


def test_two_equal_rows_are_two_events_and_exports_may_overlap(store: SqliteStore, tmp_path: Path) -> None:
    monday, tuesday = tmp_path / "mon.csv", tmp_path / "tue.csv"
    milk, bread = "ann,milk,purchase,1.09,1700000000\n", "ann,bread,purchase,2,1700000001\n"
    monday.write_text(HEADER + milk + milk + bread)
    tuesday.write_text(HEADER + bread + "bob,milk,purchase,1.09,1700000002\n")
    assert record(store, monday).accepted == 3
    assert record(store, tuesday).accepted == 1
    assert rows_of(store)["mark"].to_list() == [0] * 4
    assert record(store, tuesday, source="other").accepted == 2


BAD = (
    HEADER
    + "ann,milk,view,1,1700000000\n"
    + ",milk,view,1,1700000000\n"
    + f"{'x' * 257},milk,view,1,1700000000\n"
    + "ann,milk,view,cheap,1700000000\n"
    + "ann,milk,view,1,yesterday\n"
    + f"ann,milk,view,1,{(NOW + 6 * MINUTE) // SECOND}\n"
    + "ann,milk,view,1\n"
    + "ann,milk,,1,1700000000\n"
    + "ann,milk,view,1,\n"
    + 'bob,"milk,view,1,1700000000\n'
    + "bob,m\x01lk,view,1,1700000000\n"
    + "bob,milk,view,,1700000000\n"
)
BAD_LINES = [
    (3, "id.invalid"),
    (4, "id.invalid"),
    (5, "value.invalid"),
    (6, "time.invalid"),
    (7, "time.future"),
    (8, "row.invalid"),
    (9, "id.invalid"),
    (10, "time.invalid"),
    (11, "row.invalid"),
    (12, "id.invalid"),
]


def test_bad_rows_go_to_quarantine_and_the_rest_is_kept(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(BAD)
    recorded = record(store, path)
    assert recorded.accepted == 2
    kept = store.quarantine.rows()
    assert [(row.line, row.code) for row in kept] == BAD_LINES
    assert sum(recorded.quarantined.values()) == len(BAD_LINES)
    lines = BAD.split("\n")
    assert all(row.raw == lines[row.line - 1] and row.source == "bad.csv" for row in kept)
    assert all("To do:" in row.message for row in kept)
    record(store, path)
    assert store.quarantine.rows() == kept


def test_a_retry_reads_what_can_be_read_by_now(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(BAD)
    record(store, path)
    assert record_quarantined(store.log, store.quarantine, now=NOW).accepted == 0
    later = record_quarantined(store.log, store.quarantine, now=NOW + 10 * MINUTE)
    assert later.accepted == 1
    assert sum(later.quarantined.values()) == len(BAD_LINES) - 1
    assert [row.line for row in store.quarantine.rows()] == [line for line, code in BAD_LINES if code != "time.future"]
    untimed = record_quarantined(store.log, store.quarantine, mapping="time:=2026-01-01", now=NOW)
    assert untimed.accepted == 2
    assert rows_of(store)["time"].to_list()[-2:] == [parse_time("2026-01-01")] * 2
    assert record(store, path, now=NOW + 10 * MINUTE).accepted == 0


def test_a_retry_gives_the_ids_that_the_file_gives(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "future.csv"
    row = f"ann,milk,view,1,{(NOW + DAY) // SECOND}\n"
    path.write_text(HEADER + row + row + "ann,milk,view,1,1700000000\n")
    assert record(store, path).accepted == 1
    assert record_quarantined(store.log, store.quarantine, now=NOW + DAY).accepted == 2
    assert record(store, path, now=NOW + DAY).accepted == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"visitor": "a", "sku": "b", "ts": "soon"}\n{"visitor": "a", "sku": "b", "ts": 1}\n[1]\n'),
        ("e.jsonl", '{"user": "a", "item": "b"}\n{"user": "a", "item": "b", "value": "x"}\nnull\n{"user"\n'),
        ("u.data", "1\t2\t3\t881250949\n1\t2\tx\t881250949\n1\t2\n"),
        ("ratings.dat", "1::2::3::881250949\n1::2::x::881250949\n1::2\n"),
        ("u.user", "1|24|M|none|1\n2|old|M|none|1\n3\n"),
        ("train.txt", f"1 2 3\n2 5 {'y' * 300}\n3\n"),
    ],
)
def test_rows_of_every_format_can_be_retried(store: SqliteStore, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    mapping = "user=visitor,item=sku,time=ts" if name == "a.jsonl" else ""
    accepted = record(store, path, mapping=mapping).accepted
    assert accepted > 0
    kept = store.quarantine.rows()
    assert [row.raw for row in kept] == [text.split("\n")[row.line - 1] for row in kept]
    assert len(kept) >= 2
    retried = record_quarantined(store.log, store.quarantine, now=NOW)
    assert retried.accepted == 0
    assert sum(retried.quarantined.values()) == len(kept)
    assert store.quarantine.rows() == kept
    assert all(msgspec.json.decode(row.mapping, type=Recipe).encoded() == row.mapping for row in kept)


def test_a_retry_reads_parquet_rows_by_another_mapping(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"user": ["a", None], "buyer": ["x", "y"], "item": [1, 2]}).write_parquet(path)
    assert record(store, path).accepted == 1
    assert record_quarantined(store.log, store.quarantine, mapping="user=buyer", now=NOW).accepted == 1
    assert rows_of(store).select("user", "item").rows() == [("a", "1"), ("y", "2")]
    assert not store.quarantine.rows()


def test_bytes_that_were_not_kept_whole_stay(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "bytes.csv"
    path.write_bytes(HEADER.encode() + b"\xe9va,milk,view,1,1700000000\nann,milk,view,1,soon" + b"!" * 5_000 + b"\n")
    record(store, path)
    assert dict(record_quarantined(store.log, store.quarantine, now=NOW).quarantined) == {
        "row.invalid": 1,
        "time.invalid": 1,
    }


def test_files_without_times_count_up_from_now(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("a x y\nb x\n")
    recorded = record(store, path)
    assert rows_of(store)["time"].to_list() == [NOW, NOW + 1, NOW + 2]
    assert any("no times" in note for note in recorded.notes)
    assert record(store, path, now=NOW + DAY).accepted == 0


def test_marks_are_counted_and_can_be_switched_off(store: SqliteStore, tmp_path: Path) -> None:
    path = shop(tmp_path)
    with path.open("a") as file:
        file.write("ann,milk,view,1,5\nann,milk,view,1,1700000000\nann,milk,view,1,1700000001\n")
        file.write("ann,milk,view,99999999,1700009999\n")
    recorded = record(store, path)
    assert dict(recorded.marked) == {"impossible-time": 1, "near-duplicate": 1, "outlier-value": 1}
    marks = rows_of(store).filter(user="ann")["mark"].to_list()
    assert [names_of(mark) for mark in marks] == [("impossible-time",), (), ("near-duplicate",), ("outlier-value",)]
    assert dict(record(store, path).marked) == dict(recorded.marked)
    off = CleaningRules(impossible_times=False, near_duplicates=False, outlier_values=False)
    assert dict(record(store, path, source="other", rules=off).marked) == {}


def test_users_and_items_become_upserts(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("1\t31\t4\t881250949\n")
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n")
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n31,Dangerous Minds,Drama|Crime\n")
    recorded = record(store, tmp_path)
    assert recorded.accepted == 3
    ages = store.catalog.users().numbers("age")
    assert ages is not None
    assert ages.values.tolist() == [24.0]
    tags = store.catalog.items().columns["tags"]
    assert getattr(tags, "levels", None) == ("Crime", "Drama")
    assert record(store, tmp_path).accepted == 0


def test_whole_events_of_any_kind_are_recorded(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        '{"user": "ann", "item": "milk", "time": 1700000000, "context": {"b": 1, "a": 2}, "id": "e1"}\n'
        '{"kind": "impression", "user": "ann", "items": ["milk", "bread"]}\n'
        '{"kind": "item-upsert", "item": "milk", "attributes": {"price": 1.09}, "source": "erp"}\n'
        '{"user": "ann", "item": "milk", "time": 1700000000, "context": {"b": 1, "a": 2}, "id": "e2"}\n'
    )
    assert record(store, path).accepted == 4
    logged = rows_of(store)
    assert logged["source"].to_list() == ["file", "file", "erp", "file"]
    assert logged["id"].to_list()[0] == "e1"
    assert [names_of(mark) for mark in logged["mark"].to_list()] == [(), (), (), ("exact-duplicate",)]
    assert record(store, path, now=NOW + DAY).accepted == 0


def test_a_file_that_cannot_be_mapped_records_nothing(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "what.csv"
    path.write_text("nick,what\na,5\n")
    with pytest.raises(MissingColumn):
        record(store, path)
    with pytest.raises(UnreadableFile):
        record(store, tmp_path / "none.csv")
    assert store.log.last_sequence() == 0
