"""The client against the server itself: every verb is sent as the server reads it and read as the server answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from mutua.client import AsyncClient, Retry, Slate, answers
from mutua.client.pushes import Parser
from mutua.core.clock import SECOND
from mutua.errors import NotKnown, UsageError
from mutua.events.kinds import Interaction
from mutua.serving import messages
from mutua.serving.push import sse
from mutua.serving.push.change import Changes
from mutua.serving.push.subscription import HEARTBEAT, Pushed
from mutua.serving.service import Service
from mutua.slates import Slate as MadeSlate
from mutua.slates import SlateItem
from recommender_shop import NOW, book, built, copied
from serving_shop import run

PAIRS = [
    (messages.Recorded, answers.Recorded),
    (messages.Outcome, answers.Outcome),
    (messages.Change, answers.Change),
    (messages.Answer, answers.Slate),
    (messages.Item, answers.SlateItem),
    (messages.Why, answers.Reason),
]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("served"))


@pytest.fixture
def shop(stocked: Path, tmp_path: Path) -> Path:
    return copied(stocked, tmp_path)


def asked(shop: Path, scenario: Callable[[AsyncClient], Awaitable[None]]) -> None:
    """Serves the shop and runs a scenario with the client on it."""

    async def whole(service: Service, http: httpx.AsyncClient) -> None:  # noqa: ARG001
        retry = Retry(attempts=1)
        async with AsyncClient("http://localhost", transport=http._transport, retry=retry) as client:
            await scenario(client)

    run(shop, whole)


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_the_client_knows_every_field_of_an_answer(theirs: type[msgspec.Struct], ours: type[msgspec.Struct]) -> None:
    assert set(theirs.__struct_fields__) <= set(ours.__struct_fields__)


def test_events_and_slates(shop: Path) -> None:
    async def scenario(client: AsyncClient) -> None:
        event = Interaction(user="visitor", item=book(0, 3), type="purchase", time=NOW)
        done = await client.record([event, {"user": "", "item": "x"}], receipt=True)
        assert (done.accepted, done.rejected) == (1, 1)
        problem = done.results[1].problem
        assert problem is not None
        assert problem.code == "id.invalid"
        assert done.receipts[0].user == "visitor"
        slate: Slate = await client.recommend("visitor", 5, min_version=done.version, explain=True, omit=[book(0, 4)])
        assert slate.profile_version == done.version
        assert len(slate.items) == 5
        assert book(0, 4) not in slate.ids
        assert abs(sum(reason.amount for reason in slate.items[0].reasons) - slate.items[0].score) < 1e-5
        assert slate.items[0].words
        seen = {"user": "visitor", "items": list(slate.ids), "slate": slate.slate, "time": NOW / SECOND}
        assert (await client.impressions(seen)).accepted == 1
        anonymous = await client.recommend(events=[{"item": book(0, 3), "type": "view"}], where=["price > 5"])
        assert anonymous.user is None
        with pytest.raises(UsageError):
            await client.recommend("visitor", where=["nonsense ~ 3"])

    asked(shop, scenario)


def test_people_and_items(shop: Path) -> None:
    async def scenario(client: AsyncClient) -> None:
        await client.upsert_user("u0", {"city": "Rome"}, source="crm", time=NOW / SECOND)
        await client.patch_item(book(0, 3), {"price": 3.5}, time=NOW / SECOND)
        assert "city" in (await client.get_user("u0")).attributes
        assert (await client.get_item(book(0, 3))).attributes
        profile = await client.profile("u0")
        assert profile.attributes["city"].value == "Rome"
        assert profile.history.events > 0
        assert profile.interests["category"][0].items
        why = await client.explain("u0", book(0, 3))
        assert abs(sum(reason.amount for reason in why.reasons) - why.score) < 1e-5
        assert len((await client.similar(book(0, 3), 4)).items) == 4
        assert len((await client.trending(3)).items) <= 3
        export = await client.export("u0")
        assert len(export.events) >= profile.history.events
        receipt = await client.forget_user("u0")
        assert receipt.counts["events"] > 0
        with pytest.raises(NotKnown):
            await client.profile("u0")

    asked(shop, scenario)


def test_operation(shop: Path) -> None:
    async def scenario(client: AsyncClient) -> None:
        assert (await client.health()).alive
        assert (await client.ready()).ready

    asked(shop, scenario)


def test_pushes_are_read_as_the_server_writes_them() -> None:
    slate = MadeSlate("s1", "ann", (SlateItem("tea", 0.5),), model_version="m", profile_version=7)
    pushed = Pushed("7-abcd", slate, Changes(entered=("tea",)), 9)
    sent = sse.opening() + sse.frame(HEARTBEAT) + sse.frame(pushed) + sse.ending("slow")
    parser = Parser()
    first, last = parser.feed(sent)
    assert (first.id, first.event, last.event) == ("7-abcd", "slate", "end")
    assert (first.slate.ids, first.slate.version, first.slate.changes.entered) == (("tea",), 9, ("tea",))
    assert (parser.retry, parser.last_id) == (2.0, "7-abcd")
