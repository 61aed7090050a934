"""Settings: code beats environment beats file beats default; what is wrong is refused with who gave it and where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mutua.config import KEY, LearnSettings, Loaded, Settings, StoreSettings, load, settings_files, tenant_key
from mutua.errors import ConfigError
from mutua.events.types import DEFAULT_TYPES, EventType
from mutua.pipeline.spec import Boost, Surface

WHOLE = """
seed = 7

[store]
url = "sqlite:///file.db"

[learn]
budget = 2.5

[types.purchase]
weight = 5

[types.wishlist]
weight = 1.5
aliases = ["wished"]

[surfaces.home]
exclude = "on"
diversity = 0.2
where = ["available", "price<=5"]
caps = { brand = 2 }
pins = { 1 = "milk", 3 = "rye" }

[[surfaces.home.boosts]]
where = "category=bakery"
factor = 1.5

[surfaces."deep-page"]
explore = 0.02
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mutua.toml"
    path.write_text(WHOLE)
    return path


def loaded(
    text: str, tmp_path: Path, environment: Mapping[str, str] | None = None, code: Mapping[str, Any] | None = None
) -> Loaded:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return load(path, environment or {}, code)


def refused(text: str, tmp_path: Path, **given: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(text, tmp_path, **given)
    assert caught.value.code == "config.invalid"
    return caught.value


def test_what_each_source_gives_and_who_gave_it(file: Path) -> None:
    found = load(file, {"MUTUA_STORE": "sqlite:///env.db", "MUTUA_BUDGET": "9"}, {"store": {"url": "sqlite:///c.db"}})
    assert found.settings.store.url == "sqlite:///c.db"
    assert found.settings.learn == LearnSettings("default", 9.0)
    assert found.settings.seed == 7
    assert found.origin("store.url") == "code"
    assert found.origin("learn.budget") == "environment MUTUA_BUDGET"
    assert found.origin("seed") == f"file {file}"
    assert found.origin("surfaces.home.diversity") == f"file {file}"
    assert found.origin("learn.model") == "default"


def test_the_environment_beats_the_file(file: Path) -> None:
    given = {"MUTUA_STORE": "sqlite:///env.db", "MUTUA_SEED": "3", "MUTUA_MODEL": "ease", "MUTUA_OTHER": "x"}
    found = load(file, given).settings
    assert (found.store.url, found.seed, found.learn.model) == ("sqlite:///env.db", 3, "ease")
    assert load(file, {"MUTUA_SEED": ""}).settings.seed == 7


def test_without_any_source_there_are_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MUTUA_STORE", "MUTUA_SEED", "MUTUA_MODEL", "MUTUA_BUDGET"):
        monkeypatch.delenv(name, raising=False)
    found = load()
    assert found.settings == Settings()
    assert dict(found.origins) == {}
    (tmp_path / "mutua.toml").write_text("seed = 4")
    monkeypatch.setenv("MUTUA_MODEL", "ials")
    assert load().settings.seed == 4
    assert load().settings.learn.model == "ials"
    assert load().origin("seed") == "file mutua.toml"


def test_surfaces_are_read_whole(file: Path) -> None:
    settings = load(file, {}).settings
    assert settings.surface("home") == Surface(
        exclude="on",
        where=("available", "price<=5"),
        diversity=0.2,
        caps={"brand": 2},
        pins={1: "milk", 3: "rye"},
        boosts=(Boost("category=bakery", 1.5),),
    )
    assert settings.surface("deep-page").explore == 0.02
    assert settings.surface() == Surface()
    assert Settings(surfaces={"default": Surface(exclude="off")}).surface().exclude == "off"
    with pytest.raises(ConfigError, match=r"deep-page.*declare \[surfaces.start\]"):
        settings.surface("start")


def test_declared_types_lie_over_the_defaults(file: Path) -> None:
    types = load(file, {}).settings.declared_types
    assert types["wishlist"] == EventType(1.5, aliases=("wished",))
    assert types["view"] == DEFAULT_TYPES["view"]
    assert types["purchase"].weight == 5
    assert types["purchase"].aliases == DEFAULT_TYPES["purchase"].aliases
    assert list(types)[: len(DEFAULT_TYPES)] == list(DEFAULT_TYPES)


@pytest.mark.parametrize(
    ("text", "line", "path", "near"),
    [
        ("sed = 1", 1, "sed", "seed"),
        ("[stoer]\nurl = 'x'", 1, "stoer", "store"),
        ("seed = 1\n# urll\n[store]\nurll = 'x'", 4, "store.urll", "url"),
        (
            "[surfaces.home]\ndiversity = 0.1\n[surfaces.list]\n\ndiversty = 0.1",
            5,
            "surfaces.list.diversty",
            "diversity",
        ),
        ("store.urll = 'x'", 1, "store.urll", "url"),
        ("[surfaces.home]\nboosts = [{where = 'x', factr = 2}]", 2, "surfaces.home.boosts", "factor"),
        ("[types.view]\nwheight = 2", 2, "types.view.wheight", "weight"),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest(
    text: str, line: int, path: str, near: str, tmp_path: Path
) -> None:
    error = refused(text, tmp_path)
    assert error.came.startswith(f"file {tmp_path / 'settings.toml'}, line {line}: {path}")
    assert error.do == f"did you mean {near!r}?"


def test_a_key_like_no_other_is_to_be_removed(tmp_path: Path) -> None:
    assert refused("zzz = 1", tmp_path).do == "correct or remove this key"


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        ("\nseed = 'x'", 2, "seed"),
        ("store = 3", 1, "store"),
        ("[learn]\nbudget = -1", 2, "learn.budget"),
        ("[surfaces.home]\ndiversity = 1.5", 2, "surfaces.home.diversity"),
        ("[surfaces.home]\nexclude = 'never'", 2, "surfaces.home.exclude"),
        ("[surfaces.home]\npins = { 0 = 'milk' }", 2, "surfaces.home.pins"),
        ("[surfaces.home]\ncaps = { brand = 0 }", 2, "surfaces.home.caps.brand"),
        ("[surfaces.home.caps]\nbrand = 0", 2, "surfaces.home.caps.brand"),
        ("[[surfaces.home.boosts]]\nwhere = 'x'\nfactor = -1", 1, "surfaces.home.boosts"),
        ("[types.view]\nrole = 3", 2, "types.view.role"),
        ("[types]\nview = 3", 2, "types.view"),
        ("[cleaning]\nbot_events_per_day = 'many'", 2, "cleaning.bot_events_per_day"),
    ],
)
def test_a_bad_value_is_refused_with_its_line(text: str, line: int, path: str, tmp_path: Path) -> None:
    assert refused(text, tmp_path).came.startswith(f"file {tmp_path / 'settings.toml'}, line {line}: {path}: ")


def test_who_gave_a_bad_value_is_named(tmp_path: Path) -> None:
    assert refused("", tmp_path, environment={"MUTUA_SEED": "x"}).came.startswith("environment MUTUA_SEED: seed: ")
    assert refused("seed = 1", tmp_path, code={"learn": {"budgt": 1}}).came.startswith("code: learn.budgt: ")
    assert refused("seed = 1", tmp_path, code={"seed": "x"}).came.startswith("code: seed: ")
    assert "a table [store]" in str(refused("store = 3", tmp_path, environment={"MUTUA_STORE": "x"}))


def test_of_several_surfaces_the_one_that_is_wrong_is_named(tmp_path: Path) -> None:
    error = refused("[surfaces.a]\ndiversity = 0.5\n[surfaces.b]\ndiversity = 2.0", tmp_path)
    assert "line 4: surfaces.b.diversity: " in error.came
    error = refused("[surfaces.a]\npool = 3\n[surfaces.b]\npool = 3\nwhere = ['available', '=']", tmp_path)
    assert "line 5: surfaces.b.where: rule '='" in error.came


@pytest.mark.parametrize("text", ["a = [", "= 3", "[store\n", "seed = 1\nseed = 2"])
def test_what_is_no_toml_is_refused(text: str, tmp_path: Path) -> None:
    assert "valid TOML" in str(refused(text, tmp_path))


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ConfigError, match="a readable TOML file"):
            load(path, {})
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="readable"):
        load(tmp_path / "latin.toml", {})


def test_the_key_of_a_sealed_store_comes_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    assert tenant_key(StoreSettings()) is None
    assert tenant_key(StoreSettings(seal=True), {KEY: "ab" * 32}) == b"\xab" * 32
    for given in ({}, {KEY: "short"}, {KEY: "zz" * 32}):
        with pytest.raises(ConfigError, match=KEY) as caught:
            tenant_key(StoreSettings(seal=True), given)
        assert "short" not in str(caught.value)


def test_a_sealed_shop_keeps_attributes_out_of_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mutua import Recommender

    pytest.importorskip("cryptography")
    monkeypatch.setenv(KEY, "12" * 32)
    url, settings = f"sqlite:///{tmp_path / 'shop.db'}", Settings(store=StoreSettings(seal=True))
    said = {"kind": "user-upsert", "user": "ann", "attributes": {"plan": "gold-and-unmistakable"}}
    with Recommender.open(url, settings=settings) as shop:
        shop.record(said)
        assert shop.profile("ann").attributes["plan"].value == "gold-and-unmistakable"
    assert all(b"unmistakable" not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    with Recommender.open(url, settings=settings, write=False) as shop:
        assert shop.profile("ann").attributes["plan"].value == "gold-and-unmistakable"


def test_the_file_beside_a_store_counts_over_the_file_of_all_and_under_the_environment(file: Path) -> None:
    folder = file.parent / "shops"
    folder.mkdir()
    (folder / "acme.toml").write_text("seed = 8\n[learn]\nbudget = 3\n[surfaces.cart]\ndiversity = 0.1\n")
    named = {"store": {"url": f"sqlite:///{folder}/", "tenant": "acme"}}
    for store in (named, {"store": {"url": f"sqlite:///{folder}/acme.db"}}):
        found = load(file, {"MUTUA_BUDGET": "4"}, store)
        assert found.settings.seed == 8
        assert found.settings.learn.budget == 4
        assert set(found.settings.surfaces) == {"home", "deep-page", "cart"}
        assert found.origin("seed") == f"file {folder / 'acme.toml'}"
        assert found.origin("surfaces.home.diversity") == f"file {file}"
    for url in (f"sqlite:///{folder}/globex.db", f"sqlite:///{folder}/", "sqlite:///:memory:"):
        assert load(file, {}, {"store": {"url": url}}).settings.seed == 7


def test_the_file_beside_a_store_is_refused_with_its_own_name_and_line(file: Path) -> None:
    own, store = file.with_name("shop.toml"), {"store": {"url": f"sqlite:///{file.with_name('shop.db')}"}}
    own.write_text("\n\n[surfaces.home]\ndiversity = 3\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {}, store)
    assert caught.value.came.startswith(f"file {own}, line 4: surfaces.home.diversity: ")
    own.write_text("[store]\nurl = 'sqlite:///other.db'\n")
    with pytest.raises(ConfigError, match=r"store\.url.*stands beside"):
        load(file, {}, store)


def test_a_store_called_as_the_file_of_all_has_that_file(tmp_path: Path) -> None:
    file = tmp_path / "mutua.toml"
    file.write_text(f"[store]\nurl = 'sqlite:///{tmp_path / 'mutua.db'}'\n")
    assert load(file, {}).settings.store.url.endswith("mutua.db")
    assert settings_files(f"sqlite:///{tmp_path / 'shop.db'}") == (tmp_path / "shop.toml", Path("mutua.toml"))
    assert settings_files("sqlite:///:memory:") == (Path("mutua.toml"),)
