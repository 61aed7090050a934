"""What an answer goes without when there is no time for it, and that it says so."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mutua import Settings
from mutua.errors import TooLate
from mutua.feedback.experiments import Experiment, Variant
from mutua.pipeline.spec import Surface
from mutua.serving.messages import Question
from mutua.serving.service import Service
from recommender_shop import book, built, copied, grocery
from serving_shop import run

PINNED = book(0, 9)
HOME = Settings(
    surfaces={"default": Surface(explore=0.0), "home": Surface(diversity=0.5, pins={1: PINNED}, deadline=2.0)}
)
ANN = "u3"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("degraded"))


@pytest.fixture
def shop(stocked: Path, tmp_path: Path) -> Path:
    return copied(stocked, tmp_path)


def test_with_little_time_left_only_the_ranking_by_relevance_is_done(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        asked = Question(user=ANN, n=5, surface="home", explain=True)
        whole, lighter = service.slate(asked), service.slate(asked, waited=0.3)
        plain = service.slate(Question(user=ANN, n=5))
        assert (whole.degraded, lighter.degraded, lighter.surface) == ("", "linear", "home")
        assert whole.items[0].item == PINNED
        assert lighter.ids == plain.ids
        assert whole.items[1].reasons
        assert not any(entry.reasons or entry.adjustments for entry in lighter.items)

    run(shop, scenario, HOME)


def test_what_is_plain_already_is_not_called_degraded(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        assert service.slate(Question(user=ANN), waited=0.08).degraded == ""

    run(shop, scenario, HOME)


def test_with_less_time_left_what_holds_for_everyone_is_shown_but_nothing_had(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        service.slate(Question(user=ANN))
        had = {event["item"] for event in service.export(ANN) if "item" in event}
        nobody = service.slate(Question(n=30))
        left_out = next(item for item in nobody.ids if item not in had)
        popular = service.slate(Question(user=ANN, n=5, omit=(left_out,)), waited=0.2)
        assert (popular.degraded, len(popular)) == ("popularity", 5)
        assert list(popular.ids) == [item for item in nobody.ids if item not in had | {left_out}][:5]
        assert service.slates.get(popular.id) is not None

    run(shop, scenario, HOME)


def test_rules_hold_on_every_rung(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        await client.delete(f"/v1/items/{grocery(0, 3)}")
        for waited in (0.0, 0.08, 0.2):
            assert grocery(0, 3) not in service.slate(Question(n=100), waited).ids
            asked = service.slate(Question(user=ANN, n=100, where=("category=book 1",)), waited)
            assert asked.ids
            assert set(asked.ids) <= {book(1, number) for number in range(10)}

    run(shop, scenario)


def test_the_list_of_everyone_follows_the_catalogue(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        first = service.slate(Question(n=3), waited=0.2).ids[0]
        await client.delete(f"/v1/items/{first}")
        assert first not in service.slate(Question(n=3), waited=0.2).ids

    run(shop, scenario)


def test_the_answer_says_what_it_went_without_and_the_metrics_count_it(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        whole = await client.post("/v1/recommend", json={"user": ANN})
        assert whole.json()["degraded"] == ""
        service.slate(Question(user=ANN), waited=0.2)
        told = (await client.get("/metrics")).text
        assert 'mutua_slates_total{degraded="nothing"} 1.0' in told
        assert 'mutua_slates_total{degraded="popularity"} 1.0' in told

    run(shop, scenario)


def test_a_request_that_waited_too_long_is_refused_by_its_own_deadline(shop: Path) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        with pytest.raises(TooLate):
            service.slate(Question(user=ANN), waited=0.45)
        assert service.slate(Question(user=ANN), waited=0.45, deadline=10.0).degraded == ""
        wrong = await client.post("/v1/recommend", json={}, headers={"mutua-deadline": "soon"})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "field.invalid")
        assert (await client.post("/v1/recommend", json={}, headers={"mutua-deadline": "900"})).status_code == 200

    run(shop, scenario)


def test_on_every_rung_a_user_gets_his_variant_and_its_rules(shop: Path) -> None:
    books = Surface(where=("category=book 1",), explore=0.0)
    shares = {"as-ever": Variant("default", 0.5), "books": Variant("books", 0.5)}
    split = Settings(
        surfaces={"default": Surface(explore=0.0), "books": books}, experiments={"shelf": Experiment("default", shares)}
    )
    only = {book(1, number) for number in range(10)}

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:  # noqa: ARG001
        asked = [Question(user=f"u{number}", n=5, explain=True) for number in range(12)]
        asked += [Question(n=5, explain=True, context={"session": f"s{number}"}) for number in range(12)]
        for question in asked:
            slates = [service.slate(question, waited) for waited in (0.0, 0.08, 0.2)]
            assert {slate.surface for slate in slates} == {"default"}
            (variant,) = {slate.variant for slate in slates}
            assert all((set(slate.ids) <= only) is (variant == "shelf/books") for slate in slates)
            logged = service.slates.get(slates[-1].id)
            assert logged is not None
            assert (logged.surface, logged.variant) == ("default", variant)
        seen = {service.slate(question, 0.2).variant for question in asked}
        assert seen == {"shelf/as-ever", "shelf/books"}
        assert service.slate(Question(n=5), 0.2).variant == ""

    run(shop, scenario, split)
