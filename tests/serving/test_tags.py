"""ETags: what is known is not sent again, and of two editors who read the same only one overwrites it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from mutua.errors import Overtaken
from mutua.serving.conditions import Condition
from mutua.serving.service import Service
from recommender_shop import built, copied
from serving.workers import several
from serving_shop import run

USER, ITEM = "/v1/users/u3", "/v1/items/milk"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("tags"))


@pytest.fixture
def shop(stocked: Path, tmp_path: Path) -> Path:
    return copied(stocked, tmp_path)


async def state(client: httpx.AsyncClient, path: str, **attributes: object) -> httpx.Response:
    return await client.patch(path, json={"attributes": attributes})


@pytest.mark.parametrize("path", [USER, ITEM, "/mutua.js"])
def test_what_is_known_is_not_sent_again(shop: Path, path: str) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        await state(client, ITEM, price=1)
        first = await client.get(path)
        tag = first.headers["etag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await client.get(path, headers={"if-none-match": given})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        other = await client.get(path, headers={"if-none-match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)

    run(shop, scenario)


@pytest.mark.parametrize("path", [USER, ITEM])
def test_a_tag_changes_with_what_it_is_of(shop: Path, path: str) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        await state(client, path, colour="red")
        first = await client.get(path)
        assert first.headers["etag"] == f'"{first.json()["tag"]}"'
        await state(client, path, colour="blue")
        again = await client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 200
        assert again.headers["etag"] != first.headers["etag"]

    run(shop, scenario)


def test_consent_changes_the_tag_of_a_user_and_hinders_no_editor(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        await state(client, USER, colour="red")
        tag = (await client.get(USER)).headers["etag"]
        await service.record([{"kind": "consent", "user": "u3", "purpose": "personalise", "granted": False}])
        await service.record([{"user": "u3", "item": "milk"}])
        assert (await client.get(USER, headers={"if-none-match": tag})).status_code == 200
        done = await client.put(USER, json={"attributes": {"colour": "blue"}}, headers={"if-match": tag})
        assert done.status_code == 200

    run(shop, scenario)


@pytest.mark.parametrize("path", [USER, ITEM])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_the_second_of_two_editors_is_refused_and_overwrites_nothing(shop: Path, path: str, method: str) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        await state(client, path, colour="red")
        tag = (await client.get(path)).headers["etag"]
        headers = {"if-match": tag}
        assert (await client.patch(path, json={"attributes": {"colour": "blue"}}, headers=headers)).status_code == 200
        before, version = await client.get(path), service.version
        body = None if method == "DELETE" else {"attributes": {"colour": "green"}}
        refused = await client.request(method, path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (412, "version.overtaken")
        assert (await client.get(path)).json()["attributes"] == before.json()["attributes"]
        assert service.version == version
        newest = {"if-match": before.headers["etag"]}
        assert (await client.request(method, path, json=body, headers=newest)).status_code == 200

    run(shop, scenario)


def test_what_can_be_said_of_a_tag(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        async def status(path: str, given: str) -> int:
            body = {"attributes": {"colour": "red"}}
            return (await client.patch(path, json=body, headers={"if-match": given})).status_code

        assert await status("/v1/items/new", "*") == 412
        await state(client, ITEM, colour="red")
        tag = (await client.get(ITEM)).headers["etag"]
        for given in (f"W/{tag}", '"0"', '"nonsense"', "nonsense", '"', '"99999999999999999999999"'):
            assert await status(ITEM, given) == 412, given
        assert await status(ITEM, f'"0", {tag}') == 200
        assert await status(ITEM, "*") == 200

    run(shop, scenario)


def test_of_many_who_read_the_same_one_changes_it(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        await state(client, ITEM, colour="red")
        headers = {"if-match": (await client.get(ITEM)).headers["etag"]}
        done = await asyncio.gather(
            *(client.patch(ITEM, json={"attributes": {"by": one}}, headers=headers) for one in range(20))
        )
        assert sorted(answer.status_code for answer in done) == [200] + [412] * 19
        winner = next(one for one, answer in enumerate(done) if answer.status_code == 200)
        assert (await client.get(ITEM)).json()["attributes"]["by"] == winner

    run(shop, scenario)


def test_of_editors_on_several_workers_one_changes_it(tmp_path: Path) -> None:
    async def scenario(site: several.Site) -> None:
        here, there = site.workers
        said = {"kind": "item-upsert", "item": "milk", "attributes": {"price": 1}}
        version = (await here.record([said])).version
        only_if = Condition("item", "milk", (version,))
        done = await asyncio.gather(
            *(service.record([said], only_if=only_if) for service in (here, there) * 5), return_exceptions=True
        )
        assert sum(isinstance(one, Overtaken) for one in done) == 9
        stale = Condition("user", "ann", (0,))
        await here.record([{"kind": "user-upsert", "user": "ann", "attributes": {"city": "Bern"}}])
        with pytest.raises(Overtaken):
            await there.forget("ann", only_if=stale)
        assert there.known("ann") >= 0

    several.run(tmp_path, scenario)
