"""A clock that jumps, back or ahead, while the server runs: nothing acknowledged is lost or served wrongly."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mutua.core import clock
from mutua.core.clock import DAY, HOUR
from mutua.serving.service import Service
from serving_shop import run


@pytest.mark.parametrize("jump", [-30 * DAY, -HOUR, HOUR, 30 * DAY])
def test_events_before_and_after_a_jump_are_kept_in_order_and_in_the_slate(
    jump: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, ahead = clock.now, 0

    def now() -> int:
        return true() + ahead

    monkeypatch.setattr(clock, "now", now)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        nonlocal ahead
        before = {"events": [{"id": "1", "user": "ann", "item": "milk", "type": "purchase"}]}
        after = {"events": [{"id": "2", "user": "ann", "item": "tea", "type": "purchase"}]}
        assert (await client.post("/v1/events", json=before)).json()["results"][0]["sequence"] == 1
        ahead = jump
        assert (await client.post("/v1/events", json=after)).json()["results"][0]["sequence"] == 2
        assert (await client.post("/v1/events", json=before)).json()["duplicates"] == 1
        export = (await client.get("/v1/users/ann/export")).json()["events"]
        assert [event["sequence"] for event in export] == [1, 2]
        slate = (await client.post("/v1/recommend", json={"user": "ann"})).json()
        assert slate["profile_version"] == 2

    run(tmp_path, scenario)


def test_a_time_ahead_of_a_clock_that_fell_back_is_refused_with_a_code_and_the_rest_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment - DAY)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        rows = [{"user": "ann", "item": "milk", "time": moment / 1e6}, {"user": "ann", "item": "tea"}]
        answer = (await client.post("/v1/events", json={"events": rows})).json()
        assert [row["status"] for row in answer["results"]] == ["rejected", "accepted"]
        assert answer["results"][0]["problem"]["code"] == "time.future"

    run(tmp_path, scenario)
