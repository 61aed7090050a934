"""The HTTP interface: the same verbs and the same answers as the library, errors as problems."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from mutua.core.clock import SECOND
from mutua.serving.http.exchange import LIMITS
from mutua.serving.service import Service
from recommender_shop import NOW, book, bought, built, copied, grocery, open_shop
from serving_shop import run


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("served"))


@pytest.fixture
def shop(stocked: Path, tmp_path: Path) -> Path:
    return copied(stocked, tmp_path)


async def posted(client: httpx.AsyncClient, path: str, body: Any, status: int = 200) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def got(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_slate_is_that_of_the_library(shop: Path) -> None:
    with open_shop(shop, write=False) as library:
        slates = {user: library.recommend(user, 7) for user in ("u0", "u1", "nobody")}

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        for user, slate in slates.items():
            asked = await posted(client, "/v1/recommend", {"user": user, "n": 7})
            by_path = await got(client, f"/v1/users/{user}/recommendations?n=7")
            for answer in (asked, by_path):
                assert [entry["item"] for entry in answer["items"]] == list(slate.ids)
                assert [entry["score"] for entry in answer["items"]] == [entry.score for entry in slate.items]
                assert answer["model_version"] == slate.model_version
                assert answer["profile_version"] == slate.profile_version
                assert answer["notes"] == list(slate.notes)

    run(shop, scenario)


def test_an_acknowledged_event_is_in_the_next_slate_and_on_disk(shop: Path) -> None:
    fresh = bought("visitor", book(0, 3), NOW)

    async def scenario(service: Service, client: httpx.AsyncClient) -> int:  # noqa: ARG001
        before = await posted(client, "/v1/recommend", {"user": "visitor"})
        done = await posted(client, "/v1/events", {"events": [fresh]})
        after = await posted(client, "/v1/recommend", {"user": "visitor"})
        assert done["results"] == [{"status": "accepted", "sequence": done["version"]}]
        assert after["profile_version"] == done["version"] > before["profile_version"]
        assert after["items"] != before["items"]
        return int(done["version"])

    version = run(shop, scenario)
    with open_shop(shop, write=False) as library:
        assert library.recommend("visitor").profile_version == version


def test_a_bad_event_never_keeps_a_good_one_out_and_a_repeated_one_changes_nothing(shop: Path) -> None:
    batch = [
        {"id": "e1", "user": "ann", "item": book(0, 1), "type": "view"},
        {"user": "", "item": "x"},
        7,
        {"id": "e1", "user": "ann", "item": book(0, 1), "type": "view"},
    ]

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        first = await posted(client, "/v1/events", {"events": batch})
        again = await posted(client, "/v1/events", {"events": batch})
        assert [one["status"] for one in first["results"]] == ["accepted", "rejected", "rejected", "duplicate"]
        assert [one["status"] for one in again["results"]] == ["duplicate", "rejected", "rejected", "duplicate"]
        assert again["version"] == first["version"] == first["results"][0]["sequence"]
        assert first["results"][1]["problem"]["code"] == "id.invalid"
        assert len((await got(client, "/v1/users/ann/export"))["events"]) == 1

    run(shop, scenario)


def test_two_equal_clicks_without_id_and_time_are_two(shop: Path) -> None:
    click = {"user": "ann", "item": book(0, 1), "type": "view"}

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        for _ in range(2):
            assert (await posted(client, "/v1/events", {"events": [click]}))["accepted"] == 1

    run(shop, scenario)


def test_lines_and_packed_bodies_are_read(shop: Path) -> None:
    events = [bought("ann", book(0, number), NOW - number) for number in range(3)]
    lines = "\n".join([*map(json.dumps, events), "{not json"]).encode()

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
        answer = await client.post("/v1/events", content=gzip.compress(lines), headers=headers)
        assert [one["status"] for one in answer.json()["results"]] == ["accepted"] * 3 + ["rejected"]

    run(shop, scenario)


def test_bodies_have_a_bound_packed_or_not(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        large = await client.post("/v1/events", content=b" " * (LIMITS.body_bytes + 1))
        bomb = gzip.compress(b" " * (LIMITS.unpacked_bytes + 1))
        packed = await client.post("/v1/events", content=bomb, headers={"content-encoding": "gzip"})
        deep = await client.post("/v1/events", content=b"[" * 1_000 + b"]" * 1_000)
        for refused in (large, packed, deep):
            assert (refused.status_code, refused.json()["code"]) == (413, "input.too-large")

    run(shop, scenario)


def test_a_receipt_tells_what_the_events_changed(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        body = {"events": [bought("zoe", book(1, 2), NOW)], "receipt": True}
        (told,) = (await posted(client, "/v1/events", body))["receipts"]
        assert told["user"] == "zoe"
        assert told["before"] == {}
        assert told["after"]["category"][0]["label"] == "book 1"
        assert book(1, 2) in told["fell"] or told["rose"]

    run(shop, scenario)


def test_waiting_for_a_version(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        question = {"user": "u1", "min_version": service.version, "wait": 0}
        assert (await posted(client, "/v1/recommend", question))["notes"] == []
        late = await posted(client, "/v1/recommend", {**question, "min_version": service.version + 1, "wait": 0.01})
        assert "the wait" in late["notes"][-1]
        assert await service.reached(service.version, 0)

    run(shop, scenario)


def test_what_no_wait_would_mend_is_refused_before_it(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        waited: list[int] = []

        async def reached(version: int, seconds: float) -> bool:  # noqa: ARG001
            waited.append(version)
            return False

        monkeypatch.setattr(service, "reached", reached)
        question = {"user": "u1", "min_version": service.version + 1, "surface": "nowhere"}
        assert (await client.post("/v1/recommend", json=question)).status_code == 400
        assert waited == []

    run(shop, scenario)


def test_rules_omission_inline_events_and_reasons(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        question = {"user": "u0", "n": 5, "where": ["category=grocery 0"], "explain": True}
        first = await posted(client, "/v1/recommend", question)
        assert first["items"]
        assert all("grocery" in entry["item"] for entry in first["items"])
        for entry in first["items"]:
            assert sum(reason["amount"] for reason in entry["reasons"]) == pytest.approx(entry["score"], rel=1e-4)
            assert entry["words"]
        best = first["items"][0]["item"]
        omitted = await posted(client, "/v1/recommend", {**question, "omit": [best]})
        assert best not in [entry["item"] for entry in omitted["items"]]
        inline = {"n": 5, "events": [{"item": book(1, 1), "type": "purchase"}]}
        assert (await posted(client, "/v1/recommend", inline))["items"] != (
            await posted(client, "/v1/recommend", {"n": 5})
        )["items"]

    run(shop, scenario)


def test_as_of_an_earlier_record_time(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        long_ago = await posted(client, "/v1/recommend", {"user": "u0", "as_of": "2020-01-01"})
        assert "no history" in long_ago["notes"][0]
        assert long_ago["profile_version"] == 0

    run(shop, scenario)


def test_items_and_users_are_stated_mended_and_read(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        path = "/v1/items/new"
        assert (await client.put(path, json={"attributes": {"title": "New", "price": 3}})).status_code == 200
        assert (await client.patch(path, json={"attributes": {"price": 4}})).status_code == 200
        assert (await got(client, path))["attributes"] == {"price": 4, "title": "New"}
        assert (await client.put(path, json={"attributes": {"title": "Newer"}})).status_code == 200
        assert (await got(client, path))["attributes"] == {"title": "Newer"}
        bad = await client.patch(path, json={"attributes": {"": 1}})
        assert (bad.status_code, bad.json()["code"]) == (400, "id.invalid")
        assert (await client.patch("/v1/users/ann", json={"attributes": {"age": 31}})).status_code == 200
        assert (await got(client, "/v1/users/ann"))["attributes"]["age"]["value"] == 31

    run(shop, scenario)


def test_ids_may_hold_what_paths_are_made_of(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        path = "/v1/items/a%2Fb%20%3F"
        assert (await client.put(path, json={"attributes": {"price": 3}})).status_code == 200
        assert (await got(client, path))["item"] == "a/b ?"
        await posted(client, "/v1/events", {"events": [{"user": "x/y", "item": "a/b ?", "type": "purchase"}]})
        assert (await got(client, "/v1/users/x%2Fy/profile"))["user"] == "x/y"
        assert (await got(client, "/v1/users/x%2Fy/recommendations"))["user"] == "x/y"
        assert (await got(client, "/v1/users/x%2Fy"))["user"] == "x/y"

    run(shop, scenario)


def test_a_deleted_item_is_in_no_slate_and_comes_back_when_it_is_available(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        async def best() -> list[str]:
            answer = await posted(client, "/v1/recommend", {"user": "u0", "n": 50})
            return [entry["item"] for entry in answer["items"]]

        first = (await best())[0]
        assert (await client.delete(f"/v1/items/{first}")).status_code == 200
        assert first not in await best()
        assert (await client.patch(f"/v1/items/{first}", json={"attributes": {"available": True}})).status_code == 200
        assert first in await best()
        assert (await client.delete("/v1/items/never-heard-of")).status_code == 404

    run(shop, scenario)


def test_forgetting_a_user_leaves_nothing(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        before = await posted(client, "/v1/recommend", {"user": "u3"})
        receipt = (await client.delete("/v1/users/u3")).json()
        assert receipt["counts"]["events"] > 0
        assert all(check["ok"] for check in receipt["checks"])
        await got(client, "/v1/users/u3/profile", 404)
        await got(client, "/v1/users/u3/export", 404)
        after = await posted(client, "/v1/recommend", {"user": "u3"})
        assert after["profile_version"] == 0 < before["profile_version"]
        again = await posted(client, "/v1/events", {"events": [bought("u3", book(0, 1), NOW)]})
        assert again["accepted"] == 1

    run(shop, scenario)


def test_alike_why_profile_and_trending(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        alike = await got(client, f"/v1/items/{grocery(0, 1)}/similar?n=3")
        assert len(alike["items"]) == 3
        why = await got(client, f"/v1/users/u0/explain/{grocery(0, 1)}")
        assert sum(reason["amount"] for reason in why["reasons"]) == pytest.approx(why["score"], rel=1e-4)
        assert (await got(client, "/v1/users/u0/profile"))["interests"]["category"]
        for _ in range(3):
            await posted(client, "/v1/events", {"events": [{"user": "ann", "item": "craze", "type": "purchase"}]})
        assert (await got(client, "/v1/trending?n=1"))["items"][0]["item"] == "craze"

    run(shop, scenario)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, "http.not-found"),
        ("PUT", "/v1/recommend", None, 405, "http.method"),
        ("POST", "/v1/users/u0/recommendations", None, 405, "http.method"),
        ("POST", "/healthz", None, 405, "http.method"),
        ("POST", "/v1/recommend", {"n": 0}, 400, "field.invalid"),
        ("POST", "/v1/recommend", {"surprise": 1}, 400, "field.invalid"),
        ("POST", "/v1/recommend", {"surface": "nowhere"}, 400, "config.invalid"),
        ("POST", "/v1/recommend", {"where": ["="]}, 400, "usage"),
        ("POST", "/v1/recommend", {"as_of": "yesterday"}, 400, "time.invalid"),
        ("POST", "/v1/events", {"events": [{}] * 10_001}, 413, "input.too-large"),
        ("GET", "/v1/users/u0/recommendations?n=many", None, 400, "field.invalid"),
        ("GET", "/v1/trending?n=0", None, 400, "field.invalid"),
        ("GET", "/v1/items/unknown/similar", None, 404, "id.unknown"),
        ("GET", "/v1/users/u0/profile?as_of=never", None, 400, "time.invalid"),
    ],
)
def test_every_error_is_a_coded_problem(
    stocked: Path, method: str, path: str, body: Any, status: int, code: str
) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        answer = await client.request(method, path, json=body)
        told = answer.json()
        assert (answer.status_code, told["code"], told["status"]) == (status, code, status)
        assert answer.headers["content-type"] == "application/problem+json"
        assert told["came"]
        assert told["expected"]
        assert told["do"]

    run(stocked, scenario)


def test_the_description_needs_no_outside_address(stocked: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        page = (await client.get("/docs")).text
        assert "://" not in page.replace("http://www.w3.org", "")
        described = await got(client, "/openapi.json")
        assert {"/v1/events", "/v1/recommend", "/v1/users/{user}/profile"} <= described["paths"].keys()
        assert {"Question", "Answer", "Recorded", "Problem"} <= described["components"]["schemas"].keys()

    run(stocked, scenario)


def test_figures_count_what_happened(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        await posted(client, "/v1/events", {"events": [bought("ann", book(0, 1), NOW - SECOND)]})
        await posted(client, "/v1/recommend", {"user": "ann"})
        text = (await client.get("/metrics")).text
        assert 'mutua_events_total{outcome="accepted"} 1.0' in text
        assert "mutua_slate_seconds_count 1.0" in text
        assert (await got(client, "/readyz"))["ready"] is True
        assert (await got(client, "/healthz"))["alive"] is True

    run(shop, scenario)
