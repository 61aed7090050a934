"""What a stranger, a careless page or a key that was taken back may try, and does not get."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mutua.errors import InvalidField, TooLarge
from mutua.serving.http import exchange
from mutua.serving.http.exchange import LIMITS, body
from mutua.serving.http.guard import BEACON_LIMITS, Rules
from mutua.serving.security.keys import KeyRing
from mutua.serving.service import Service
from serving_shop import run
from serving_tenants import QUIET, Server, built
from serving_tenants import key as key_of
from serving_tenants import run as run_tenants

LINES = [(b"content-type", b"application/x-ndjson")]


def came(messages: Iterator[dict[str, Any]], headers: list[tuple[bytes, bytes]] | None = None) -> bytes:
    """Returns the body that a route is given when these messages come."""

    async def receive() -> dict[str, Any]:
        return next(messages)

    return asyncio.run(body({"headers": headers or []}, receive))


def part(text: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": text, "more_body": more}


def test_a_body_that_is_cut_short_is_not_taken_for_a_whole_one() -> None:
    gone = {"type": "http.disconnect"}
    for messages in ([part(b'{"user": "ann"}\n'), gone], [gone]):
        with pytest.raises(InvalidField, match="cut short"):
            came(iter(messages), LINES)


def test_a_body_in_a_million_parts_costs_no_more_than_it_holds() -> None:
    parts = 1_000_000
    whole = came((part(b" ", more < parts - 1) for more in range(parts)), LINES)
    assert len(whole) == parts
    with pytest.raises(TooLarge):
        came((part(b" " * (1 << 20)) for _ in range(100)), LINES)


def test_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_SECONDS", 0.01)
    messages = iter([part(b"{")])

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError("it went on")

    async def whole() -> None:
        with pytest.raises(InvalidField, match="did not come"):
            await body({"headers": []}, receive)

    asyncio.run(whole())


def test_no_route_that_takes_json_reads_without_bounds(tmp_path: Path) -> None:
    large = b" " * (LIMITS.body_bytes + 1)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        described = (await client.get("/openapi.json")).json()["paths"]
        asked = [
            (method, path)
            for path, routes in described.items()
            for method, route in routes.items()
            if "application/json" in route.get("requestBody", {}).get("content", {})
        ]
        assert len(asked) >= 7
        for method, path in asked:
            answer = await client.request(method, path.format(user="ann", item="milk"), content=large)
            assert (answer.status_code, answer.json()["code"]) == (413, "input.too-large"), (method, path)

    run(tmp_path, scenario)


def test_strangers_are_not_read_from_at_length(tmp_path: Path) -> None:
    KeyRing.load(tmp_path / "shop.keys").create("shop", ["read"])
    bomb = gzip.compress(b" " * (BEACON_LIMITS.unpacked_bytes + 1))

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        large = await client.post("/v1/events", content=b" " * (BEACON_LIMITS.body_bytes + 1))
        packed = await client.post("/v1/events", content=bomb, headers={"content-encoding": "gzip"})
        assert large.status_code == packed.status_code == 413

    run(tmp_path, scenario)


def test_strangers_learn_only_whether_the_server_is_ready(tmp_path: Path) -> None:
    key = KeyRing.load(tmp_path / "shop.keys").create("shop", ["read"])

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        assert (await client.get("/readyz")).json() == {"ready": True}
        known = await client.get("/readyz", headers={"authorization": f"Bearer {key}"})
        assert {"ready", "version", "model_version", "notes"} <= known.json().keys()
        assert (await client.get("/readyz", headers={"authorization": f"Bearer {key}x"})).status_code == 401

    run(tmp_path, scenario)


def test_a_key_counts_in_its_header_alone(tmp_path: Path) -> None:
    key = KeyRing.load(tmp_path / "shop.keys").create("shop", ["admin"])

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        for path in (
            f"/v1/trending?key={key}",
            f"/v1/trending?access_token={key}",
            f"/v1/trending?authorization={key}",
        ):
            assert (await client.get(path)).status_code == 401
        for headers in (
            {"x-api-key": key},
            {"cookie": f"key={key}"},
            {"authorization": key},
            {"authorization": f"Basic {key}"},
        ):
            assert (await client.get("/v1/trending", headers=headers)).status_code == 401
        assert (await client.post("/v1/recommend", json={"user": "ann", "key": key})).status_code == 401

    run(tmp_path, scenario)


def test_paths_spelt_otherwise_need_no_less(tmp_path: Path) -> None:
    key = KeyRing.load(tmp_path / "shop.keys").create("shop", ["read"])
    headers = {"authorization": f"Bearer {key}"}

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        for path in (
            "/metrics",
            "/metrics/",
            "/%6detrics",
            "//metrics",
            "/metrics?x",
            "/./metrics",
            "/METRICS",
            "/metrics%2f",
        ):
            assert (await client.get(path, headers=headers)).status_code != 200, path
        for path in (
            "/healthz/../v1/trending",
            "/healthz%2f..%2fv1%2ftrending",
            "/readyz/",
            "/mutua.js/x",
            "/healthz;x",
        ):
            assert (await client.get(path)).status_code == 401, path

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    "more",
    [
        {"where": ["available"] * 101},
        {"where": ["a" * 1_001]},
        {"omit": ["a"] * 10_001},
        {"events": [{"item": "a"}] * 1_001},
    ],
    ids=["rules", "long rule", "omitted", "events"],
)
def test_a_question_has_bounds(tmp_path: Path, more: dict[str, Any]) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        answer = await client.post("/v1/recommend", json={"user": "ann", **more})
        assert (answer.status_code, answer.json()["code"]) == (400, "field.invalid")

    run(tmp_path, scenario)


def test_of_two_keys_the_one_that_opened_a_stream_keeps_it_open(tmp_path: Path) -> None:
    ring = KeyRing.load(tmp_path / "shop.keys")
    good, gone = ring.create("shop", ["write"]), ring.create("shop", ["read"])
    access = ring.check(gone)
    assert access is not None
    ring.revoke(access.key_id)
    both = [(b"authorization", f"Bearer {key}".encode()) for key in (good, gone)]

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        assert (await client.get("/v1/trending", headers=both)).status_code == 401

    run(tmp_path, scenario)
    assert not Rules(ring).admits({"headers": both})
    assert Rules(ring).admits({"headers": both[:1]})


def test_a_stream_ends_when_its_key_is_taken_back(tmp_path: Path) -> None:
    folder = built(tmp_path)
    reading, writing = key_of(folder, "acme", "read"), key_of(folder, "acme", "write")
    ring = KeyRing.load(folder / "acme.keys")
    access = ring.check(reading)
    assert access is not None

    async def scenario(server: Server) -> None:
        async with server.tenants.serving("acme") as service:
            stream = asyncio.create_task(server.ask("GET", "/v1/users/u0/stream?n=3", reading))
            while not service.hub.counts().subscribers:
                await asyncio.sleep(0)
            ring.revoke(access.key_id)
            bought = {"events": [{"user": "u0", "item": f"i{number}", "type": "purchase"} for number in range(8)]}
            assert (await server.ask("POST", "/v1/events", writing, bought)).status == 200
            async with asyncio.timeout(60):
                while service.hub.counts().subscribers:
                    await asyncio.sleep(QUIET / 50)
            assert (await stream).body.count(b"event: slate") <= 1

    run_tenants(folder, scenario)
