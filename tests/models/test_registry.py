"""Models by name, with settings read from text; saved and restored, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mutua.core import arrays
from mutua.errors import ConfigError, DamagedModel, UnknownPart
from mutua.models.base import Learner
from mutua.models.linear.ease import Ease
from mutua.models.linear.ials import Ials
from mutua.models.linear.item_knn import ItemKnn
from mutua.models.registry import learner, learner_class, models
from mutua.models.saving import about, restore, save
from mutua.testing.planted import planted


@pytest.mark.parametrize("name", models())
def test_every_name_leads_to_its_learner(name: str) -> None:
    found = learner(name)
    assert isinstance(found, Learner)
    assert found.name == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ease", Ease()),
        ("ease: ridge = 20 , neighbours=7", Ease(ridge=20.0, neighbours=7)),
        ("ials:factors=8,unobserved=1e-2,transform=binary", Ials(factors=8, unobserved=0.01, transform="binary")),
        ("item-knn:", ItemKnn()),
    ],
)
def test_settings_are_read(text: str, expected: Learner) -> None:
    assert learner(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("ease:rigde=20", "'ridge'"),
        ("ease:ridge", "did you mean"),
        ("ease:ridge=much", "a number"),
        ("ease:neighbours=1.5", "a whole number"),
        ("ease:ridge=0", "at least"),
        ("ease:ridge=nan", "at least"),
        ("ease:transform=cubic", "binary, log, linear"),
        ("frequency:half_life=77", "half_life among"),
        ("ease:__class__=1", "settings among"),
    ],
)
def test_wrong_settings_are_refused(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        learner(text)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownPart, match="did you mean 'item-knn'"):
        learner_class("itemknn")


def test_what_stands_beside_a_model_comes_back(tmp_path: Path) -> None:
    model = learner("popularity").learn(planted())
    save(tmp_path / "one", model, {"version": "1", "metrics": {"ndcg@10": 0.5}})
    assert about(tmp_path / "one") == {"version": "1", "metrics": {"ndcg@10": 0.5}}
    assert restore(tmp_path / "one").name == "popularity"


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "one", learner("popularity").learn(planted()))
    file = tmp_path / "one" / "counts.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(DamagedModel, match="altered"):
        restore(tmp_path / "one")


@pytest.mark.parametrize(("kind", "part"), [("telepathy", "telepathy"), ("ease", "KeyError")])
def test_arrays_of_another_model_are_refused(tmp_path: Path, kind: str, part: str) -> None:
    arrays.save(tmp_path / "one", kind, {"counts": np.zeros(3)}, {"model": {}})
    with pytest.raises(DamagedModel, match=part):
        restore(tmp_path / "one")
