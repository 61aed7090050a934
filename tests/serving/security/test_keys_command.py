"""`mutua keys`: make, list and take back."""

import json

import pytest

from mutua.cli.main import main
from mutua.serving.security.keys import KeyRing


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Returns what runs a command line in an empty folder and gives status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MUTUA_STORE", raising=False)

    def called(*line):
        capsys.readouterr()
        status = main(["keys", *line, "--store", "sqlite:///shop.db"])
        return (status, *capsys.readouterr())

    return called


def test_a_key_is_made_used_listed_and_taken_back(run, tmp_path):
    status, out, _ = run("create", "--scope", "read", "--scope", "write", "--label", "web", "--json")
    made = json.loads(out)
    assert status == 0
    assert made["tenant"] == "shop"
    ring = KeyRing.load(tmp_path / "shop.keys")
    assert ring.check(made["key"]).scopes == {"read", "write"}

    _, out, _ = run("list", "--json")
    assert made["key"] not in out
    assert json.loads(out)["keys"] == [{name: value for name, value in made.items() if name != "key"}]

    status, out, _ = run("revoke", made["id"], "--json")
    assert (status, json.loads(out)["left"]) == (0, 0)
    assert ring.check(made["key"]) is None


def test_a_person_reads_the_key_on_a_line_of_its_own(run, tmp_path):
    _, out, _ = run("create", "--scope", "admin", "--tenant", "acme")
    said, key = out.splitlines()
    assert "not shown again" in said
    assert KeyRing.load(tmp_path / "shop.keys").check(key).tenant == "acme"
    _, out, _ = run("list")
    assert "acme" in out
    assert key not in out


def test_no_key_is_said_in_words(run):
    assert "No key was made" in run("list")[1]


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (["create", "--scope", "everything"], 2, "usage"),
        (["create"], 2, "usage"),
        (["create", "--scope", "read", "--tenant", "../other"], 2, "usage"),
        (["revoke", "abc"], 3, "id.unknown"),
    ],
)
def test_what_cannot_be_done_has_a_code(run, line, status, code):
    found, _, err = run(*line, "--json")
    assert (found, json.loads(err)["code"]) == (status, code)


@pytest.mark.usefixtures("run")
def test_a_store_whose_name_cannot_stand_in_a_key_needs_a_tenant(capsys):
    assert main(["keys", "create", "--scope", "read", "--store", "sqlite:///My Shop.db"]) == 2
    assert "--tenant" in capsys.readouterr().err
