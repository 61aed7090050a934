"""What the live demo keeps back, and what its board says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from journey_files import written_journey
from mutua import Recommender
from mutua.cli.screen import Screen
from mutua.core.clock import parse_time
from mutua.demo import board, journey, visits
from mutua.demo.board import Board
from mutua.demo.shoppers import most_faithful
from mutua.demo.visits import stock, to_come

CUT = datetime(2017, 9, 1)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "journey").mkdir()
    folder = written_journey(tmp_path / "journey")
    monkeypatch.setattr(journey, "installed", lambda: folder)
    monkeypatch.setattr(visits, "KEPT_BACK", CUT)
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    stock(url, None, Screen(as_json=True).stage, now="log")
    return url


def test_december_is_kept_back_and_comes_as_baskets_in_order(shop: str) -> None:
    cut = parse_time(CUT.isoformat() + "Z")
    with Recommender.open(shop, now="log", write=False) as stocked:
        newest = stocked.store.log.newest_time()
        assert newest is not None
        assert newest < cut
        known = len(stocked.store.log.interactions())
        assert stocked.recommend("1").model_version
    coming = to_come(None, newest)
    times = [visit.time for visit in coming.visits]
    assert times == sorted(times)
    assert times[0] * 1e6 >= cut
    assert known + sum(len(visit.items) for visit in coming.visits) == len(journey.bought())
    events = coming.visits[0].events("a slate")
    assert len({event["id"] for event in events}) == len(events)
    assert {event["slate"] for event in events} == {"a slate"}
    assert coming.names[events[0]["item"]].startswith("Product")
    later = to_come(None, int(times[5] * 1e6))
    assert later.visits == tuple(visit for visit in coming.visits if visit.time > times[5])
    assert most_faithful(coming.visits) in {visit.user for visit in coming.visits}


def test_the_board_counts_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(board, "monotonic", lambda: float(next(clock)))
    shown = Board("7", {"tea": "Green Tea"})
    shown.pushed(["milk", "jam"])
    shown.sent("8")
    shown.sent("7")
    shown.visited(1_512_000_000.0, 3, 1, 0.004)
    shown.pushed(["tea", "milk"])
    cells = [str(cell) for column in shown.table().columns for cell in column.cells]
    said = "\n".join(cells)
    assert "3 recorded" in said
    assert "after 4.0 ms" in said
    assert "after 2000.0 ms" in said
    assert "33.3%" in said
    assert "new Green Tea, now 1." in said
    assert "left jam" in said
