"""Arrays on disk: what is saved comes back, and anything altered is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from mutua.core import arrays
from mutua.errors import DamagedModel

dtypes = st.sampled_from([np.float64, np.float32, np.int32, np.int64, np.int16, np.bool_])
some_arrays = dtypes.flatmap(lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=1, min_side=0)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["w", "rows", "cold-map"]), some_arrays))
def test_what_is_saved_comes_back(tmp_path: Path, saved: dict[str, arrays.Array]) -> None:
    folder = tmp_path / f"m{len(list(tmp_path.iterdir()))}"
    arrays.save(folder, "test", saved, {"seed": 3, "names": ["a", "b"]})
    loaded, meta = arrays.load(folder, "test")
    assert meta == {"seed": 3, "names": ["a", "b"]}
    assert loaded.keys() == saved.keys()
    for name, array in saved.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    arrays.save(tmp_path / "m", "test", {"w": np.arange(10.0)}, {})
    return tmp_path / "m"


def test_nothing_is_left_aside(folder: Path) -> None:
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def test_a_flipped_byte_is_refused(folder: Path) -> None:
    content = bytearray((folder / "w.npy").read_bytes())
    content[-3] ^= 1
    (folder / "w.npy").write_bytes(content)
    with pytest.raises(DamagedModel, match=r"w\.npy is missing or altered"):
        arrays.load(folder, "test")


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "w.npy").unlink()
    with pytest.raises(DamagedModel, match="missing"):
        arrays.load(folder, "test")


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"schema": "x"}', '{"schema":1,"kind":"test","files":{},"meta":{},"x":1}']
)
def test_a_broken_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DamagedModel) as caught:
        arrays.load(folder, "test")
    assert caught.value.code == "model.damaged"


def test_another_kind_and_a_newer_schema_are_refused(folder: Path) -> None:
    with pytest.raises(DamagedModel, match="of kind 'test'"):
        arrays.load(folder, "other")
    text = (folder / "manifest.json").read_text().replace('"schema": 1', '"schema": 2')
    (folder / "manifest.json").write_text(text)
    with pytest.raises(DamagedModel, match="schema 2"):
        arrays.load(folder, "test")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedModel):
        arrays.load(tmp_path / "never", "test")


def test_objects_are_never_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="only plain arrays"):
        arrays.save(tmp_path / "m", "test", {"w": np.array([{}], dtype=object)}, {})
    assert not (tmp_path / "m").exists()


def test_an_existing_model_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(OSError, match="not empty"):
        arrays.save(folder, "test", {"w": np.zeros(1)}, {})
    np.testing.assert_array_equal(arrays.load(folder, "test")[0]["w"], np.arange(10.0))


def test_many_may_load_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays.save(tmp_path / "made", "kind", {f"a{n}": np.arange(n) for n in range(20)}, {})
    loading, read = [0, 0], np.load

    def load(*given: object, **named: object) -> object:
        loading[0] += 1
        loading[1] = max(loading)
        try:
            return read(*given, **named)
        finally:
            loading[0] -= 1

    monkeypatch.setattr(arrays.np, "load", load)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(arrays.load(tmp_path / "made", "kind")[0]), range(50)))
    assert found == [20] * 50
    assert loading == [0, 1]
