"""The gate: who may ask what, from where, by which name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import httpx
import pytest

from mutua.serving.http import guard
from mutua.serving.http.guard import needed
from mutua.serving.security.keys import KeyRing
from mutua.serving.security.rates import Rate
from mutua.serving.service import Service
from serving_shop import run

EVENT = {"events": [{"user": "ann", "item": "milk"}]}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_without_keys_everything_is_open_to_this_machine(tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        assert (await client.post("/v1/events", json=EVENT)).status_code == 200
        assert (await client.get("/metrics")).status_code == 200

    run(tmp_path, scenario)


def test_a_page_of_another_site_neither_writes_nor_asks_by_its_own_name(tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        foreign = await client.post("/v1/events", json=EVENT, headers={"origin": "https://evil.example"})
        rebound = await client.get("/v1/trending", headers={"host": "evil.example"})
        assert {foreign.status_code, rebound.status_code} == {403}
        assert foreign.json()["code"] == rebound.json()["code"] == "http.origin"
        assert service.version == 0

    run(tmp_path, scenario)


def test_a_key_opens_what_its_scope_says_and_nothing_else(tmp_path: Path) -> None:
    ring = KeyRing.load(tmp_path / "shop.keys")
    keys = {scope: ring.create("shop", [scope]) for scope in ("write", "read", "admin")}
    asked = {
        "write": ("POST", "/v1/events", EVENT),
        "read": ("POST", "/v1/recommend", {"user": "ann"}),
        "admin": ("DELETE", "/v1/users/ann", None),
    }

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        for scope, key in keys.items():
            for wanted, (method, path, body) in asked.items():
                status = (await client.request(method, path, json=body, headers=bearer(key))).status_code
                allowed = scope in (wanted, "admin")
                assert (status == 403) is not allowed, (scope, wanted)
        for headers in ({}, bearer("mu_shop_wrong"), bearer(keys["read"] + "x"), {"authorization": "Basic eA=="}):
            refused = await client.post("/v1/recommend", json={}, headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
        assert (await client.get("/healthz")).status_code == 200

    run(tmp_path, scenario)


def test_a_page_that_is_left_sends_its_key_in_the_body(tmp_path: Path) -> None:
    ring = KeyRing.load(tmp_path / "shop.keys")
    keys = {scope: ring.create("shop", [scope]) for scope in ("write", "read")}

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        for key, status in ((keys["write"], 200), (keys["read"], 403), ("", 401), ("mu_shop_wrong", 401)):
            packed = gzip.compress(json.dumps({**EVENT, "key": key}).encode())
            headers = {"content-type": "text/plain", "content-encoding": "gzip"}
            assert (await client.post("/v1/events", content=packed, headers=headers)).status_code == status
        assert service.version == 1

    run(tmp_path, scenario)


def test_the_tracker_is_served_to_everybody(tmp_path: Path) -> None:
    KeyRing.load(tmp_path / "shop.keys").create("shop", ["read"])

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        answer = await client.get("/mutua.js")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "sendBeacon" in answer.text

    run(tmp_path, scenario)


def test_a_revoked_key_is_refused_at_once(tmp_path: Path) -> None:
    ring = KeyRing.load(tmp_path / "shop.keys")
    key = ring.create("shop", ["read"])

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        assert (await client.get("/v1/trending", headers=bearer(key))).status_code == 200
        ring.revoke(ring.rows()[0].id)
        assert (await client.get("/v1/trending", headers=bearer(key))).status_code == 401

    run(tmp_path, scenario)


def test_who_tries_keys_is_slowed_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "STRANGERS", Rate(0.01, 3.0))
    KeyRing.load(tmp_path / "shop.keys").create("shop", ["read"])

    async def scenario(service: Service, client: httpx.AsyncClient) -> list[int]:  # noqa: ARG001
        answers = [await client.get("/v1/trending", headers=bearer(f"mu_shop_{number}")) for number in range(5)]
        assert int(answers[-1].headers["retry-after"]) >= 1
        return [answer.status_code for answer in answers]

    assert run(tmp_path, scenario) == [401, 401, 401, 429, 429]


def test_every_answer_tells_browsers_to_keep_off(tmp_path: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        for path in ("/v1/trending", "/v1/nothing", "/docs", "/healthz"):
            answer = await client.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/events", "write"),
        ("POST", "/v1/impressions", "write"),
        ("PUT", "/v1/items/1", "write"),
        ("DELETE", "/v1/items/1", "admin"),
        ("GET", "/metrics", "admin"),
        ("POST", "/v1/recommend", "read"),
        ("GET", "/v1/users/1/export", "read"),
    ],
)
def test_the_scope_of_a_request(method: str, path: str, scope: str) -> None:
    assert needed(method, path) == scope
