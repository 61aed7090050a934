"""Both clients: what they send, what they answer, how often they try, which errors they raise."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime

import httpx
import pytest
from wire import BOTH, RECORDED, SLATE, Ask, Wire, problem

from mutua import errors
from mutua.client import AsyncClient, Attributes, Client, Outcome, Retry
from mutua.events.kinds import Interaction, ItemUpsert

EVENT = {"user": "ann", "item": "milk", "type": "purchase"}
OK = httpx.Response(200, json=RECORDED)

asking = pytest.mark.parametrize("ask", BOTH)


@asking
def test_events_get_ids_and_keep_their_own(ask: Ask) -> None:
    wire = Wire(OK)
    done = ask(wire, "record", [EVENT, EVENT, EVENT | {"id": "order-1"}], receipt=True)
    assert (done.accepted, done.version, done.results) == (1, 7, (Outcome("accepted", 7),))
    first, second, third = (event["id"] for event in wire.bodies[0]["events"])
    assert len({first, second}) == 2
    assert third == "order-1"
    assert wire.bodies[0]["receipt"] is True
    assert wire.last.headers["authorization"] == "Bearer mu_secret"
    assert wire.last.headers["content-type"] == "application/json"


@asking
def test_events_of_the_library_are_sent_as_the_server_reads_them(ask: Ask) -> None:
    wire = Wire(OK)
    ask(wire, "record", Interaction(user="ann", item="milk", time=1_500_000, id="a"))
    ask(wire, "record", [ItemUpsert(item="milk", attributes={"price": 1.5}, id="b")])
    shown = {"kind": "interaction", "user": "ann", "item": "milk", "type": "view", "source": "api", "id": "a"}
    assert wire.bodies[0]["events"] == [shown | {"time": "1970-01-01T00:00:01.500000Z"}]
    assert wire.bodies[1]["events"][0]["attributes"] == {"price": 1.5}


@asking
def test_impressions_get_ids_too(ask: Ask) -> None:
    wire = Wire(OK)
    ask(wire, "impressions", {"user": "ann", "items": ["tea", "milk"], "slate": "s-1"})
    [seen] = wire.bodies[0]["impressions"]
    assert seen.pop("id")
    assert seen == {"user": "ann", "items": ["tea", "milk"], "slate": "s-1"}
    assert wire.last.url.path == "/v1/impressions"


@asking
def test_a_question_says_only_what_was_asked(ask: Ask) -> None:
    wire = Wire(httpx.Response(200, json=SLATE))
    slate = ask(wire, "recommend", "ann")
    assert wire.bodies == [{"user": "ann"}]
    assert slate.ids == ("tea",)
    assert slate.items[0].adjustments[0].moved == 2
    assert slate.items[0].reasons[0].sequences == (7,)
    assert (slate.slate, slate.profile_version) == ("s-1", 7)


@asking
def test_a_question_says_all_that_was_asked(ask: Ask) -> None:
    wire = Wire(httpx.Response(200, json=SLATE))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ask(
        wire,
        "recommend",
        None,
        0,
        surface="home",
        context={"page": "front"},
        where=["price < 5"],
        exclude="off",
        omit=["gin"],
        events=[EVENT],
        attributes={},
        min_version=7,
        wait=0,
        as_of=moment,
        explain=True,
    )
    assert wire.bodies[0] == {
        "n": 0,
        "surface": "home",
        "context": {"page": "front"},
        "where": ["price < 5"],
        "exclude": "off",
        "omit": ["gin"],
        "events": [EVENT],
        "attributes": {},
        "min_version": 7,
        "wait": 0,
        "as_of": "2026-01-01T00:00:00Z",
        "explain": True,
    }


PROFILE = {"user": "ann", "version": 7, "now": "2026-01-01T00:00:00Z", "attributes": {"city": {"value": "Rome"}}}
READS = [
    ("similar", ("milk", 3), "/v1/items/milk/similar?n=3", {"items": [{"item": "tea", "score": 0.4}]}),
    ("trending", (), "/v1/trending?n=10", {"items": [{"item": "tea", "count": 2.0}]}),
    ("profile", ("ann",), "/v1/users/ann/profile", PROFILE),
    ("explain", ("ann", "milk"), "/v1/users/ann/explain/milk", {"user": "ann", "item": "milk", "score": 1.0}),
    ("export", ("ann",), "/v1/users/ann/export", {"user": "ann", "events": [EVENT]}),
    ("get_user", ("ann",), "/v1/users/ann", {"user": "ann", "attributes": {}}),
    ("get_item", ("a/b c",), "/v1/items/a%2Fb%20c", {"item": "a/b c", "attributes": {"price": 1}}),
    ("get_user", ("..",), "/v1/users/%2E%2E", {"user": "..", "attributes": {}}),
    ("health", (), "/healthz", {"alive": True}),
    ("ready", (), "/readyz", {"ready": True, "version": 7}),
]


@asking
@pytest.mark.parametrize(("verb", "args", "target", "answer"), READS)
def test_reading_verbs(ask: Ask, verb: str, args: tuple[object, ...], target: str, answer: dict[str, object]) -> None:
    wire = Wire(httpx.Response(200, json=answer))
    found = ask(wire, verb, *args)
    assert (wire.last.method, wire.last.url.raw_path.decode()) == ("GET", target)
    assert {getattr(found, name) is not None for name in answer} == {True}


@asking
def test_instants_of_a_profile_are_in_the_query(ask: Ask) -> None:
    wire = Wire(httpx.Response(200, json=PROFILE))
    found = ask(wire, "profile", "ann", as_of=datetime(2026, 1, 1, tzinfo=UTC), as_of_event=5.5)
    assert dict(wire.last.url.params) == {"as_of": "2026-01-01T00:00:00+00:00", "as_of_event": "5.5"}
    assert found.attributes["city"].value == "Rome"


@asking
def test_attributes_are_stated_and_forgotten(ask: Ask) -> None:
    wire = Wire(OK)
    for noun, outer in (("user", "ann"), ("item", "milk")):
        ask(wire, f"upsert_{noun}", outer, {"city": "Rome"}, source="crm", time="2026-01-01")
        assert (wire.last.method, wire.last.url.path) == ("PUT", f"/v1/{noun}s/{outer}")
        assert wire.bodies[-1] == {"attributes": {"city": "Rome"}, "source": "crm", "time": "2026-01-01"}
        ask(wire, f"patch_{noun}", outer, {"city": None})
        assert (wire.last.method, wire.bodies[-1]) == ("PATCH", {"attributes": {"city": None}})
    gone = Wire(httpx.Response(200, json={"kind": "user", "counts": {"events": 3}}))
    assert ask(gone, "forget_user", "ann").counts == {"events": 3}
    assert (gone.last.method, gone.last.url.path) == ("DELETE", "/v1/users/ann")
    gone = Wire(httpx.Response(200, json={"kind": "event", "counts": {"events": 1}}))
    assert ask(gone, "forget_event", "e/1").counts == {"events": 1}
    assert gone.last.url.raw_path == b"/v1/events/e%2F1"
    assert ask(wire, "remove_item", "milk").accepted == 1
    assert (wire.last.method, wire.last.url.path) == ("DELETE", "/v1/items/milk")


@asking
def test_many_are_stated_in_lines_each_with_an_id(ask: Ask) -> None:
    wire = Wire(OK)
    for name, method in (("upsert", "PUT"), ("patch", "POST")):
        for noun in ("user", "item"):
            said = [{noun: "a", "attributes": {"city": "Rome"}, "id": "mine"}, {noun: "b", "attributes": {"x": None}}]
            assert ask(wire, f"{name}_{noun}s", said).accepted == 1
            assert (wire.last.method, wire.last.url.path) == (method, f"/v1/{noun}s")
            assert wire.last.headers["content-type"] == "application/x-ndjson"
            lines = [json.loads(line) for line in wire.last.content.splitlines()]
            assert lines[0] == said[0]
            assert lines[1] | {"id": ""} == said[1] | {"id": ""}
            assert lines[1]["id"]


@asking
def test_metrics_are_text(ask: Ask) -> None:
    assert ask(Wire(httpx.Response(200, text="mutua_up 1\n")), "metrics") == "mutua_up 1\n"


@asking
def test_a_server_that_is_not_ready_is_no_error_and_not_asked_again(ask: Ask) -> None:
    wire = Wire(httpx.Response(503, json={"ready": False}))
    assert ask(wire, "ready").ready is False
    assert len(wire.requests) == 1


@asking
def test_a_busy_server_is_asked_again_with_the_same_ids(ask: Ask) -> None:
    wire = Wire(problem("server.overloaded", 503), problem("rate.limited", 429), OK)
    assert ask(wire, "record", EVENT).accepted == 1
    assert len(wire.requests) == 3
    assert len({request.content for request in wire.requests}) == 1


@asking
def test_a_lost_connection_is_tried_again_with_the_same_ids(ask: Ask) -> None:
    wire = Wire(httpx.ReadTimeout("timed out"), httpx.ConnectError("refused"), OK)
    assert ask(wire, "record", EVENT).accepted == 1
    assert len({request.content for request in wire.requests}) == 1


@asking
def test_forgetting_is_not_sent_again_after_a_lost_connection(ask: Ask) -> None:
    wire = Wire(httpx.ReadTimeout("timed out"))
    with pytest.raises(errors.ServerUnreachable, match="timed out"):
        ask(wire, "forget_user", "ann")
    assert len(wire.requests) == 1
    refused = Wire(problem("server.overloaded", 503), httpx.Response(200, json={}))
    ask(refused, "forget_user", "ann")
    assert len(refused.requests) == 2


@asking
def test_trying_ends(ask: Ask) -> None:
    busy, gone = Wire(problem("server.overloaded", 503)), Wire(httpx.ConnectError(""))
    with pytest.raises(errors.Overloaded):
        ask(busy, "recommend", "ann")
    with pytest.raises(errors.ServerUnreachable) as caught:
        ask(gone, "recommend", "ann")
    garbled = Wire(httpx.DecodingError("not gzip"), OK)
    assert ask(garbled, "record", EVENT).accepted == 1
    assert (len(busy.requests), len(gone.requests)) == (3, 3)
    assert caught.value.code == "server.unreachable"
    assert "ConnectError" in caught.value.came


@asking
def test_a_server_that_asks_for_too_long_a_wait_is_left(ask: Ask) -> None:
    wire = Wire(problem("rate.limited", 429, **{"retry-after": "3600"}))
    with pytest.raises(errors.MutuaError):
        ask(wire, "recommend", "ann")
    assert len(wire.requests) == 1


@asking
def test_problems_are_the_errors_of_their_codes(ask: Ask) -> None:
    for code, status, kind in (
        ("id.unknown", 404, errors.NotKnown),
        ("field.invalid", 400, errors.InvalidField),
        ("store.full", 507, errors.StoreFull),
        ("of.a-newer-server", 418, errors.MutuaError),
    ):
        wire = Wire(problem(code, status))
        with pytest.raises(kind) as caught:
            ask(wire, "profile", "ann")
        error = caught.value
        assert (type(error), error.code) == (kind, code)
        assert (error.came, error.expected, error.do) == ("what came", "what was expected", "what to do")
        assert len(wire.requests) == 1
    assert errors.MutuaError.code == "mutua"


@asking
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"accepted": "many"}),
        httpx.Response(200, content=b"\xff"),
        httpx.Response(502, text="<html>"),
        httpx.Response(302, headers={"location": "http://elsewhere.test/"}),
    ],
)
def test_what_is_no_answer_of_this_server_is_said(ask: Ask, answer: httpx.Response) -> None:
    with pytest.raises(errors.ServerAnswer) as caught:
        ask(Wire(answer), "record", EVENT)
    assert "mu_secret" not in str(caught.value)


@asking
def test_what_cannot_be_sent_is_said_before_sending(ask: Ask) -> None:
    wire = Wire(OK)
    for verb, args in (("record", [EVENT | {"value": object()}]), ("profile", [""]), ("get_item", [None])):
        with pytest.raises(errors.UsageError):
            ask(wire, verb, *args)
    assert wire.requests == []


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://shop:port"},
        {"base_url": "ftp://shop"},
        {"base_url": "shop"},
        {"key": "mu a"},
        {"key": "mü"},
    ],
)
def test_bad_addresses_and_keys_are_said_at_once(kind: type, given: dict[str, str]) -> None:
    with pytest.raises(errors.UsageError) as caught:
        kind(**given)
    assert "mu a" not in str(caught.value)


def test_a_key_is_not_shown() -> None:
    with Client("http://shop.test", key="mu_secret") as client:
        assert "mu_secret" not in repr(client)


def test_both_clients_have_the_same_verbs_with_the_same_arguments() -> None:
    def verbs(kind: type) -> dict[str, list[str]]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(one).parameters) for name, one in found if not name.startswith("_")}

    assert verbs(Client) == verbs(AsyncClient)
    assert verbs(Client)["similar"] == ["self", "item", "n"]
    assert "durably" in (Client.record.__doc__ or "")


def test_the_wait_grows_and_honours_the_server() -> None:
    retry = Retry(attempts=10, first=0.2, longest=2.0)
    assert [retry.wait(sent, 1.0) for sent in (1, 2, 3, 4, 9)] == [0.2, 0.4, 0.8, 1.6, 2.0]
    assert retry.wait(1, 0.0) == 0.1
    assert retry.wait(1, 1.0, asked=1.5) == 1.5
    assert retry.wait(1, 1.0, asked=3.0) is None
    assert retry.wait(10, 1.0) is None


def test_what_is_sent_is_json() -> None:
    wire = Wire(OK)
    BOTH[0](wire, "record", EVENT | {"time": datetime(2026, 1, 1, tzinfo=UTC), "id": "a"})
    assert json.loads(wire.last.content) == {"events": [EVENT | {"time": "2026-01-01T00:00:00Z", "id": "a"}]}


@asking
def test_a_change_names_the_tag_of_what_was_read(ask: Ask) -> None:
    wire = Wire(OK)
    ask(wire, "patch_item", "milk", {"price": 2}, tag="17")
    assert wire.last.headers["if-match"] == '"17"'
    ask(wire, "patch_item", "milk", {"price": 2})
    assert "if-match" not in wire.last.headers


@asking
def test_a_change_that_depends_on_a_tag_is_not_sent_again_after_a_lost_connection(ask: Ask) -> None:
    for verb, args in (("upsert_user", ("ann", {})), ("remove_item", ("milk",))):
        lost = Wire(httpx.ConnectError(""), OK)
        with pytest.raises(errors.ServerUnreachable):
            ask(lost, verb, *args, tag="17")
        assert ask(Wire(httpx.ConnectError(""), OK), verb, *args).accepted == 1


@asking
def test_what_was_overtaken_is_told(ask: Ask) -> None:
    with pytest.raises(errors.Overtaken):
        ask(Wire(problem("version.overtaken", 412)), "upsert_item", "milk", {}, tag="17")


@asking
def test_what_is_known_is_not_sent_again(ask: Ask) -> None:
    known = Attributes({"price": 1}, item="milk", tag="17")
    wire = Wire(httpx.Response(304))
    assert ask(wire, "get_item", "milk", known=known) is known
    assert wire.last.headers["if-none-match"] == '"17"'
    newer = Wire(httpx.Response(200, json={"item": "milk", "tag": "18", "attributes": {"price": 2}}))
    assert ask(newer, "get_item", "milk", known=known).tag == "18"
