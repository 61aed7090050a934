"""What stands in deploy/: it can be parsed, names what exists, and says what to do."""

import configparser
import re
import shlex
from pathlib import Path

import pytest
import yaml

from mutua.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ALERTS = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
STANDARD = {"up", "process_resident_memory_bytes"}


def listed() -> dict[str, str]:
    """Returns the kind of each metric by its name."""
    rows = re.findall(r"^\| `(mutua_\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text("utf-8"), re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_that_exist_and_says_what_to_do(rule):
    endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    series = {name + ending for name, kind in listed().items() for ending in endings[kind]} | STANDARD
    named = set(re.findall(r"\b(?:mutua|process)_\w+|\bup\b", rule["expr"]))
    assert named
    assert named <= series
    assert len(rule["annotations"]["advice"].split()) >= 6
    assert "\n" not in rule["annotations"]["advice"]
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_alerts_have_names_of_their_own():
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)


def test_the_unit_runs_a_command_that_exists_without_rights():
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str
    unit.read(DEPLOY / "mutua.service")
    words = shlex.split(unit["Service"]["ExecStart"])
    assert words[0].endswith("/mutua")
    assert set(words) & set(COMMANDS) == {"serve"}
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert unit["Service"]["CapabilityBoundingSet"] == ""
    assert unit["Service"]["ProtectSystem"] == "strict"


def test_the_image_runs_as_nobody_special_and_copies_what_exists():
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    steps = [line.split(None, 1) for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    for _, rest in (step for step in steps if step[0] == "COPY" and not step[1].startswith("--from")):
        for name in rest.split()[:-1]:
            assert (ROOT / name).exists(), name
    order = [name for name, _ in steps]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert "HEALTHCHECK" in order
    assert "--constraint requirements.lock" in text
