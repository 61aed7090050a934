"""The tracker in a small JavaScript engine: what it sends, when, and what it never does without consent."""

from __future__ import annotations

import json

import pytest
from page import SHELVES, TRACKER, Page, without

from mutua.events.parsing import parse_batch


def test_it_is_small() -> None:
    assert len(TRACKER.encode()) < 6_000


def test_a_page_about_an_item_is_a_view_of_it_and_others_are_none() -> None:
    page, other = Page(item="milk", user="ann", key="mu_key"), Page()
    page.wait(2)
    other.wait(60)
    [sent] = page.requests
    assert sent["address"] == "https://shop.test/v1/events"
    assert sent["headers"] == {"content-type": "application/json", "authorization": "Bearer mu_key"}
    assert sent["credentials"] == "omit"
    assert sent["body"] == {"events": [{"id": "uuid-1", "user": "ann", "type": "view", "item": "milk"}]}
    assert page.queued == []
    assert other.requests == []
    assert other.storage == {}


def test_the_address_is_that_of_the_script_unless_told() -> None:
    page = Page(endpoint="", item="milk")
    page.wait(2)
    assert page.requests[0]["address"] == "https://cdn.test/v1/events"
    assert "authorization" not in page.requests[0]["headers"]


def test_clicks_and_declared_events_are_those_of_the_nearest_mark() -> None:
    page = Page(user="ann")
    page.run("fire('click', { target: find('mutuaItem', 'tea').children[0] })")
    page.run("fire('click', { target: find('mutuaEvent', 'cart') })")
    page.run("fire('click', { target: find('mutuaItem', 'alone') })")
    page.run("fire('click', { target: document })")
    page.wait(2)
    assert page.events == [
        {"type": "click", "item": "tea", "slate": "s-1"},
        {"type": "cart", "item": "milk", "slate": "s-1", "value": 1.5},
        {"type": "click", "item": "alone"},
    ]


def test_the_verbs_of_a_page() -> None:
    page = Page()
    page.run("mutua.view('a'); mutua.click('b', { slate: 's' }); mutua.cart('c', { value: 2 })")
    page.run("mutua.purchase('d', { id: 'order-1/d', value: 3 }); mutua.track('rating', 'e', { value: 4 })")
    page.run("mutua.impression(['f', 'g'], { slate: 's', surface: 'home' })")
    page.run("mutua.flush()")
    assert [(event.get("type"), event.get("item")) for event in page.events] == [
        ("view", "a"),
        ("click", "b"),
        ("cart", "c"),
        ("purchase", "d"),
        ("rating", "e"),
        (None, None),
    ]
    sent = page.requests[0]["body"]["events"]
    assert sent[3]["id"] == "order-1/d"
    parsed = parse_batch(sent, now=1_767_225_600_000_000)
    assert (len(parsed.events), parsed.refused) == (6, ())


def test_what_was_really_seen_is_one_impression_a_list_in_order_of_position() -> None:
    page = Page(user="ann")
    page.run("show('tea', 'alone')")
    page.run("show('milk')")
    page.wait(3)
    assert page.events == [{"kind": "impression", "items": ["milk", "tea"], "slate": "s-1", "surface": "home"}]
    page.run("show('milk', 'tea')")
    page.run("show('gin')")
    page.wait(3)
    assert page.events[1:] == [{"kind": "impression", "items": ["gin"], "slate": "s-1", "surface": "home"}]


def test_items_that_a_page_adds_later_are_watched() -> None:
    page = Page()
    page.run("document.children[0].add(new Element({ mutuaItem: 'late' })); show('late')")
    page.wait(3)
    assert page.events[0]["items"] == ["late"]


def test_an_anonymous_visitor_keeps_an_id_from_page_to_page() -> None:
    first = Page(item="milk")
    first.wait(2)
    second = Page(item="tea", storage=first.storage)
    second.wait(2)
    users = {sent["body"]["events"][0]["user"] for sent in (*first.requests, *second.requests)}
    assert users == {first.read("mutua.user()")}
    assert users.pop().startswith("anon-")
    second.run("mutua.identify('ann'); mutua.view('gin'); mutua.identify(null); mutua.view('rum'); mutua.flush()")
    assert [event["user"] for event in second.requests[-1]["body"]["events"]] == ["ann", second.read("mutua.user()")]


@pytest.mark.parametrize("before", [SHELVES, SHELVES + "navigator.globalPrivacyControl = true;"])
def test_before_consent_nothing_is_stored_or_sent(before: str) -> None:
    page = Page(before, item="milk", consent="required")
    page.run("mutua.cart('tea'); fire('click', { target: find('mutuaItem', 'tea') }); show('milk'); mutua.flush()")
    page.wait(60)
    page.run("fire('pagehide'); fire('online')")
    assert (page.requests, page.beacons, page.storage) == ([], [], {})
    assert page.read("mutua.user()") is None


def test_consent_begins_with_this_page_and_is_kept() -> None:
    page = Page(item="milk", consent="required", user="ann")
    page.run("mutua.cart('before'); mutua.consent(true); show('gin')")
    page.wait(5)
    assert [without(event, "slate", "surface") for event in page.events] == [
        {"type": "view", "item": "milk"},
        {"kind": "impression", "items": ["gin"]},
    ]
    later = Page(item="tea", consent="required", storage=page.storage)
    later.wait(2)
    assert later.events == [{"type": "view", "item": "tea"}]


def test_revoking_clears_all_and_stops() -> None:
    page = Page(item="milk", consent="required")
    page.run("mutua.consent(true); show('gin'); mutua.consent(false); mutua.view('tea'); show('tea')")
    page.wait(60)
    page.run("fire('pagehide')")
    assert (page.requests, page.beacons, page.storage) == ([], [], {})


def test_revoking_during_a_sending_keeps_nothing_for_later() -> None:
    page = Page(item="milk", consent="required")
    page.run("browser.answers.push(503); mutua.consent(true); mutua.flush(); mutua.consent(false)")
    page.wait(60)
    assert len(page.requests) == 1
    assert page.storage == {}


def test_where_no_consent_is_required_a_refusal_is_remembered() -> None:
    page = Page(item="milk")
    page.run("mutua.consent(false)")
    assert page.storage == {"mutua.consent": "refused"}
    later = Page(item="tea", storage=page.storage)
    later.wait(60)
    assert later.requests == []
    later.run("mutua.consent(true)")
    later.wait(2)
    assert later.events == [{"type": "view", "item": "tea"}]


def test_a_browser_that_asks_not_to_be_tracked_is_heard() -> None:
    page = Page("navigator.globalPrivacyControl = true;", item="milk")
    page.wait(60)
    assert (page.requests, page.storage) == ([], {})


def test_twenty_events_go_at_once_and_fewer_after_two_seconds() -> None:
    page = Page()
    page.run("for (let i = 0; i < 19; i++) mutua.view('i' + i)")
    page.wait(1.9)
    assert page.requests == []
    page.run("mutua.view('i19')")
    assert len(page.events) == 20
    page.run("mutua.view('one more')")
    page.wait(2)
    assert len(page.events) == 21


@pytest.mark.parametrize("answer", ["503", "429", "500", "'offline'"])
def test_what_failed_is_sent_again_with_the_same_ids_ever_more_slowly(answer: str) -> None:
    page = Page(item="milk")
    page.run(f"browser.answers.push({answer}, {answer}, {answer})")
    page.wait(2)
    page.run("mutua.view('meanwhile')")
    times = []
    for _ in range(400):
        before = len(page.requests)
        page.wait(0.1)
        times += [page.read("clock.now")] * (len(page.requests) - before)
    first, second, third = times
    assert 1_000 <= second - first < third - second + 1_000
    ids = [[event["id"] for event in sent["body"]["events"]] for sent in page.requests]
    assert len({one[0] for one in ids}) == 1
    assert len(ids[-1]) == 2
    assert page.queued == []


def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    page = Page(item="milk")
    page.run("browser.answers.push([429, '30'])")
    page.wait(31.9)
    assert len(page.requests) == 1
    page.wait(0.2)
    assert len(page.requests) == 2


def test_what_the_server_refuses_is_not_sent_again() -> None:
    page = Page(item="milk")
    page.run("browser.answers.push(401)")
    page.wait(60)
    assert len(page.requests) == 1
    assert page.queued == []
    assert page.read("browser.warnings") == ["mutua: status 401"]


def test_offline_events_wait_for_the_network_with_their_times() -> None:
    page = Page(item="milk")
    page.run("for (let i = 0; i < 99; i++) browser.answers.push('offline')")
    page.wait(600)
    assert [event["item"] for event in page.queued] == ["milk"]
    page.run("browser.answers = []; fire('online')")
    assert page.events[-1] == {"type": "view", "item": "milk", "time": "2026-01-01T00:00:00.000Z"}
    assert page.queued == []


def test_the_offline_queue_is_bounded_and_keeps_the_newest() -> None:
    page = Page("for (let i = 0; i < 900; i++) browser.answers.push('offline')")
    page.run("for (let i = 0; i < 600; i++) mutua.view('i' + i)")
    assert [event["item"] for event in page.queued] == [f"i{place}" for place in range(100, 600)]
    page.run("browser.answers = []; fire('online')")
    page.wait(60)
    assert page.queued == []
    assert {event["item"] for event in page.events} >= {f"i{place}" for place in range(100, 600)}


def test_leaving_sends_what_waits_with_the_key_in_the_body() -> None:
    page = Page(item="milk", key="mu_key", user="ann")
    page.run("show('gin'); fire('pagehide')")
    [sent] = page.beacons
    assert sent["key"] == "mu_key"
    assert [event.get("item") or event["items"] for event in sent["events"]] == ["milk", ["gin"]]
    page.run("document.visibilityState = 'hidden'; fire('visibilitychange'); fire('pagehide')")
    assert len(page.beacons) == 1
    assert page.queued == []


def test_leaving_sends_in_parts_and_without_a_key_says_none() -> None:
    page = Page("for (let i = 0; i < 900; i++) browser.answers.push('offline')")
    page.run("for (let i = 0; i < 120; i++) mutua.view('i' + i); fire('pagehide')")
    assert [len(sent["events"]) for sent in page.beacons] == [50, 50, 20]
    assert all("key" not in sent for sent in page.beacons)


@pytest.mark.parametrize("code", ["browser.beacon = false", "navigator.onLine = false"])
def test_what_could_not_be_sent_on_leaving_is_sent_by_the_next_page(code: str) -> None:
    page = Page(item="milk")
    page.run(f"{code}; fire('pagehide')")
    later = Page(storage=page.storage)
    later.wait(2)
    assert page.beacons == []
    assert later.requests[0]["body"]["events"][0]["id"] == page.queued[0]["id"]


def test_tabs_that_share_a_queue_lose_nothing() -> None:
    page = Page(item="milk")
    other = json.dumps([*page.queued, {"id": "of another tab", "user": "ann", "at": 0, "type": "view", "item": "tea"}])
    page.run(f"storage['mutua.queue'] = {json.dumps(other)}")
    page.wait(2)
    assert {event["item"] for event in page.events} == {"milk", "tea"}


@pytest.mark.parametrize("broken", ["{", "{}", "7", "null", ""])
def test_a_damaged_queue_is_begun_anew(broken: str) -> None:
    page = Page(item="milk", storage={"mutua.queue": broken})
    page.wait(2)
    assert page.events == [{"type": "view", "item": "milk"}]


@pytest.mark.parametrize(
    "before",
    [
        "Object.defineProperty(globalThis, 'localStorage', { get() { throw new Error('forbidden'); } })",
        "globalThis.localStorage = null",
        "globalThis.localStorage = new Proxy({}, { set() { throw new Error('full'); } })",
    ],
)
def test_a_browser_that_keeps_nothing_still_tracks_its_page(before: str) -> None:
    page = Page(before, item="milk")
    page.run("mutua.view('tea')")
    page.wait(2)
    assert [event["item"] for event in page.events] == ["milk", "tea"]
    assert len({event["user"] for event in page.requests[0]["body"]["events"]}) == 1


def test_without_random_ids_of_the_browser_there_are_others() -> None:
    before = "delete crypto.randomUUID; crypto.getRandomValues = (bytes) => bytes.map((_, place) => place + made++)"
    page = Page(before, item="milk", user="ann")
    page.run("mutua.view('tea')")
    page.wait(2)
    ids = [event["id"] for event in page.requests[0]["body"]["events"]]
    assert len(set(ids)) == 2
    assert all(len(one) >= 31 for one in ids)
