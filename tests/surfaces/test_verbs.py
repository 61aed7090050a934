"""Verb × surface: the table of the docs is that of the code, and both surfaces give the same answers."""

import inspect
import json
import re
from pathlib import Path

import pytest

from mutua import Recommender
from mutua.cli.main import COMMANDS, main
from mutua.voice import Voice
from serving_shop import run

PAGE = Path(__file__).parents[2] / "docs" / "verbs.md"
ROW = re.compile(
    r"^\| (?P<verb>[a-z ]+) \| (?P<library>[^|]*) \| (?P<command>[^|]*) \| (?P<http>[^|]*) \|", re.MULTILINE
)


def named(column: str, pattern: str) -> set[str]:
    """Returns what `pattern` finds in a column of the table."""
    cells = [row[column] for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    return {name for cell in cells for name in re.findall(pattern, cell)}


def test_the_table_names_every_method_and_every_command():
    methods = {name for name, _ in inspect.getmembers(Recommender, callable) if not name.startswith("_")}
    assert named("library", r"`(\w+)\(") == methods
    assert named("command", r"`mutua (\w+)") == set(COMMANDS)


def test_the_table_names_paths_that_the_server_has(tmp_path):
    async def scenario(service, client):  # noqa: ARG001
        return (await client.get("/openapi.json")).json()["paths"]

    paths = run(tmp_path, scenario)
    for method, path in (request.split() for request in named("http", r"`([A-Z]+ /[^`]*)`")):
        assert method.lower() in paths[path], (method, path)


@pytest.fixture
def url(tmp_path, monkeypatch):
    """Returns the store of a small shop."""
    monkeypatch.chdir(tmp_path)
    rows = [
        f"u{user},i{item},purchase,{1 + user % 5},2026-01-{1 + item:02d}"
        for user in range(9)
        for item in range(user % 3, 12, 2)
    ]
    Path("events.csv").write_text("\n".join(["user,item,type,value,time", *rows, "u1,i2,rating,4,2026-02-01"]) + "\n")
    address = "sqlite:///shop.db"
    with Recommender.open(address) as shop:
        shop.record_file("events.csv")
        shop.learn()
    return address


def asked(capsys, url, *line):
    """Returns the document that a command prints."""
    capsys.readouterr()
    assert main([*line, "--store", url, "--json", "--now", "log"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def shop(url):
    """Returns the library on the same store."""
    with Recommender.open(url, now="log", write=False) as opened:
        yield opened


def test_recommend(capsys, url, shop):
    ours, theirs = (
        shop.recommend("u1", 5, explained=True),
        asked(capsys, url, "recommend", "u1", "-n", "5", "--explain"),
    )
    assert [entry["item"] for entry in theirs["items"]] == list(ours.ids)
    assert [entry["score"] for entry in theirs["items"]] == pytest.approx([entry.score for entry in ours.items])
    said = Voice.of(shop, "u1").slate(ours)["items"]
    assert [entry["words"] for entry in theirs["items"]] == [entry["words"] for entry in said]


def test_explain(capsys, url, shop):
    ours, theirs = shop.explain("u1", "i3"), asked(capsys, url, "explain", "u1", "i3")
    assert theirs["score"] == pytest.approx(ours.score)
    assert [reason["amount"] for reason in theirs["reasons"]] == pytest.approx([one.amount for one in ours.reasons])


def test_profile(capsys, url, shop):
    assert asked(capsys, url, "profile", "u1") == json.loads(json.dumps(shop.profile("u1").as_dict()))


def test_similar(capsys, url, shop):
    theirs = asked(capsys, url, "similar", "i3", "-n", "4")
    assert [entry["item"] for entry in theirs["items"]] == list(shop.similar("i3", 4).ids)


def test_predict(capsys, url, shop):
    ours, theirs = shop.predict("u2", "i2"), asked(capsys, url, "predict", "u2", "i2")
    assert (theirs["value"], theirs["low"], theirs["high"]) == pytest.approx((ours.value, ours.low, ours.high))


def test_evaluate(capsys, url, shop):
    from mutua import Options

    options = Options("holdout", url, ("popularity",), fraction=0.3, budget=0.0)
    ours = shop.evaluate(options).results["popularity"].metrics["ndcg@10"]
    line = ["evaluate", "--model", "popularity", "--fraction", "0.3", "--budget", "0"]
    theirs = asked(capsys, url, *line)["results"]["popularity"]["metrics"]["ndcg@10"]
    assert (theirs["value"], theirs["low"], theirs["high"]) == pytest.approx((ours.value, ours.low, ours.high))


def test_record_and_learn_and_forget(capsys, tmp_path, url):
    Path("more.csv").write_text("user,item,type,time\nu1,i0,purchase,2026-03-01\n")
    recorded = asked(capsys, url, "record", "more.csv")["total"]
    learned = asked(capsys, url, "learn", "--model", "popularity")
    forgotten = asked(capsys, url, "forget", "u2", "--yes")
    with Recommender.open(f"sqlite:///{tmp_path}/other.db") as other:
        other.record_file("events.csv")
        ours = other.record_file("more.csv")
        assert (recorded["accepted"], recorded["mapping"]) == (ours.accepted, ours.mapping)
        assert learned["events"] == other.learn("popularity").events
        assert forgotten["counts"] == other.forget("u2").counts
