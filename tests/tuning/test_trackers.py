"""Trials for other tools: event files that hold them, an offline run that is told them, and a coded error without."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event

from mutua.errors import MissingExtra
from mutua.tuning import trackers
from mutua.tuning.wanted import METRIC, Tried

TRIED = Tried(3, {"neighbours": 30, "transform": "log"}, 0.25, (0.1, 0.25), False, 1.5)


def events(folder: Path) -> list[Any]:
    """Returns what stands in the event files of a folder, read by their framing: length, checksum, event, checksum."""
    found = []
    for file in folder.iterdir():
        content, place = file.read_bytes(), 0
        while place < len(content):
            size = int.from_bytes(content[place : place + 8], "little")
            found.append(Event.FromString(content[place + 12 : place + 12 + size]))
            place += 16 + size
    return found


def test_event_files_hold_every_figure(tmp_path: Path) -> None:
    with trackers.tensorboard(tmp_path / "events") as told:
        told(TRIED)
    values = {value.tag: (event.step, value) for event in events(tmp_path / "events") for value in event.summary.value}
    metric = METRIC.replace("@", "_")
    assert values[metric][0] == 3
    assert values[metric][1].simple_value == pytest.approx(0.25)
    assert values["settings/neighbours"][1].simple_value == 30
    assert any(tag.startswith("settings/transform") for tag in values)


def test_an_offline_run_is_told_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged, began, ended = [], [], []
    run = SimpleNamespace(log=lambda row, step: logged.append((step, row)), finish=lambda: ended.append(True))
    library = SimpleNamespace(init=lambda **given: began.append(given) or run)
    monkeypatch.setitem(sys.modules, "wandb", library)  # type: ignore[arg-type]
    with trackers.wandb(tmp_path / "runs") as told:
        told(TRIED)
    assert began == [{"mode": "offline", "project": "mutua", "dir": str(tmp_path / "runs")}]
    assert logged[0][0] == 3
    assert logged[0][1][METRIC] == 0.25
    assert logged[0][1]["transform"] == "log"
    assert ended == [True]


@pytest.mark.parametrize(("name", "tracker"), [("tensorboardX", trackers.tensorboard), ("wandb", trackers.wandb)])
def test_what_is_not_installed_is_said(
    name: str, tracker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtra, match=name), tracker(tmp_path):
        pass
