"""Versions of models: saved whole, rolled back, refused when damaged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mutua.core.arrays import Array
from mutua.errors import DamagedModel, NoModel, UsageError
from mutua.store.models import ModelFolders


class Small:
    name = "small"

    def __init__(self, number: int) -> None:
        self.number = number

    def arrays(self) -> Mapping[str, Array]:
        return {"weights": np.full(3, self.number, np.float32)}

    def meta(self) -> Mapping[str, Any]:
        return {"number": self.number}


def saved(folder: Path, count: int, kept: int = 5) -> ModelFolders:
    models = ModelFolders(folder / "shop.models", kept)
    for number in range(1, count + 1):
        models.save(Small(number), sequence=number * 10, about={"recall@10": 0.5})
    return models


def spoil(models: ModelFolders, version: str) -> None:
    path = models.folder(version) / "weights.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    stored = saved(tmp_path, 2).load()
    assert (stored.version, stored.name, stored.note) == ("000002", "small", "")
    assert stored.arrays["weights"].tolist() == [2, 2, 2]
    assert stored.meta == {"number": 2}
    assert stored.about == {"recall@10": 0.5, "sequence": 20}


def test_only_the_newest_are_kept_and_numbers_go_on(tmp_path: Path) -> None:
    models = saved(tmp_path, 4, kept=2)
    assert models.versions() == ("000003", "000004")
    assert models.save(Small(5), sequence=50) == "000005"


def test_roll_back_puts_an_earlier_version_in_force(tmp_path: Path) -> None:
    models = saved(tmp_path, 3)
    assert models.roll_back() == "000002"
    assert models.roll_back("000001") == "000001"
    assert models.load().version == models.current() == "000001"
    with pytest.raises(UsageError, match="no earlier version"):
        models.roll_back()
    assert models.save(Small(4), sequence=40) == "000004"
    assert models.current() == "000004"


def test_the_version_in_force_is_never_dropped(tmp_path: Path) -> None:
    models = saved(tmp_path, 2)
    assert models.drop(models.versions()) == ("000001",)
    assert models.versions() == ("000002",)


def test_a_damaged_version_is_refused_and_the_one_before_serves(tmp_path: Path) -> None:
    models = saved(tmp_path, 3)
    spoil(models, "000003")
    with pytest.raises(DamagedModel, match="altered"):
        models.load("000003")
    stored = models.load()
    assert stored.version == "000002"
    assert "000003 is damaged" in stored.note
    with pytest.raises(DamagedModel):
        models.roll_back("000003")
    for version in models.versions():
        spoil(models, version)
    with pytest.raises(DamagedModel, match="learn again"):
        models.load()


def test_a_foreign_manifest_is_damage(tmp_path: Path) -> None:
    models = saved(tmp_path, 1)
    (models.folder("000001") / "manifest.json").write_text('{"schema":1,"kind":"x","files":{},"meta":{}}')
    with pytest.raises(DamagedModel, match="other content"):
        models.load("000001")
    assert models.learned_until("000001") > 10**18


def test_a_lost_pointer_means_the_newest(tmp_path: Path) -> None:
    models = saved(tmp_path, 2)
    (models.root / "current").unlink()
    assert models.load().version == "000002"


def test_no_model_says_so(tmp_path: Path) -> None:
    models = ModelFolders(tmp_path / "none")
    assert models.versions() == ()
    assert models.current() is None
    with pytest.raises(NoModel, match="learn first"):
        models.load()
    with pytest.raises(NoModel):
        saved(tmp_path, 1).load("000009")


def test_an_interrupted_save_is_seen_and_does_not_count(tmp_path: Path) -> None:
    models = saved(tmp_path, 1)
    (models.root / ".000002.77.part").mkdir()
    assert models.versions() == ("000001",)
    assert [path.name for path in models.leftovers()] == [".000002.77.part"]
