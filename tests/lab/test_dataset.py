"""Files as data: order, types, times, attributes, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mutua.catalog.table import Labels, Numbers
from mutua.core.clock import SECOND, parse_time
from mutua.errors import MutuaError, NotEnoughData
from mutua.lab.dataset import load, load_lists


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_with_times_and_types(tmp_path: Path) -> None:
    path = written(
        tmp_path / "log.csv",
        "visitorid,itemid,event,timestamp\nü,b,view,2020-01-02\nü,a,addtocart,2020-01-01\nv,b,wink,2020-01-03\n",
    )
    data = load(path)
    rows = data.interactions
    assert data.user_ids.outers([0, 1]) == ["ü", "v"]
    assert data.item_ids.outers(rows.item.tolist()) == ["b", "a", "b"]
    assert [rows.types[kind] for kind in rows.type.tolist()] == ["view", "cart", "wink"]
    assert rows.time[1] == parse_time("2020-01-01")
    assert rows.is_target.all()
    assert rows.type_weights[rows.types.index("wink")] == 1.0
    assert any("wink" in note for note in data.notes)


def test_without_times_the_order_of_the_file_counts(tmp_path: Path) -> None:
    data = load(written(tmp_path / "log.csv", "user,item\nb,1\na,1\nb,2\n"))
    assert not data.interactions.has_time
    assert data.interactions.sequence.tolist() == [0, 1, 2]
    assert data.interactions.user.tolist() == [0, 1, 0]


def test_ratings_are_ratings(tmp_path: Path) -> None:
    data = load(
        written(tmp_path / "r.tsv", "user\titem\trating\ttimestamp\n1\t2\t3.5\t1000000000\n1\t3\t\t1000000001\n")
    )
    assert data.interactions.is_rating.tolist() == [True, False]
    assert data.interactions.value[0] == 3.5
    assert data.interactions.time[0] == 1_000_000_000 * SECOND


def test_attributes_of_further_files(tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", "user,item,time\nu,a,2020-01-01\nu,b,2020-01-02\n")
    items = written(tmp_path / "items.csv", "item,category,price\nb,tea,2.5\nc,milk,1.0\n")
    data = load(log, "", items)
    assert data.item_ids.outers([0, 1, 2]) == ["a", "b", "c"]
    assert data.interactions.n_items == 3
    category, price = data.items.columns["category"], data.items.columns["price"]
    assert isinstance(category, Labels)
    assert [category.levels[code] if code >= 0 else None for code in category.codes] == [None, "tea", "milk"]
    assert isinstance(price, Numbers)
    assert price.values.tolist()[1:] == [2.5, 1.0]


def test_times_before_1990_are_left_out_of_a_calendar(tmp_path: Path) -> None:
    rows = "".join(f"u{n},i,{1_500_000_000 + n}\n" for n in range(9))
    data = load(written(tmp_path / "log.csv", f"user,item,timestamp\nx,i,1\n{rows}"))
    assert len(data.interactions) == 9
    assert any("before 1990" in note for note in data.notes)


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    data = load(written(tmp_path / "log.csv", "user,item,timestamp\nu,a,1500000000\nu,,1500000001\nv,b,soon\n"))
    assert len(data.interactions) == 1
    assert data.refused == 2


def test_lines_of_whole_events(tmp_path: Path) -> None:
    path = written(
        tmp_path / "log.jsonl",
        '{"kind":"interaction","user":"u","item":"a","type":"purchase","time":"2020-01-01"}\n'
        '{"kind":"item-upsert","item":"a","attributes":{"brand":"x"}}\n'
        '{"kind":"interaction","user":"u"}\n',
    )
    data = load(path)
    assert len(data.interactions) == 1
    assert data.refused == 1
    assert isinstance(data.items.columns["brand"], Labels)


def test_lists_of_items_come_file_by_file(tmp_path: Path) -> None:
    train, test = written(tmp_path / "train.txt", "0 5 6\n1 6\n"), written(tmp_path / "test.txt", "0 7\n1\n")
    data = load_lists([train, test])
    assert data.parts == (3, 1)
    assert data.item_ids.outers(data.interactions.item.tolist()) == ["5", "6", "6", "7"]
    assert data.refused == 1
    assert np.all(data.interactions.time == 0)


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData):
        load(written(tmp_path / "log.csv", "user,item,timestamp\nu,,1\n"))
    with pytest.raises(MutuaError):
        load(tmp_path / "absent.csv")
