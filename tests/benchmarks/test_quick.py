"""Every benchmark runs on tiny planted data; what is missing or broken is said in the table."""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from benchmarks import __main__ as command
from benchmarks import data, peers, report
from benchmarks.goals import Goal
from benchmarks.quality.beauty import with_gaps
from benchmarks.speed import soak
from benchmarks.speed.growth import exponent
from mutua.events.interactions import Interactions
from mutua.learning.split import questions, separate
from mutua.metrics import recall

USERS, ITEMS, HAD = 40, 30, 14
START = 1_600_000_000
PEER = find_spec("implicit") is not None
FASTER = [name for name in command.BENCHMARKS if name != "journey"]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data sets in which people of two tastes take items of their own kind, some people late."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("gowalla", "beauty", "retailrocket", "ml-100k"):
        (folder / name).mkdir()
    source = np.random.default_rng(0)
    lists = {user: (source.choice(ITEMS, HAD, replace=False) * 2 + user % 2).tolist() for user in range(USERS)}
    times = {user: np.sort(source.choice(900, HAD)) + (0 if user % 4 else 600) for user in lists}
    (folder / "gowalla" / "train.txt").write_text(_lines({user: items[:10] for user, items in lists.items()}))
    (folder / "gowalla" / "test.txt").write_text(_lines({user: items[10:] for user, items in lists.items()}))
    (folder / "beauty" / "Beauty.txt").write_text(_lines(lists))
    gaps = "".join(
        f"{user} {' '.join(map(str, items))}\t{' '.join(['0', *['86400'] * (HAD - 1)])}\n"
        for user, items in lists.items()
    )
    (folder / "beauty" / "Beauty_gaps.txt").write_text(gaps)
    rows = [
        (START + 3_600 * int(time), user, item)
        for user, items in lists.items()
        for item, time in zip(items, times[user], strict=True)
    ]
    shop = "".join(f"{time},{user},view,{item},train\n" for time, user, item in sorted(rows))
    header = "timestamp,user,event,item,split\n"
    (folder / "retailrocket" / "events.csv").write_text(f"{header}1,0,transaction,4,test\n{shop}")
    films = "".join(f"{5 * user}\t{item}\t{3 + item % 3}\t{time}\n" for time, user, item in rows)
    columns = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (folder / "ml-100k" / "ml-100k.inter").write_text(columns + films)
    return folder


def _lines(lists: dict[int, list[int]]) -> str:
    return "".join(f"{user} {' '.join(map(str, items))}\n" for user, items in lists.items())


@pytest.mark.parametrize("name", [*FASTER, pytest.param("journey", marks=pytest.mark.slow)])
def test_every_goal_of_a_benchmark_has_a_row(
    name: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUTUA_DATA", str(shelf))
    command.measure(name, True, tmp_path)
    found = report.read(tmp_path / f"{name}.json")
    goals = import_module(command.BENCHMARKS[name]).GOALS
    assert sorted(figure.what for figure in found.figures) == sorted(goal.what for goal in goals)
    assert found.not_run == ""
    assert found.quick
    for figure in found.figures:
        if figure.seen.startswith("not run: implicit"):
            assert not PEER
        elif figure.value is not None:
            assert math.isfinite(figure.value)
            assert (figure.met is None) == (figure.target == "shown" or figure.target.startswith("aim"))
    assert all(figure.what in capsys.readouterr().out for figure in found.figures[:1])


def test_replay_draws_the_curve_of_each_data_set(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTUA_DATA", str(shelf))
    command.measure("replay", True, tmp_path)
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert pictures == ["replay-ml-100k.png", "replay-retailrocket.png"]


def test_a_missing_data_set_is_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTUA_DATA", str(tmp_path / "nowhere"))
    assert command.main(["gowalla", "--quick", "--out", str(tmp_path)]) == 0
    found = report.read(tmp_path / "gowalla.json")
    assert "no gowalla in" in found.not_run
    assert [figure.met for figure in found.figures] == [None] * 5
    assert (tmp_path / "README.md").read_text().count("not run: no gowalla") == 5


def test_a_benchmark_that_breaks_is_in_the_table_and_in_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BENCHMARKS", {"none-such": "benchmarks.speed.folding"})
    assert command.apart("none-such", True, tmp_path) != 0
    assert "broke with exit status" in report.read(tmp_path / "none-such.json").not_run


def test_an_unknown_name_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["gowala"])
    assert "gowalla" in capsys.readouterr().err


def test_without_its_package_the_peer_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.data.version", _no_version)
    with pytest.raises(data.NotAvailable, match="dependency group `bench`"):
        data.need("implicit")


def _no_version(name: str) -> str:
    raise data.PackageNotFoundError(name)


@pytest.mark.parametrize(
    ("goal", "value", "met", "beyond"),
    [
        (Goal("x", must=0.5, aim=0.7), 0.6, True, False),
        (Goal("x", must=0.5, aim=0.7), 0.4, False, False),
        (Goal("x", must=40, aim=25, most=True), 25, True, True),
        (Goal("x", must=40, aim=25, most=True), 41, False, False),
        (Goal("x"), 1.0, None, None),
    ],
)
def test_a_goal_judges_by_its_bound(goal: Goal, value: float, met: bool | None, beyond: bool | None) -> None:
    figure = goal.seen(value)
    assert (figure.met, figure.aim_met) == (met, beyond)
    words = report.row(figure)
    assert ("**no**" in words) == (met is False)
    assert ("aim too" in words) == bool(beyond)


def test_the_exponent_of_a_planted_power_is_found() -> None:
    size = [100.0, 400.0, 1_600.0]
    assert exponent(size, [3.0 * events**1.5 for events in size]) == pytest.approx(1.5)


def test_the_peer_is_asked_for_what_was_held_out() -> None:
    rows = Interactions.of([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 3, 4], n_items=6)
    split = separate(rows, np.array([False, False, True, False, True, True]), "test")
    asked = questions(split, exclude_seen=True)
    lists = {0: [2, 5], 1: [5, 4]}

    def recommend(users: np.ndarray, seen: sparse.csr_matrix, N: int) -> tuple[np.ndarray, None]:
        assert seen.toarray().tolist() == [[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
        return np.array([lists[user][:N] for user in users], np.int32), None

    placements = peers.answered(SimpleNamespace(recommend=recommend), peers.matrix(split.train), asked, 2)
    assert recall(placements, 2).tolist() == [1.0, 0.5]
    assert recall(placements, 1).tolist() == [1.0, 0.0]


def test_the_peer_takes_its_own_settings_where_nothing_was_tried() -> None:
    assert peers.best_of([]) == peers.GRID[0]
    assert peers.best_of([(0.01, 1.0, 0.2, 1.0), (1.0, 5.0, 0.3, 1.0)]) == (1.0, 5.0)


def test_gaps_become_times(tmp_path: Path) -> None:
    path = tmp_path / "gaps.txt"
    path.write_text("7 1 2 3\t0 60 0\n8 1\t0\n")
    rows = with_gaps(path).interactions
    assert ((rows.time - rows.time[0]) / 1_000_000).tolist() == [0, 60, 60, 0]
    assert rows.user.tolist() == [0, 0, 0, 1]


def test_the_soak_finds_the_slope_of_what_grows() -> None:
    assert soak.slope([3.0, 5.0, 7.0]) == pytest.approx(2.0)
    assert soak.slope([4.0]) == 0.0
