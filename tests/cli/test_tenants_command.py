"""`mutua tenants`, and `--tenant` on every other command."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import EVENTS, Run

SHOPS = ("--store", "sqlite:///shops/")


@pytest.fixture
def shops(mutua: Run, tmp_path: Path) -> Run:
    """Returns what runs a command line beside a folder of two tenants, the first with events and a model."""
    (tmp_path / "events.csv").write_text(EVENTS)
    for line in (
        ["tenants", "create", "acme"],
        ["tenants", "create", "rival"],
        ["--tenant", "acme", "record", "events.csv"],
    ):
        done = mutua(*SHOPS, "--json", *line)
        assert done.status == 0, done.err
    return mutua


def test_a_tenant_is_made_listed_and_removed(shops: Run, tmp_path: Path) -> None:
    listed = shops(*SHOPS, "--json", "tenants", "list").json["tenants"]
    assert [(row["tenant"], row["events"], row["keys"]) for row in listed] == [("acme", 11, 0), ("rival", 0, 0)]
    assert shops(*SHOPS, "tenants", "create", "acme").status == 2
    refused = shops(*SHOPS, "--json", "tenants", "remove", "acme")
    assert (refused.status, refused.error["code"]) == (2, "usage")
    done = shops(*SHOPS, "--json", "tenants", "remove", "acme", "--yes").json
    assert (done["events"], done["left"]) == (11, [])
    assert [path.name for path in (tmp_path / "shops").glob("acme*")] == []
    assert "acme" not in shops(*SHOPS, "tenants", "list").out
    assert (tmp_path / "shops").stat().st_mode & 0o077 == 0


def test_names_with_tricks_make_nothing(shops: Run, tmp_path: Path) -> None:
    for name in ("../out", "a/b", "Acme", "nul", "a.b"):
        for command in ("create", "remove"):
            refused = shops(*SHOPS, "--json", "tenants", command, name)
            assert (refused.status, refused.error["code"]) == (2, "usage")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.csv", "shops"]


COMMANDS = [
    ["record", "events.csv"],
    ["recommend", "ann"],
    ["explain", "ann", "milk"],
    ["learn"],
    ["evaluate"],
    ["forget", "ann", "--yes"],
    ["profile", "ann"],
    ["similar", "milk"],
    ["predict", "ann", "milk"],
    ["models", "list"],
    ["models", "rollback"],
    ["quarantine"],
    ["keys", "create", "--scope", "read"],
]


def test_where_one_store_is_meant_a_tenant_must_be_named(shops: Run) -> None:
    for line in COMMANDS:
        for more, code in (([], "tenant.missing"), (["--tenant", "third"], "tenant.unknown")):
            refused = shops(*SHOPS, *more, "--json", *line)
            assert (refused.status, refused.error["code"]) == (2, code), line


def test_commands_act_on_the_tenant_alone(shops: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert shops(*SHOPS, "--tenant", "acme", "--json", "learn", "--model", "popularity").status == 0
    assert (tmp_path / "shops" / "acme.models").is_dir()
    assert shops(*SHOPS, "--tenant", "acme", "--json", "recommend", "ann").json["items"]
    monkeypatch.setenv("MUTUA_TENANT", "rival")
    assert shops(*SHOPS, "--json", "recommend", "ann").json["items"] == []
    assert shops(*SHOPS, "--json", "models", "list").json["versions"] == []
    assert not (tmp_path / "shops" / "rival.models").exists()


def test_doctor_keys_and_backup_mean_all_where_none_is_named(shops: Run) -> None:
    keys = {
        tenant: shops(*SHOPS, "--tenant", tenant, "--json", "keys", "create", "--scope", "read").json
        for tenant in ("acme", "rival")
    }
    assert keys["acme"]["key"].startswith("mu_acme_")
    listed = shops(*SHOPS, "--json", "keys", "list").json["keys"]
    assert [row["tenant"] for row in listed] == ["acme", "rival"]
    assert shops(*SHOPS, "--json", "keys", "revoke", keys["rival"]["id"]).json["left"] == 0
    one = shops(*SHOPS, "--tenant", "acme", "--json", "keys", "list").json["keys"]
    assert [row["id"] for row in one] == [keys["acme"]["id"]]
    found = shops(*SHOPS, "--json", "doctor").json["findings"]
    assert {finding["tenant"] for finding in found} == {"", "acme", "rival"}
    copies = shops(*SHOPS, "--json", "backup", "copies").json["tenants"]
    assert {tenant: copy["events"] for tenant, copy in copies.items()} == {"acme": 11, "rival": 0}
    assert shops("--store", "sqlite:///copies/", "--tenant", "acme", "--json", "recommend", "ann").status == 0
    assert shops(*SHOPS, "--json", "backup", "copies").error["code"] == "usage"


def test_tenants_need_a_folder(mutua: Run) -> None:
    refused = mutua("--store", "sqlite:///shop.db", "--json", "tenants", "list")
    assert (refused.status, refused.error["code"]) == (2, "usage")
