"""Whom the server lets in, and how much it does for each: by counts and given times, no clock."""

from __future__ import annotations

import pytest

from mutua.errors import InvalidField, TooLate
from mutua.serving.overload import ALWAYS, Line, deadline_of, level


def passing(line: Line, requests: int, pace: float, now: float = 0.0) -> float:
    """Lets a batch through the line, each taking as long as the pace says, and returns the time after it."""
    for _ in range(requests):
        line.enter()
    for _ in range(requests):
        line.leave(now)
        now += pace
    return now


def room(line: Line) -> int:
    """Returns how many find a place in the line."""
    found = 0
    while not line.full:
        line.enter()
        found += 1
    return found


def test_the_line_is_as_long_as_its_pace_allows() -> None:
    line = Line(wait=0.1, places=10_000)
    passing(line, 2_000, pace=0.001)
    assert 95 <= room(line) <= 105


def test_a_slower_pace_makes_it_shorter_and_a_faster_one_longer() -> None:
    line = Line(wait=0.1, places=10_000)
    now = passing(line, 500, pace=0.0001)
    now = passing(line, 500, pace=0.002, now=now)
    slow = Line(wait=0.1, places=10_000)
    passing(slow, 500, pace=0.002)
    assert room(line) == pytest.approx(room(slow), abs=2)


def test_it_has_a_bound_however_fast_it_moves() -> None:
    line = Line(wait=0.1, places=50)
    passing(line, 500, pace=1e-9)
    assert room(line) == 50


def test_one_request_that_took_long_closes_the_line_to_nobody_for_good() -> None:
    line = Line(wait=0.1, places=10_000)
    now = passing(line, 2, pace=60.0)
    for _ in range(100):
        now = passing(line, min(ALWAYS, room_of(line)), pace=0.0005, now=now)
    assert room(line) > 100


def room_of(line: Line) -> int:
    """Returns how many would find a place, and leaves the line as it was."""
    found = room(line)
    line.waiting -= found
    return found


def test_time_between_requests_that_did_not_stand_in_line_says_nothing() -> None:
    line = Line(wait=0.1, places=100)
    for second in range(50):
        passing(line, 1, pace=0.0, now=float(second))
    assert room(line) == 100


@pytest.mark.parametrize(
    ("waited", "found"),
    [(0.0, ""), (0.05, ""), (0.051, "linear"), (0.1, "linear"), (0.11, "popularity"), (0.4, "popularity")],
)
def test_the_longer_a_request_waited_the_less_is_done(waited: float, found: str) -> None:
    assert level(waited, 0.5) == found
    assert level(waited * 2, 1.0) == found


def test_a_request_whose_answer_would_come_too_late_is_refused() -> None:
    with pytest.raises(TooLate, match="450 of its 500 ms"):
        level(0.45, 0.5)


def test_a_deadline_is_read_in_milliseconds_and_bounded() -> None:
    assert deadline_of(b"") is None
    assert deadline_of(b"250") == 0.25
    for wrong in (b"0", b"9", b"30001", b"-5", b"1e3", b"soon", b"9" * 4_000, "٣٠٠".encode()):
        with pytest.raises(InvalidField, match="milliseconds"):
            deadline_of(wrong)
