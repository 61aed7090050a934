"""Two tenants with the same ids: whatever is asked with the key of one, nothing of the other is seen or changed."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import serving_tenants
from mutua.serving.http.guard import OPEN
from mutua.serving.notices import NoticeSettings
from mutua.serving.push.webhooks import Webhook, WebhookSettings
from mutua.serving.running import Upkeep
from mutua.serving.security.keys import KeyRing
from serving.push.receiver import Receiver
from serving_tenants import NOW, TENANTS, Server, built, key, marks

BODIES: dict[str, Any] = {
    "Question": {"user": "u0", "n": 20, "explain": True},
    "Batch": {
        "events": [{"user": "u1", "item": "i1", "type": "view", "id": "new"}],
        "receipt": True,
    },
    "Seen": {"impressions": [{"user": "u1", "items": ["i1", "i2"], "time": NOW / 1e6}]},
    "Attributes": {"attributes": {"colour": "red"}},
}
"""A body for each kind that the description names; a new kind must be added here."""
LINES = {"/v1/users": b'{"user": "u1", "attributes": {"a": 1}}', "/v1/items": b'{"item": "i1", "attributes": {"a": 1}}'}
"""A body of lines for each path that takes nothing else; a new one must be added here."""
PLACES = {"user": "u0", "item": "i0", "event": "{own}-u1-0", "name": "undeclared"}
"""What stands for each parameter of a path; a new one must be added here."""
ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")

Run = Callable[..., Any]


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def run(request: pytest.FixtureRequest) -> Run:
    return partial(serving_tenants.run, workers=request.param)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("tenants"))


@pytest.fixture
def shops(stocked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stocked, tmp_path / "shops"))


async def every_request(server: Server, admin: str, tenant: str) -> list[tuple[str, str, Any]]:
    """Returns a request for each route of the description, reading first, erasing last."""
    described = (await server.ask("GET", "/openapi.json", admin)).json["paths"]
    found = []
    for template, operations in described.items():
        path = re.sub(r"{(\w+)}", lambda match: PLACES[match[1]], template).format(own=f"{tenant}-own")
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            kind = content.get("application/json", {}).get("schema", {})
            body = BODIES[kind["$ref"].rpartition("/")[2]] if kind else LINES[path] if content else None
            asked = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
            more = [f"{name}={value}" for name, value in (("n", 20), ("explain", "true")) if name in asked]
            found.append((method.upper(), path + ("?" + "&".join(more) if more else ""), body))
    assert len(found) >= 20
    return sorted(found, key=lambda request: (ORDER.index(request[0]), request[1]))


async def read(server: Server, admin: str) -> dict[str, Any]:
    """Returns what a tenant can read of what both have, without what no two answers share."""
    paths = [
        path.format(number)
        for path in (
            "/v1/users/u{}/export",
            "/v1/users/u{}/profile",
            "/v1/users/u{}/recommendations",
            "/v1/items/i{}",
        )
        for number in range(6)
    ]
    paths += [f"/v1/items/i{number}/similar?n=9" for number in range(3)]
    return {path: steady((await server.ask("GET", path, admin)).json) for path in paths}


def steady(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("took_ms", "slate", "recorded", "receipts")}


@pytest.mark.parametrize(("tenant", "other"), [TENANTS, TENANTS[::-1]])
def test_no_route_shows_or_changes_anything_of_another_tenant(run: Run, shops: Path, tenant: str, other: str) -> None:
    keys = {name: key(shops, name) for name in TENANTS}

    async def scenario(server: Server) -> None:
        before = await read(server, keys[other])
        own = 0
        for method, path, body in await every_request(server, keys[tenant], tenant):
            answer = await server.ask(method, path, keys[tenant], body)
            assert answer.status in (200, 409), (method, path, answer.body)
            shown = answer.body.decode() + json.dumps(dict(answer.headers))
            assert not any(mark in shown for mark in (*marks(other), other)), (method, path, shown)
            own += any(mark in shown for mark in marks(tenant))
        assert own >= 8
        assert await read(server, keys[other]) == before

    run(shops, scenario)


def test_ids_of_another_tenant_are_unknown(run: Run, shops: Path) -> None:
    admin = key(shops, "acme")

    async def scenario(server: Server) -> None:
        for method, path in (
            ("DELETE", "/v1/users/globex-own-user"),
            ("DELETE", "/v1/events/globex-own-u1-0"),
            ("DELETE", "/v1/items/globex-own-item"),
            ("GET", "/v1/users/globex-own-user/export"),
            ("GET", "/v1/users/globex-own-user/profile"),
            ("GET", "/v1/users/u0/explain/globex-own-item"),
            ("GET", "/v1/items/globex-own-item"),
            ("GET", "/v1/items/globex-own-item/similar"),
        ):
            answer = await server.ask(method, path, admin)
            assert (answer.status, answer.json["code"]) == (404, "id.unknown"), (method, path)
        pinned = await server.ask("POST", "/v1/recommend", admin, {"user": "u0", "omit": ["globex-own-item"]})
        assert pinned.status == 200

    run(shops, scenario)


def test_a_slate_of_another_tenant_is_unknown(run: Run, shops: Path) -> None:
    keys = {name: key(shops, name) for name in TENANTS}

    async def scenario(server: Server) -> None:
        slate = (await server.ask("POST", "/v1/recommend", keys["acme"], {"user": "u0"})).json["slate"]
        for tenant in TENANTS:
            async with server.tenants.serving(tenant) as service:
                assert (service.slates.get(slate) is not None) is (tenant == "acme")

    run(shops, scenario)
    assert b"globex" not in (shops / "acme.slates.db").read_bytes()


def test_figures_bear_the_tenant_and_are_its_own(run: Run, shops: Path) -> None:
    keys = {name: key(shops, name) for name in TENANTS}

    async def scenario(server: Server) -> None:
        await server.ask("POST", "/v1/events", keys["acme"], BODIES["Batch"])
        for tenant, count in (("acme", "1.0"), ("globex", "0.0")):
            told = (await server.ask("GET", "/metrics", keys[tenant])).body.decode()
            lines = [line for line in told.splitlines() if line and not line.startswith("#")]
            assert lines
            assert all(f'tenant="{tenant}"' in line for line in lines)
            assert any('outcome="accepted"' in line and line.endswith(count) for line in lines)

    run(shops, scenario)


def test_an_event_is_pushed_to_its_own_tenant_alone(run: Run, shops: Path) -> None:
    keys = {name: key(shops, name) for name in TENANTS}
    bought = {"events": [{"user": "u0", "item": f"i{number}", "type": "purchase"} for number in range(8)]}

    async def scenario(server: Server) -> None:
        path = "/v1/users/u0/stream?n=3"
        streams = {tenant: asyncio.create_task(server.ask("GET", path, keys[tenant])) for tenant in TENANTS}
        while True:
            counts = []
            for tenant in TENANTS:
                subscribers = 0
                for tenants in server.crew:
                    async with tenants.serving(tenant) as service:
                        subscribers += service.hub.counts().subscribers
                counts.append(subscribers)
            if counts == [1, 1]:
                break
            await asyncio.sleep(0)
        await server.ask("POST", "/v1/events", keys["acme"], bought)
        pushed = {tenant: (await stream).body.count(b"event: slate") for tenant, stream in streams.items()}
        assert pushed["acme"] > pushed["globex"] == 1

    run(shops, scenario)


def test_notices_go_to_the_hooks_of_their_own_tenant(run: Run, shops: Path) -> None:
    keys = {name: key(shops, name) for name in TENANTS}
    with Receiver().listening() as acme, Receiver().listening() as globex:
        receivers = dict(zip(TENANTS, (acme, globex), strict=True))

        def told(tenant: str) -> NoticeSettings:
            hook = Webhook("mailer", receivers[tenant].url, secret="a secret of some length")
            return NoticeSettings(webhooks=WebhookSettings(hooks=(hook,), private=True))

        async def scenario(server: Server) -> None:
            for tenant, admin in keys.items():
                item = f"/v1/items/{tenant}-own-item"
                await server.ask("PUT", item, admin, {"attributes": {"price": 10}})
                wanted = {"user": "u0", "item": f"{tenant}-own-item", "type": "cart"}
                await server.ask("POST", "/v1/events", admin, {"events": [wanted]})
                await server.ask("PATCH", item, admin, {"attributes": {"price": 7}})
            async with asyncio.timeout(60):
                while not all(receiver.came for receiver in receivers.values()):
                    await asyncio.sleep(0.02)

        run(shops, scenario, upkeep=Upkeep(notices=told))
    for tenant, receiver in receivers.items():
        assert {body["item"] for body in receiver.bodies} == {f"{tenant}-own-item"}


def test_who_has_no_key_of_a_tenant_enters_nowhere(run: Run, shops: Path) -> None:
    good, reading = key(shops, "acme"), key(shops, "acme", "read")
    ring = KeyRing.load(shops / "acme.keys")
    revoked = key(shops, "acme")
    access = ring.check(revoked)
    assert access is not None
    ring.revoke(access.key_id)
    shutil.copy(shops / "acme.keys", shops / "ghost.keys")
    secret = good.removeprefix("mu_acme_")
    wrong = {
        "": "key.missing",
        revoked: "key.invalid",
        f"mu_globex_{secret}": "key.invalid",
        f"mu_ghost_{secret}": "key.invalid",
        f"mu_nobody_{secret}": "key.invalid",
        f"mu_../acme_{secret}": "key.invalid",
        f"mu_ACME_{secret}": "key.invalid",
        f"mu__{secret}": "key.invalid",
        good + "x": "key.invalid",
        "x" * 5_000: "key.invalid",
    }

    async def scenario(server: Server) -> None:
        for sent, code in wrong.items():
            for path in ("/v1/trending", "/metrics", "/docs", "/v1/users/u0/stream", "/no/such/path"):
                answer = await server.ask("GET", path, sent)
                assert (answer.status, answer.json["code"]) == (401, code), (sent[:20], path)
        assert (await server.ask("DELETE", "/v1/users/u0", reading)).json["code"] == "key.scope"
        for path in OPEN:
            answer = await server.ask("GET", path)
            assert answer.status == 200
            assert not any(tenant in answer.body.decode() for tenant in TENANTS)
        assert server.tenants.readiness() == {"ready": True, "open": 0, "most": 2}

    run(shops, scenario)


def test_every_route_of_the_description_asks_for_a_key(run: Run, shops: Path) -> None:
    admin = key(shops, "acme")

    async def scenario(server: Server) -> None:
        for method, path, body in await every_request(server, admin, "acme"):
            answer = await server.ask(method, path, "", body)
            assert answer.status == (200 if path in OPEN else 401), (method, path)

    run(shops, scenario)


def conversation(seed: int) -> list[tuple[str, str, Any]]:
    """A tenant's requests, one after the other; what they answer depends on all before."""
    draw = random.Random(seed)
    asked: list[tuple[str, str, Any]] = []
    for step in range(12):
        user, item = f"u{draw.randrange(6)}", f"i{draw.randrange(8)}"
        event = {"user": user, "item": item, "type": "purchase", "id": f"e{seed}-{step}", "time": NOW / 1e6 - step}
        asked += draw.choice(
            [
                [("POST", "/v1/events", {"events": [event]}), ("POST", "/v1/recommend", {"user": user, "n": 6})],
                [("GET", f"/v1/users/{user}/profile", None)],
                [("GET", f"/v1/items/{item}/similar?n=5", None)],
                [("PATCH", f"/v1/items/{item}", {"attributes": {"price": step}, "time": NOW / 1e6})],
                [("GET", f"/v1/users/{user}/explain/{item}", None)],
            ]
        )
    return asked


async def answers(server: Server, admin: str, asked: list[tuple[str, str, Any]]) -> list[Any]:
    return [steady((await server.ask(method, path, admin, body)).json) for method, path, body in asked]


@pytest.mark.parametrize("seed", range(3))
def test_interleaved_tenants_are_answered_as_each_alone(run: Run, stocked: Path, tmp_path: Path, seed: int) -> None:
    def fresh(name: str) -> tuple[Path, dict[str, str]]:
        folder = Path(shutil.copytree(stocked, tmp_path / name))
        return folder, {tenant: key(folder, tenant) for tenant in TENANTS}

    talks = {tenant: conversation(10 * seed + place) for place, tenant in enumerate(TENANTS)}
    alone = {}
    for tenant in TENANTS:
        folder, keys = fresh(f"alone-{tenant}")

        async def by_itself(server: Server, tenant: str = tenant, keys: dict[str, str] = keys) -> list[Any]:
            return await answers(server, keys[tenant], talks[tenant])

        alone[tenant] = run(folder, by_itself)

    folder, keys = fresh("together")

    async def together(server: Server) -> list[list[Any]]:
        return list(await asyncio.gather(*(answers(server, keys[tenant], talks[tenant]) for tenant in TENANTS)))

    assert dict(zip(TENANTS, run(folder, together), strict=True)) == alone

    folder, keys = fresh("in-turn")

    async def in_turn(server: Server) -> dict[str, list[Any]]:
        told: dict[str, list[Any]] = {tenant: [] for tenant in TENANTS}
        left = {tenant: list(talk) for tenant, talk in talks.items()}
        draw = random.Random(seed)
        while any(left.values()):
            tenant = draw.choice([tenant for tenant, talk in left.items() if talk])
            told[tenant] += await answers(server, keys[tenant], [left[tenant].pop(0)])
        return told

    assert run(folder, in_turn, most=1) == alone
