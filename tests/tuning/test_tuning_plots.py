"""Pictures of a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua.errors import UsageError
from mutua.models.linear.popularity import Popularity
from mutua.tuning import plots
from mutua.tuning.wanted import Tried, Tuned

FOUND = Tuned(
    Popularity(7.0),
    0.3,
    "time",
    (
        Tried(0, {"half_life": 0.0}, 0.2, (0.1, 0.2), False, 1.0),
        Tried(1, {"half_life": 1.0}, 0.1, (0.1,), True, 0.5),
        Tried(2, {"half_life": 7.0}, 0.3, (0.2, 0.3), False, 1.0),
    ),
    0,
    {"half_life": 1.0},
    2.5,
)


@pytest.mark.parametrize("draw", [plots.history, plots.importance])
def test_a_picture_is_written(draw, tmp_path: Path) -> None:
    path = draw(FOUND, tmp_path / "made" / "one.svg")
    assert b"<svg" in path.read_bytes()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        plots.history(FOUND, tmp_path / "one.bmp")
