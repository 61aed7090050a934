"""`mutua tune`: a line that `learn` takes, put in force if wanted, blind to what is kept for the test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mutua.cli.tune import before_the_test
from mutua.core.clock import DAY
from mutua.errors import UsageError
from mutua.events.interactions import Interactions
from mutua.models.registry import learner
from mutua.testing.planted import planted


def test_the_line_is_one_that_learn_takes(shop):
    found = shop("tune", "--model", "popularity", "--trials", "3", "--held", "folds", "--folds", "2", "--json").json
    assert learner(found["line"]).name == "popularity"
    assert len(found["trials"]) == 3
    assert found["metric"] == "ndcg@10"
    assert shop("learn", "--model", found["line"], "--json").status == 0


def test_the_line_is_printed_in_one_piece(shop):
    done = shop("tune", "--model", "default", "--trials", "1", "--held", "folds", "--folds", "2")
    assert done.out.strip().splitlines()[-1].startswith("mutua learn --model default")
    assert "trial 0:" in done.err


def test_it_is_put_in_force(shop):
    found = shop(
        "tune", "--model", "popularity", "--trials", "2", "--held", "folds", "--folds", "2", "--learn", "--json"
    ).json
    listed = shop("models", "list", "--json").json
    assert found["learned"]["model"] == "popularity"
    assert found["learned"]["version"] in str(listed)


def test_pictures_and_event_files_are_written(shop):
    line = ["tune", "--model", "popularity", "--trials", "2", "--held", "folds", "--folds", "2"]
    found = shop(*line, "--plots", "pictures", "--tensorboard", "events", "--json").json
    assert [Path(path).name for path in found["plots"]] == ["history.png"]
    assert list(Path("events").iterdir())


def test_a_model_without_a_choice_is_a_coded_error(shop):
    done = shop("tune", "--model", "popularity:half_life=3", "--json")
    assert (done.status, done.error["code"]) == (2, "usage")


def test_what_evaluate_tests_on_is_not_read():
    data = planted()
    rows = data.interactions
    part = before_the_test(data, 0.2).interactions
    newest = np.sort(rows.time)[int(np.ceil(len(rows) * 0.8))]
    assert part.time.max() < newest
    assert len(part) == np.count_nonzero(rows.time < newest)


def test_without_a_test_everything_is_read():
    assert len(before_the_test(planted(), 0.0).interactions) == len(planted().interactions)


def test_keeping_everything_back_is_refused():
    data = planted()
    rows = Interactions.of([0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 0, DAY])
    with pytest.raises(UsageError):
        before_the_test(replace(data, interactions=rows), 0.9)
