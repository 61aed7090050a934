"""Users and items stated in bodies of many lines: the same as one by one, a bad line keeps no good one out."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mutua import Recommender, Settings
from mutua.errors import StoreFull
from mutua.serving import upserts
from mutua.serving.http import bodies
from mutua.serving.service import Service
from serving_shop import run

LINES = "application/x-ndjson"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with Recommender.open(f"sqlite:///{tmp_path / 'shop.db'}", settings=Settings()) as empty:
        empty.record({"user": "ann", "item": "milk", "type": "purchase"})
    return tmp_path


def lines_of(said: Iterable[object]) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in said)


async def stated(client: httpx.AsyncClient, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
    return await client.request(method, path, content=body, headers={"content-type": LINES, **headers})


async def attributes(client: httpx.AsyncClient, item: str) -> Any:
    return (await client.get(f"/v1/items/{item}")).json()["attributes"]


def test_each_line_is_accepted_a_duplicate_or_rejected_with_its_code(shop: Path) -> None:
    said = [
        {"item": "milk", "attributes": {"category": "dairy"}, "id": "one"},
        b"{not json",
        {"item": "", "attributes": {}},
        {"user": "ann", "attributes": {}},
        {"item": "milk", "attributes": {"category": "cheese"}, "id": "one"},
        {"item": "tea", "attributes": {"price": 3, "tags": ["hot"]}, "time": "2150-01-01T00:00:00Z"},
        {"item": "tea", "attributes": {"price": 3}},
    ]

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        done = (await stated(client, "POST", "/v1/items", lines_of(said))).json()
        assert [one["status"] for one in done["results"]] == [
            "accepted", "rejected", "rejected", "rejected", "duplicate", "rejected", "accepted",
        ]  # fmt: skip
        codes = [one["problem"]["code"] for one in done["results"] if "problem" in one]
        assert codes == ["field.invalid", "field.invalid", "field.invalid", "time.future"]
        assert (done["accepted"], done["duplicates"], done["rejected"]) == (2, 1, 4)
        assert done["version"] == service.version == done["results"][-1]["sequence"]
        assert await attributes(client, "milk") == {"category": "dairy"}
        assert await attributes(client, "tea") == {"price": 3}

    run(shop, scenario)


@pytest.mark.parametrize("noun", ["user", "item"])
def test_lines_say_what_single_requests_say(shop: Path, noun: str) -> None:
    said = [
        {noun: "a", "attributes": {"plan": "x", "colour": "red"}},
        {noun: "a", "attributes": {"plan": "y"}, "source": "crm"},
        {noun: "b", "attributes": {"plan": "x"}},
        {noun: "a", "attributes": {"colour": "blue"}},
        {noun: "a", "attributes": {"plan": None}},
    ]

    async def by_lines(method: str, client: httpx.AsyncClient) -> None:
        assert (await stated(client, method, f"/v1/{noun}s", lines_of(said))).json()["accepted"] == len(said)

    async def one_by_one(method: str, client: httpx.AsyncClient) -> None:
        for one in said:
            body = {name: value for name, value in one.items() if name != noun}
            single = "PATCH" if method == "POST" else method
            assert (await client.request(single, f"/v1/{noun}s/{one[noun]}", json=body)).status_code == 200

    async def known(client: httpx.AsyncClient) -> list[Any]:
        found = [(await client.get(f"/v1/{noun}s/{outer}")).json()["attributes"] for outer in "ab"]
        return [{name: claim if noun == "item" else claim["value"] for name, claim in one.items()} for one in found]

    for method in ("POST", "PUT"):
        answers = []
        for number, way in enumerate((by_lines, one_by_one)):
            folder = shop / f"{method}-{number}"
            folder.mkdir()

            async def scenario(
                service: Service,  # noqa: ARG001
                client: httpx.AsyncClient,
                way: Any = way,
                method: str = method,
            ) -> list[Any]:
                await way(method, client)
                return await known(client)

            answers.append(run(folder, scenario))
        assert answers[0] == answers[1]
        assert answers[0][0] == {"POST": {"plan": "y", "colour": "blue"}, "PUT": {"plan": "y"}}[method]


def test_packed_bodies_come_in_pieces(shop: Path) -> None:
    said = [{"item": f"i{number}", "attributes": {"price": number}} for number in range(1_200)]
    plain = lines_of(said)
    half = plain.index(b"\n", len(plain) // 2) + 1
    packed = gzip.compress(plain[:half]) + gzip.compress(plain[half:])

    async def pieces(whole: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 701):
            yield whole[start : start + 701]

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        zipped = {"content-encoding": "gzip"}
        done = (await stated(client, "POST", "/v1/items", pieces(packed), **zipped)).json()
        again = (await stated(client, "POST", "/v1/items", pieces(plain))).json()
        assert done["accepted"] == again["accepted"] == 1_200
        assert await attributes(client, "i1199") == {"price": 1199}
        prices = service.state.catalog.numbers("price")
        assert prices is not None
        assert prices.values[-1] == 1199
        for bad in (packed[:-9], b"nonsense"):
            refused = await stated(client, "POST", "/v1/items", pieces(bad), **zipped)
            assert (refused.status_code, refused.json()["code"]) == (400, "field.invalid")

    run(shop, scenario)


def test_a_body_is_bounded_and_what_came_before_is_kept(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upserts, "LINES", 5)
    monkeypatch.setattr(upserts, "GROUP", 2)
    monkeypatch.setattr(bodies, "LINE_BYTES", 300)
    said = [{"item": f"i{number}", "attributes": {"price": number}} for number in range(6)]

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        before = service.version
        for body in (lines_of(said), b"x" * 400):
            refused = await stated(client, "POST", "/v1/items", body)
            assert (refused.status_code, refused.json()["code"]) == (413, "input.too-large")
        assert service.version == before + 4
        assert (await stated(client, "POST", "/v1/items", lines_of(said[:5]))).json()["accepted"] == 5
        monkeypatch.setattr(bodies, "BODY_BYTES", 100)
        assert (await stated(client, "POST", "/v1/items", lines_of(said[:5]))).status_code == 413

    run(shop, scenario)


def test_lines_that_cannot_be_written_are_told_one_by_one(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upserts, "GROUP", 2)
    said = [{"item": f"i{number}", "attributes": {}} for number in range(4)]

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        real, calls = service.record, []

        async def full_after(events: Any, **more: Any) -> Any:
            calls.append(events)
            if len(calls) != 2:
                return await real(events, **more)
            raise StoreFull("a full disk", "room", "make room")

        monkeypatch.setattr(service, "record", full_after)
        done = (await stated(client, "POST", "/v1/items", lines_of(said))).json()
        assert [one["status"] for one in done["results"]] == ["accepted", "accepted", "rejected", "rejected"]
        assert done["results"][2]["problem"]["code"] == "store.full"
        calls[:] = calls[:1]
        assert (await stated(client, "POST", "/v1/items", lines_of(said[:1]))).status_code == 507

    run(shop, scenario)
