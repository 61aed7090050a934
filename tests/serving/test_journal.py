"""Which requests get a line in the log, and that it holds nothing of people."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx

from mutua import Settings
from mutua.serving.http.app import application
from mutua.serving.http.guard import Rules
from mutua.serving.http.journal import Journal
from mutua.serving.security.keys import KeyRing
from mutua.serving.security.logs import RequestLog
from mutua.serving.service import Service


def lines(folder: Path, requests: list[tuple[str, str, Any]], every: int = 0, key: str = "") -> list[dict[str, Any]]:
    """Sends requests to a server over `folder` and returns the lines of its log."""
    stream = io.StringIO()

    async def whole() -> None:
        service = Service(f"sqlite:///{folder / 'shop.db'}", Settings())
        try:
            rules = Rules(KeyRing.load(folder / "shop.keys"), tenant="shop")
            app = application(service, rules, journal=Journal(RequestLog(stream), every))
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            headers = {"authorization": f"Bearer {key}"} if key else {}
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                for method, path, body in requests:
                    await client.request(method, path, json=body)
        finally:
            service.close()

    asyncio.run(whole())
    return [json.loads(line) for line in stream.getvalue().splitlines()]


EVENT = ("POST", "/v1/events", {"events": [{"user": "ann", "item": "milk"}]})
ASK = ("POST", "/v1/recommend", {"user": "ann"})


def test_each_request_is_told_by_its_template_status_and_time_and_by_no_id(tmp_path: Path) -> None:
    found = lines(
        tmp_path,
        [EVENT, ("GET", "/v1/users/ann/profile?as_of=2199-01-01", None), ("GET", "/v1/users/bob/export", None)],
    )
    assert [(line["method"], line["route"], line["status"]) for line in found] == [
        ("GET", "/v1/users/{user}/profile", 200),
        ("GET", "/v1/users/{user}/export", 404),
    ]
    assert all(line["ms"] > 0 for line in found)
    assert not {"ann", "bob", "2199"} & set(json.dumps(found).replace('"', " ").replace("/", " ").split())


def test_good_answers_of_the_hot_routes_are_sampled_and_bad_ones_always_told(tmp_path: Path) -> None:
    hot = [EVENT, ASK, ("GET", "/v1/users/ann/recommendations", None)]
    bad = ("POST", "/v1/recommend", {"n": 0})
    assert [line["status"] for line in lines(tmp_path, [*hot, bad])] == [400]
    sampled = lines(tmp_path, hot * 4, every=3)
    assert [line["route"] for line in sampled] == ["/v1/users/{user}/recommendations"] * 4


def test_probes_and_what_was_shed_get_no_line() -> None:
    stream = io.StringIO()
    journal = Journal(RequestLog(stream))
    for route, status in (("/healthz", 200), ("/metrics", 200), ("/v1/events", 503), ("/v1/recommend", 429)):
        journal.note("GET", route, status, 0.001, None)
    assert stream.getvalue() == ""
    journal.note("POST", "/v1/events", 507, 0.001, None)
    journal.note("POST", "/v1/events", 0, 0.0, None)
    assert [json.loads(line)["status"] for line in stream.getvalue().splitlines()] == [507, 0]


def test_a_key_is_told_by_its_id_and_never_by_its_secret(tmp_path: Path) -> None:
    ring = KeyRing.load(tmp_path / "shop.keys")
    key = ring.create("shop", ["read"])
    [line] = lines(tmp_path, [("GET", "/v1/trending", None)], key=key)
    assert line["key"] == ring.rows()[0].id
    assert key not in json.dumps(line)
    [stranger] = lines(tmp_path, [("GET", "/v1/trending", None)], key="mu_shop_guessed")
    assert (stranger["status"], stranger["key"]) == (401, "")
