"""Errors, exit statuses, and the options that every command has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutua import recommender
from mutua.cli import exits
from mutua.cli.main import COMMANDS, main


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (["recomend"], 2, "usage"),
        (["recommend", "ann", "--nope"], 2, "usage"),
        (["recommend", "ann", "-n", "0"], 2, "usage"),
        (["recommend", "ann", "-n", "many"], 2, "usage"),
        (["recommend", "ann", "--where", "nope=1"], 2, "usage"),
        (["recommend", "ann", "--where", "price<=cheap"], 2, "usage"),
        (["recommend", "ann", "--exclude", "maybe"], 2, "config.invalid"),
        (["recommend", "ann", "--diversity", "7"], 2, "config.invalid"),
        (["recommend", "ann", "--cap", "brand"], 2, "usage"),
        (["recommend", "ann", "--pin", "first=milk"], 2, "config.invalid"),
        (["recommend", "ann", "--boost", "milk"], 2, "usage"),
        (["recommend", "ann", "--surface", "nope"], 2, "config.invalid"),
        (["recommend", "--event", "type=view"], 3, "field.invalid"),
        (["recommend", "--event", "item=milk,colour=red"], 3, "field.invalid"),
        (["recommend", "ann", "--now", "yesterday"], 3, "time.invalid"),
        (["explain", "ann"], 2, "usage"),
        (["explain", "ann", "nothing"], 3, "id.unknown"),
        (["learn", "--model", "nope"], 2, "part.unknown"),
        (["learn", "--budget", "long"], 2, "usage"),
        (["evaluate", "--protocol", "nope"], 2, "usage"),
        (["evaluate", "--cutoffs", "ten"], 2, "usage"),
        (["forget", "ann"], 2, "usage"),
        (["forget"], 2, "usage"),
        (["forget", "nobody", "--yes"], 3, "id.unknown"),
        (["forget", "--event", "nothing", "--yes"], 3, "id.unknown"),
        (["forget", "--verify", "nowhere.json"], 3, "file.unreadable"),
        (["profile", "nobody"], 3, "id.unknown"),
        (["profile", "ann", "--as-of", "soon"], 3, "time.invalid"),
        (["similar", "nothing"], 3, "id.unknown"),
        (["predict", "ann", "nothing"], 3, "id.unknown"),
        (["models", "rollback", "9"], 3, "model.none"),
        (["record"], 2, "usage"),
        (["record", "nowhere.csv"], 3, "file.unreadable"),
        (["record", "events.csv", "--map", "user=nope"], 3, "file.column-missing"),
        (["record", "events.csv", "--role", "nope"], 2, "usage"),
        (["backup", "mutua.db"], 2, "usage"),
        (["restore", "nowhere.db", "new.db"], 4, "backup.damaged"),
        (["lab", "run", "--protocol", "lightgcn", "--data", "."], 3, "file.unreadable"),
        (["lab", "run", "--protocol", "holdout", "--data", "nowhere.csv"], 3, "file.unreadable"),
        (["lab", "run", "--protocol", "holdout"], 2, "usage"),
        (["demo", "--users", "3", "--data", "events.csv"], 2, "usage"),
        (["doctor", "--store", "mysql:///x"], 2, "usage"),
        (["recommend", "ann", "--store", "sqlite:///nowhere.db"], 4, "store.failed"),
    ],
)
def test_errors_say_what_came_and_what_to_do(shop, line, status, code):
    as_json = shop(*line, "--json")
    assert (as_json.status, as_json.out) == (status, "")
    assert set(as_json.error) == {"code", "came", "expected", "do"}
    assert as_json.error["code"] == code
    assert all(as_json.error.values())
    for_people = shop(*line)
    assert for_people.status == status
    assert f"mutua: {code}\n  came      " in for_people.err
    assert "\n  expected  " in for_people.err
    assert "\n  to do     " in for_people.err


def test_a_misspelt_command_is_guessed(mutua):
    assert mutua("recomend", "--json").error["do"] == "did you mean `mutua recommend`?"


def test_a_second_writer_is_told_who_writes(shop):
    with recommender.Recommender.open("sqlite:///mutua.db"):
        found = shop("forget", "ann", "--yes", "--json")
    assert (found.status, found.error["code"]) == (exits.STORE, "store.locked")
    assert str(os.getpid()) in found.error["came"]


def test_no_model_is_said_plainly(mutua):
    Path("one.csv").write_text("user,item\nann,milk\n")
    assert mutua("record", "one.csv").status == 0
    assert mutua("explain", "ann", "milk", "--json").error["code"] == "model.none"
    assert mutua("predict", "ann", "milk", "--json").error["code"] == "model.not-supported"
    assert "no model has been learned" in mutua("recommend", "bob").out
    assert mutua("evaluate", "--json").error["code"] == "data.too-few"


def test_a_damaged_model_is_named(shop):
    next(Path("mutua.models/000002").glob("*.npy")).write_bytes(b"nonsense")
    assert "000002" in shop("models", "rollback", "000002", "--json").error["came"]
    assert shop("recommend", "ann", "--json").json["model_version"] == "000001"


def test_interrupts_and_faults_have_statuses_of_their_own(shop, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    def faulty(*_args, **_options):
        raise ZeroDivisionError("of our own")

    monkeypatch.setattr(recommender.Recommender, "recommend", interrupted)
    found = shop("recommend", "ann", "--json")
    assert (found.status, found.out, found.err) == (exits.INTERRUPTED, "", "mutua: interrupted\n")
    monkeypatch.setattr(recommender.Recommender, "recommend", faulty)
    found = shop("recommend", "ann", "--json")
    assert (found.status, found.error["code"]) == (exits.INTERNAL, "internal")
    assert "Traceback" not in shop("recommend", "ann").err
    assert "ZeroDivisionError: of our own" in shop("recommend", "ann").err
    assert "Traceback" in shop("recommend", "ann", "--debug").err


@pytest.mark.parametrize("before", [True, False])
def test_common_options_stand_before_or_after_the_command(shop, before):
    common = ["--store", "sqlite:///mutua.db", "--json", "--seed", "3", "--now", "2026-02-01T00:00:00Z"]
    line = [*common, "recommend", "ann"] if before else ["recommend", "ann", *common]
    assert shop(*line).json["now"] == "2026-02-01T00:00:00Z"


def test_what_stands_after_the_command_counts(shop):
    found = shop("--now", "log", "--json", "recommend", "ann", "--now", "2026-03-01")
    assert found.json["now"] == "2026-03-01T00:00:00Z"


def test_the_environment_names_the_store(shop, monkeypatch):
    Path("mutua.db").rename("other.db")
    Path("mutua.models").rename("other.models")
    monkeypatch.setenv("MUTUA_STORE", "sqlite:///other.db")
    assert shop("recommend", "ann", "--json").json["model_version"] == "000002"


def test_a_seed_gives_the_same_draws(shop):
    Path("mutua.toml").write_text("[surfaces.default]\nexplore = 0.9\nexclude = 'off'\n")
    line = ["recommend", "ann", "--json", "--now", "log", "-n", "5", "--seed"]
    first, again, other = (shop(*line, seed).json["items"] for seed in ("1", "1", "2"))
    assert first == again
    assert [entry["item"] for entry in first] != [entry["item"] for entry in other]


def test_output_is_plain_where_nobody_looks(shop):
    found = shop("recommend", "ann", "--explain")
    assert "\x1b" not in found.out + found.err


def test_with_json_stderr_stays_empty(shop):
    for line in (
        ["learn"],
        ["record", "events.csv"],
        ["evaluate", "--budget", "0", "--fraction", ".5"],
        ["backup", "b.db"],
    ):
        found = shop(*line, "--json")
        assert (found.status, found.err) == (0, "")
        json.loads(found.out)


def test_help_names_every_command_and_imports_none():
    probe = (
        "import sys\nfrom mutua.cli.main import main\nstatus = main(['--help'])\n"
        "heavy = {'numpy', 'polars', 'scipy', 'numba', 'rich', 'msgspec', 'pandas'} & set(sys.modules)\n"
        "print(status, sorted(heavy))"
    )
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("0 []")
    assert all(f"  {name} " in found.stdout for name in COMMANDS)


def test_importing_the_package_imports_nothing_heavy():
    probe = (
        "import sys, mutua\nprint(len([m for m in sys.modules if m.partition('.')[0] in "
        + repr(["numpy", "polars", "scipy", "numba", "msgspec", "torch", "pandas", "rich", "typer", "fastapi"])
        + "]))"
    )
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0"


def test_without_arguments_there_is_help(mutua):
    found = mutua()
    assert found.status == 0
    assert "Commands:" in found.out


def test_a_reader_that_goes_away_ends_it_quietly(made):
    line = [sys.executable, "-c", "from mutua.cli.main import run; run()", "quarantine", "--json"]
    store = {"MUTUA_STORE": f"sqlite:///{made / 'mutua.db'}"}
    read, write = os.pipe()
    os.close(read)
    found = subprocess.run(
        line, stdout=write, stderr=subprocess.PIPE, text=True, env={**os.environ, **store}, check=False
    )
    os.close(write)
    assert (found.returncode, found.stderr) == (exits.CUT_OFF, "")


def test_every_command_has_help(mutua):
    for name in COMMANDS:
        found = mutua(name, "--help")
        assert found.status == 0
        assert "--json" in found.out or "Commands:" in found.out


def test_main_without_a_list_reads_the_process_arguments(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mutua", "--help"])
    assert main() == 0
    assert "Commands:" in capsys.readouterr().out
