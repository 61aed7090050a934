"""An experiment, served: sticky variants in answers and the log of slates, and the same comparison on every surface."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from mutua import Recommender, Surface, load
from mutua.cli.main import main
from mutua.errors import ConfigError, NotEnoughData
from mutua.serving.service import Service
from recommender_shop import NOW, built, copied
from serving_shop import run

TOML = """
[surfaces.home]
explore = 0
[surfaces.cheap]
explore = 0
where = ["price<=3"]
[experiments.thrift]
surface = "home"
[experiments.thrift.variants.as-ever]
surface = "home"
share = 0.5
[experiments.thrift.variants.thrifty]
surface = "cheap"
share = 0.5
"""


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("variants"))


def test_variants_are_sticky_named_logged_and_compared(
    stocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = copied(stocked, tmp_path)
    monkeypatch.chdir(shop)
    Path("mutua.toml").write_text(TOML)
    settings = load(Path("mutua.toml"), environment={}).settings
    asked = [f"u{number}" for number in range(24)]

    async def scenario(service: Service, client: httpx.AsyncClient) -> tuple[dict[str, str], object]:
        found = {}
        for user in asked:
            answer = (await client.get(f"/v1/users/{user}/recommendations?surface=home&n=5")).json()
            found[user] = answer["variant"]
            assert answer["surface"] == "home"
            logged = service.slates.get(answer["slate"])
            assert logged is not None
            assert (logged.surface, logged.variant) == ("home", answer["variant"])
            items = [entry["item"] for entry in answer["items"]]
            seen = {"user": user, "slate": answer["slate"], "items": items, "time": NOW / 1e6}
            await client.post("/v1/impressions", json={"impressions": [seen]})
            if answer["variant"] == "thrift/thrifty":
                assert all(item.rpartition("-")[2] in "012" and "grocery" in item for item in items)
                bought = {"user": user, "item": items[0], "type": "purchase", "value": 2, "time": NOW / 1e6 + 9}
                await client.post("/v1/events", json={"events": [{**bought, "slate": answer["slate"]}]})
        narrowed = {"user": asked[0], "surface": "home", "where": ["available"]}
        assert (await client.post("/v1/recommend", json=narrowed)).json()["variant"] == found[asked[0]]
        visit = {"surface": "home", "context": {"session": "s1"}}
        sessions = [(await client.post("/v1/recommend", json=visit)).json()["variant"] for _ in range(2)]
        assert sessions[0] == sessions[1] != ""
        assert (await client.post("/v1/recommend", json={"surface": "home"})).json()["variant"] == ""
        told = (await client.get("/v1/experiments/thrift")).json()
        assert (await client.get("/v1/experiments/other")).json()["code"] == "data.too-few"
        return found, told

    found, told = run(shop, scenario, settings)
    again, _ = run(copied(stocked, tmp_path / "again"), scenario, settings)
    assert again == found
    assert set(found.values()) == {"thrift/as-ever", "thrift/thrifty"}

    capsys.readouterr()
    assert main(["evaluate", "--experiment", "thrift", "--store", "sqlite:///shop.db", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == told
    thrifty = document["variants"]["thrifty"]
    assert list(document["variants"]) == ["as-ever", "thrifty"]
    assert thrifty["metrics"]["conversion"]["value"] == 1
    assert thrifty["metrics"]["value_per_user"]["value"] == pytest.approx(2, abs=0.3)
    assert thrifty["differences"]["conversion"]["p_holm"] < 0.05
    assert thrifty["users"] in (list(found.values()).count("thrift/thrifty") + extra for extra in (0, 1))
    with Recommender.open("sqlite:///shop.db", settings=settings, now=NOW, write=False) as library:
        assert library.evaluate("thrift").variants["thrifty"].users == thrifty["users"]
        mine = library.recommend("u0", 5, surface="home")
        assert mine.variant == found["u0"]
        assert library.recommend("u0", 5, surface=Surface()).variant == ""
        with pytest.raises(NotEnoughData):
            library.evaluate("other")


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (("share = 0.5", "share = 0.8"), 7, "shares of 1.6"),
        (('surface = "cheap"', 'surface = "cheep"'), 7, "cheep"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, why: str
) -> None:
    file = tmp_path / "mutua.toml"
    file.write_text(TOML.replace(*change))
    with pytest.raises(ConfigError, match=why) as caught:
        load(file, environment={})
    assert f"line {line}:" in caught.value.came
