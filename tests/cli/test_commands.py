"""Every command: its answer as one JSON document, and for a person."""

import io
import sys
from pathlib import Path

import pytest


def test_record_tells_what_became_of_every_row(shop):
    Path("more.csv").write_text("user,item,type,time\nfay,tea,purchase,2026-01-07\n,tea,purchase,2026-01-07\n")
    found = shop("record", "more.csv", "--json")
    assert found.status == 0
    assert (found.json["total"]["accepted"], found.json["total"]["quarantined"]) == (1, {"id.invalid": 1})
    assert found.json["files"][0]["path"] == "more.csv"
    assert found.json["files"][0]["mapping"].startswith("user=user,item=item")


def test_recording_the_same_file_again_changes_nothing(shop):
    found = shop("record", "events.csv", "--json").json["total"]
    assert (found["accepted"], found["duplicates"]) == (0, 11)


def test_record_for_a_person_names_the_guess(shop):
    found = shop("record", "events.csv")
    assert "0 events recorded, 11 known already" in found.out
    assert "read as --map user=user,item=item" in found.out
    assert found.err.startswith("recording events.csv: ")


def test_quarantined_rows_are_listed_and_tried_again(shop):
    listed = shop("quarantine", "--json").json
    assert listed["count"] == 1
    row = listed["rows"][0]
    assert (row["file"], row["line"], row["code"]) == ("events.csv", 13, "time.invalid")
    assert "tea" in row["raw"]
    retried = shop("record", "--from-quarantine", "--json").json["total"]
    assert (retried["accepted"], retried["quarantined"]) == (0, {"time.invalid": 1})
    again = shop("record", "--from-quarantine", "--map", "time:=2026-01-07", "--json")
    assert again.json["total"]["accepted"] == 1
    assert shop("quarantine", "--json").json == {"count": 0, "rows": []}


def test_recommend_gives_a_slate_with_names(shop):
    found = shop("recommend", "ann", "-n", "3", "--json", "--now", "log").json
    assert found["user"] == "ann"
    assert found["now"] == "2026-01-06T11:00:00Z"
    assert found["model_version"] == "000002"
    assert 0 < len(found["items"]) <= 3
    names = {"milk": "Whole Milk", "eggs": "Ten Eggs", "cake": "Plum Cake", "bread": "Rye Bread"}
    assert all(entry["name"] == names.get(entry["item"], entry["name"]) for entry in found["items"])
    assert all(entry["reasons"] == [] for entry in found["items"])


def test_recommend_explained_has_reasons_that_sum_to_the_scores(shop):
    found = shop("recommend", "ann", "--explain", "--json", "--now", "log").json
    for entry in found["items"]:
        assert sum(reason["amount"] for reason in entry["reasons"]) == pytest.approx(entry["score"], abs=1e-5)
        assert entry["words"]
    assert "because" in shop("recommend", "ann", "--explain", "--now", "log").out


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        (["--where", "category=dairy"], lambda ids: set(ids) <= {"milk", "eggs"}),
        (["--where", "price<=3"], lambda ids: "cake" not in ids and "tea" not in ids),
        (["--pin", "1=tea"], lambda ids: ids[0] == "tea"),
        (["--cap", "category=1", "--exclude", "off"], lambda ids: len({"milk", "eggs"} & set(ids)) <= 1),
        (["--exclude", "on"], lambda ids: not {"milk", "eggs", "film-1"} & set(ids)),
        (["--boost", "category=bakery*100", "--exclude", "off"], lambda ids: {"bread", "cake"} & set(ids[:2])),
        (["--diversity", "0.5"], lambda ids: len(ids) == len(set(ids)) > 0),
        (["-n", "1"], lambda ids: len(ids) == 1),
    ],
)
def test_recommend_obeys_each_option(shop, options, holds):
    found = shop("recommend", "bob", "--json", "--now", "log", *options)
    assert found.status == 0, found.err
    assert holds([entry["item"] for entry in found.json["items"]])


def test_recommend_takes_events_and_attributes_that_are_not_recorded(shop):
    inline = shop("recommend", "--json", "--exclude", "on", "--event", "item=milk,type=purchase,value=1").json
    assert inline["user"] is None
    assert "milk" not in [entry["item"] for entry in inline["items"]]
    with_attribute = shop("recommend", "nobody", "--attribute", "age=35", "--json")
    assert with_attribute.status == 0
    assert with_attribute.json["notes"][0].startswith("no history")


def test_a_named_surface_of_the_settings_is_used(shop):
    Path("mutua.toml").write_text('[surfaces.dairy]\nwhere = ["category=dairy"]\n')
    found = shop("recommend", "ann", "--surface", "dairy", "--json").json
    assert found["surface"] == "dairy"
    assert {entry["item"] for entry in found["items"]} <= {"milk", "eggs"}


def test_explain_takes_a_score_apart(shop):
    found = shop("explain", "ann", "eggs", "--json", "--now", "log").json
    assert (found["user"], found["item"], found["name"], found["exact"]) == ("ann", "eggs", "Ten Eggs", True)
    assert sum(reason["amount"] for reason in found["reasons"]) == pytest.approx(found["score"], abs=1e-5)
    assert any("Whole Milk" in sentence for sentence in found["words"])
    assert "the reasons sum to it exactly" in shop("explain", "ann", "eggs").out


def test_learn_chooses_within_the_budget_and_reports(shop):
    found = shop("learn", "--model", "ease:ridge=5", "--json").json
    assert (found["version"], found["model"], found["settings"]["ridge"]) == ("000003", "ease", 5.0)
    assert (found["events"], found["users"], found["trials"]) == (11, 4, [])
    assert "is in force" in shop("learn", "--model", "popularity", "--budget", "5s", "--report").out


def test_evaluate_compares_models_on_the_log(shop):
    found = shop("evaluate", "--model", "popularity,frequency", "--budget", "0", "--fraction", ".4", "--json").json
    assert set(found) == {"results", "data", "environment", "comparisons"}
    assert set(found["results"]) == {"popularity", "frequency"}
    assert set(found["results"]["popularity"]["metrics"]["recall@20"]) == {"value", "low", "high"}
    shown = shop("evaluate", "--model", "popularity", "--budget", "0", "--fraction", ".4")
    assert "popularity" in shown.out
    assert shown.status == 0


def test_forget_prints_a_receipt_that_can_be_checked(shop):
    done = shop("forget", "ann", "--yes", "--json")
    assert done.json["kind"] == "user"
    assert done.json["counts"]["events"] == 3
    Path("receipt.json").write_text(done.out)
    checked = shop("forget", "ann", "--verify", "receipt.json", "--json")
    assert (checked.status, checked.json["ok"]) == (5, False), "the model has not forgotten yet"
    shop("learn")
    checked = shop("forget", "--verify", "receipt.json", "--json")
    assert (checked.status, checked.json["ok"]) == (0, True)
    assert shop("profile", "ann", "--json").error["code"] == "id.unknown"


def test_forget_asks_first_and_takes_no_for_an_answer(shop, monkeypatch):
    class Person(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Person("n\n"))
    assert shop("forget", "ann").status == 130
    assert shop("profile", "ann", "--json").status == 0
    monkeypatch.setattr(sys, "stdin", Person("y\n"))
    assert shop("forget", "ann").status == 0
    assert shop("profile", "ann", "--json").status == 3


def test_profile_in_words_and_as_json(shop):
    found = shop("profile", "ann", "--json", "--now", "log").json
    assert found["user"] == "ann"
    assert found["history"]["events"] == 3
    assert {"category", "brand"} <= found["interests"].keys()
    shown = shop("profile", "ann", "--now", "log").out
    assert "Interests by category" in shown
    assert "Whole Milk: once" in shown


def test_profile_as_of_an_event_time_knows_nothing_later(shop):
    found = shop("profile", "ann", "--as-of-event", "2026-01-02T12:00:00Z", "--json").json
    assert (found["now"], found["history"]["events"]) == ("2026-01-02T12:00:00Z", 2)
    before = shop("profile", "ann", "--as-of", "2026-01-02T12:00:00Z", "--json")
    assert before.json["history"]["events"] == 0, "nothing was recorded by then"


def test_similar_lists_other_items(shop):
    found = shop("similar", "milk", "-n", "2", "--json").json
    assert (found["item"], found["name"]) == ("milk", "Whole Milk")
    assert "milk" not in [entry["item"] for entry in found["items"]]
    assert shop("similar", "milk").out.startswith("Like Whole Milk:")


def test_predict_gives_a_rating_with_an_interval(shop):
    found = shop("predict", "ann", "film-2", "--json").json
    assert found["low"] <= found["value"] <= found["high"]
    assert 2 <= found["value"] <= 5
    assert "ann would give Another Film" in shop("predict", "ann", "film-2").out


def test_models_are_listed_and_rolled_back(shop):
    found = shop("models", "list", "--json").json
    assert (found["current"], [row["version"] for row in found["versions"]]) == ("000002", ["000001", "000002"])
    assert found["versions"][1]["model"] == "default"
    assert shop("models", "rollback", "--json").json == {"before": "000002", "current": "000001"}
    assert "in force" in shop("models", "list").out
    assert shop("recommend", "ann", "--json").json["model_version"] == "000001"


def test_the_doctor_says_what_is_wrong(shop):
    found = shop("doctor", "--json")
    by_name = {finding["name"]: finding for finding in found.json["findings"]}
    assert by_name["integrity"]["ok"]
    assert not by_name["quarantine"]["ok"]
    assert (found.status, found.json["ok"]) == (5, False)
    assert "--from-quarantine" in shop("doctor").out


def test_backup_and_restore(shop):
    assert shop("backup", "copy.db", "--json").json["events"] == 18
    assert shop("restore", "copy.db", "new.db", "--json").json["events"] == 18
    before = shop("restore", "copy.db", "old.db", "--until", "2026-01-01", "--json").json
    assert (before["events"], before["dropped"]) == (0, 18)
    ours, theirs = (
        shop("recommend", "ann", "--store", f"sqlite:///{name}", "--json").json for name in ("mutua.db", "new.db")
    )
    assert [entry["item"] for entry in ours["items"]] == [entry["item"] for entry in theirs["items"]]


@pytest.mark.parametrize(
    ("protocol", "options"),
    [
        ("holdout", ["--fraction", ".4"]),
        ("holdout", ["--at", "2026-01-04T00:00:00Z"]),
        ("leave-one-out", []),
        ("replay", ["--fraction", ".4", "--exclude-seen", "no"]),
    ],
)
def test_lab_run_prints_the_whole_document(shop, protocol, options):
    line = ["lab", "run", "--protocol", protocol, "--data", "events.csv", "--model", "popularity", "--json", *options]
    found = shop(*line, "--budget", "0", "--cutoffs", "1,5", "--more", "items.csv")
    assert found.status == 0, found.err
    assert {"results", "data", "environment"} <= found.json.keys()
    result = found.json["results"]["popularity"]
    assert {"metrics", "fit_seconds", "score_seconds", "peak_mib"} <= result.keys()
    assert set(result["metrics"]["recall@5"]) == {"value", "low", "high"}
    assert found.err == ""


def test_lab_run_reads_given_files(mutua):
    Path("data").mkdir()
    Path("data/train.txt").write_text("0 1 2\n1 2 3\n2 1 3\n")
    Path("data/test.txt").write_text("0 3\n1 1\n2 2\n")
    found = mutua("lab", "run", "--protocol", "lightgcn", "--data", "data", "--model", "default,popularity", "--json")
    assert found.status == 0, found.err
    assert list(found.json["results"]) == ["default", "popularity"]
    assert found.json["results"]["default"]["metrics"]["recall@10"]["value"] == 1.0


def test_lab_run_for_a_person_is_a_table(shop):
    found = shop(
        "lab", "run", "--protocol", "holdout", "--data", "events.csv", "--model", "popularity", "--budget", "0"
    )
    assert "recall@20" in found.out
    assert "popularity" in found.out
