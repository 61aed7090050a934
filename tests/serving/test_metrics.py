"""What `/metrics` tells: all that its page lists and nothing else, and the right numbers."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from mutua.core.clock import DAY
from mutua.errors import Overloaded
from mutua.serving.histogram import BOUNDS, Histogram, TimedLaps
from mutua.serving.metrics import About
from mutua.serving.service import Service
from recommender_shop import built, copied
from serving_shop import run

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
OF_THE_PROCESS = "process_"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("metrics"))


async def told(client: httpx.AsyncClient) -> dict[str, float]:
    """Returns each series and its number."""
    text = (await client.get("/metrics")).text
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def test_the_page_lists_what_is_exposed_and_nothing_else(tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> set[str]:  # noqa: ARG001
        text = (await client.get("/metrics")).text
        return {line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# TYPE")}

    exposed = {name for name in run(tmp_path, scenario) if not name.startswith(OF_THE_PROCESS)}
    listed = re.findall(r"^\| `(mutua_[a-z_]+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(exposed)


def test_events_and_slates_are_counted_and_timed_by_stage(tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> dict[str, float]:  # noqa: ARG001
        events = [{"id": "1", "user": "ann", "item": "milk"}, {"id": "1", "user": "ann", "item": "milk"}, {"user": ""}]
        await client.post("/v1/events", json={"events": events})
        await client.post("/v1/recommend", json={"user": "ann", "explain": True})
        await client.post("/v1/recommend", content="{")
        return await told(client)

    seen = run(tmp_path, scenario)
    for outcome in ("accepted", "duplicate", "rejected"):
        assert seen[f'mutua_events_total{{outcome="{outcome}"}}'] == 1
    for stage in ("parse", "write", "apply", "snapshot", "rank", "explain", "log", "encode"):
        assert seen[f'mutua_stage_seconds_count{{stage="{stage}"}}'] == 1, stage
    assert seen['mutua_stage_seconds_count{stage="rerank"}'] == 0
    assert seen["mutua_freshness_seconds_count"] == seen["mutua_slate_seconds_count"] == 1
    assert seen["mutua_request_seconds_count"] == 3
    assert seen['mutua_refused_total{reason="field.invalid"}'] == 1
    assert seen['mutua_requests_total{status="4xx"}'] == 1
    assert seen["mutua_requests_under_way"] == 1
    assert seen["mutua_version"] == 1


def test_who_is_refused_is_counted_by_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> dict[str, float]:
        def full(*_: object) -> None:
            raise Overloaded("full", "room", "wait")

        monkeypatch.setattr(service.writer, "submit", full)
        await client.post("/v1/events", json={"events": [{"user": "ann", "item": "milk"}]})
        await client.get("/v1/users/nobody/profile")
        await client.get("/v1/trending", headers={"host": "evil.example"})
        return await told(client)

    seen = run(tmp_path, scenario)
    for code in ("server.overloaded", "id.unknown", "http.origin"):
        assert seen[f'mutua_refused_total{{reason="{code}"}}'] == 1


def test_the_model_is_told_by_version_age_and_what_it_does_not_know_yet(stocked: Path, tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        before = await told(client)
        assert before['mutua_model{version="000001"}'] == 1
        assert before["mutua_model_events_behind"] == 0
        assert 0 < before["mutua_model_age_seconds"] < 3_600
        await client.post("/v1/events", json={"events": [{"user": "ann", "item": "milk"}]})
        assert (await told(client))["mutua_model_events_behind"] == 1
        about = About(service)
        [first], [later] = about.age(0).values(), about.age(DAY).values()
        assert later - first == pytest.approx(86_400)

    run(copied(stocked, tmp_path), scenario)


def test_without_a_model_nothing_is_said_of_one(tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> dict[str, float]:  # noqa: ARG001
        return await told(client)

    assert not [name for name in run(tmp_path, scenario) if name.startswith("mutua_model")]


def test_a_histogram_counts_what_is_not_above_a_bound() -> None:
    seen = Histogram()
    for seconds in (BOUNDS[0], BOUNDS[1], 1e9, 0.0):
        seen.observe(seconds)
    rows = seen.cumulated()
    assert [count for _, count in rows[:3]] == [2, 3, 3]
    assert rows[-1] == ("+Inf", 4)
    assert seen.total == pytest.approx(1e9)


def test_laps_share_out_a_call_among_its_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 1.5, 3.5])
    monkeypatch.setattr("mutua.serving.histogram.perf_counter", lambda: next(moments))
    stages = {"rank": Histogram(), "log": Histogram()}
    laps = TimedLaps(stages)
    laps.start()
    laps.lap("rank")
    laps.lap("log")
    assert [stages[name].total for name in ("rank", "log")] == [0.5, 2.0]
