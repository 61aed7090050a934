"""Webhooks: signed, tried again, given up, sent again; quiet hours and cap by the user's own clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from mutua.core.clock import DAY, HOUR, SECOND, parse_time
from mutua.errors import ConfigError, Overloaded, StoreFull, StoreVersion
from mutua.serving.push import outbox as outbox_module
from mutua.serving.push.courier import Courier
from mutua.serving.push.delivering import Delivering, Step
from mutua.serving.push.letters import OutboxCounts
from mutua.serving.push.outbox import Outbox, beside
from mutua.serving.push.quiet import Quiet, awake, day_of
from mutua.serving.push.signing import signature, verified
from mutua.serving.push.triggers import Trigger
from mutua.serving.push.webhooks import Webhook, WebhookSettings, pause
from serving.push.receiver import Receiver

SECRET = "a secret of some length"
NOON = parse_time("2026-06-01T12:00:00Z")


@dataclass
class Clock:
    now: int = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


def trigger(user: str = "ann", item: str = "tea", sequence: int = 1, kind: str = "price-fell") -> Trigger:
    return msgspec.convert(
        {"kind": kind, "user": user, "item": item, "time": NOON, "detail": {"share": 0.2}, "sequence": sequence},
        Trigger,
    )


def settings_for(receiver: Receiver, **more: object) -> WebhookSettings:
    plain = WebhookSettings(hooks=(Webhook("crm", receiver.url, SECRET),), private=True)
    return msgspec.structs.replace(plain, **more)


def test_a_receiver_that_fails_first_gets_the_same_signed_body_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.statuses = [500, 302]
    clock = Clock()
    settings = settings_for(receiver)
    with Outbox(tmp_path / "shop.outbox.db") as outbox:
        assert outbox.put([(trigger(), "")], 1, clock.now) == 1
        delivering = Delivering(outbox, settings, clock, draw=lambda: 1.0)
        assert delivering.step() == Step(admitted=1, failed=1)
        assert delivering.step() == Step()
        clock.now += 5 * SECOND
        assert delivering.step() == Step(failed=1)
        clock.now += 5 * SECOND
        assert delivering.step() == Step()
        clock.now += 5 * SECOND
        assert delivering.step() == Step(done=1)
        assert outbox.counts() == OutboxCounts(0, 0, 0, 1, 0)
    assert len(receiver.came) == 3
    assert len({body for _, body in receiver.came}) == 1
    assert len({headers["Mutua-Delivery"] for headers, _ in receiver.came}) == 1
    assert receiver.bodies[0] == {
        "kind": "price-fell",
        "user": "ann",
        "item": "tea",
        "time": NOON / SECOND,
        "detail": {"share": 0.2},
        "sequence": 1,
    }
    for place, (headers, body) in enumerate(receiver.came):
        at = NOON / SECOND + (0, 5, 15)[place]
        assert verified(SECRET, headers["Mutua-Signature"], body, at)
        assert not verified(SECRET, headers["Mutua-Signature"], body + b" ", at)
        assert not verified("another secret of length", headers["Mutua-Signature"], body, at)
        assert not verified(SECRET, headers["Mutua-Signature"], body, at + 301)


def test_what_fails_too_often_is_a_dead_letter_and_can_be_sent_again(receiver: Receiver) -> None:
    receiver.statuses = [503, 503, 503]
    clock = Clock()
    with Outbox(None) as outbox:
        outbox.put([(trigger(), "")], 1, clock.now)
        delivering = Delivering(outbox, settings_for(receiver, attempts=3), clock)
        seen = [delivering.step()]
        for _ in range(2):
            clock.now += HOUR
            seen.append(delivering.step())
        assert [step.dead for step in seen] == [0, 0, 1]
        letters = outbox.dead()
        assert [(one.hook, one.user, one.attempts, one.error) for one in letters] == [("crm", "ann", 3, "status 503")]
        assert msgspec.json.decode(letters[0].body)["item"] == "tea"
        assert outbox.dead(after=letters[0].id) == []
        assert outbox.tidy(clock.now + 29 * DAY) == 0
        assert outbox.redeliver(clock.now, [letters[0].id + 1]) == 0
        assert outbox.redeliver(clock.now, [letters[0].id]) == 1
        assert delivering.step() == Step(done=1)
        assert outbox.redeliver(clock.now) == 0
        assert outbox.tidy(clock.now + 6 * DAY) == 0
        assert outbox.tidy(clock.now + 8 * DAY) == 1


def test_pending_deliveries_survive_a_restart_and_nothing_is_told_twice(receiver: Receiver, tmp_path: Path) -> None:
    receiver.statuses = [500]
    clock, path = Clock(), tmp_path / "shop.outbox.db"
    with Outbox(path) as outbox:
        outbox.put([(trigger(), ""), (trigger("bob"), "")], 7, clock.now)
        outbox.put([(trigger(), "")], 8, clock.now)
        Delivering(outbox, settings_for(receiver), clock).step()
    with Outbox(path) as outbox:
        assert outbox.seen == 8
        assert outbox.put([(trigger(), "")], 3, clock.now) == 0
        assert outbox.seen == 8
        clock.now += HOUR
        assert Delivering(outbox, settings_for(receiver), clock).step() == Step(done=1)
    assert sorted(body["user"] for body in receiver.bodies) == ["ann", "ann", "bob"]
    assert path.stat().st_mode & 0o077 == 0


def test_quiet_hours_put_off_and_do_not_drop(receiver: Receiver) -> None:
    clock = Clock(parse_time("2026-06-01T21:00:00Z"))
    quiet = Quiet("22:00", "08:00", "UTC")
    with Outbox(None) as outbox:
        outbox.put([(trigger("ann"), ""), (trigger("bob"), "Europe/Berlin")], 1, clock.now)
        delivering = Delivering(outbox, settings_for(receiver, quiet=quiet), clock)
        assert delivering.step() == Step(admitted=1, deferred=1, done=1)
        clock.now = parse_time("2026-06-02T05:59:59Z")
        assert delivering.step() == Step()
        clock.now = parse_time("2026-06-02T06:00:00Z")
        assert delivering.step() == Step(admitted=1, done=1)
    assert [body["user"] for body in receiver.bodies] == ["ann", "bob"]


def test_a_second_try_waits_for_the_end_of_quiet_hours_too(receiver: Receiver) -> None:
    receiver.statuses = [500]
    clock = Clock(parse_time("2026-06-01T21:59:58Z"))
    with Outbox(None) as outbox:
        outbox.put([(trigger(), "")], 1, clock.now)
        delivering = Delivering(outbox, settings_for(receiver, quiet=Quiet("22:00", "08:00")), clock)
        delivering.step()
        clock.now += HOUR
        assert delivering.step() == Step()
        clock.now = parse_time("2026-06-02T08:00:00Z")
        assert delivering.step() == Step(done=1)


def test_the_cap_counts_the_user_s_own_days(receiver: Receiver) -> None:
    clock = Clock(parse_time("2026-06-01T21:00:00Z"))
    with Outbox(None) as outbox:
        delivering = Delivering(outbox, settings_for(receiver, cap=2), clock)
        outbox.put([(trigger(item=item), "Europe/Berlin") for item in "abc"], 1, clock.now)
        outbox.put([(trigger("bob"), "Europe/Berlin")], 2, clock.now)
        assert delivering.step() == Step(admitted=3, capped=1, done=3)
        clock.now += HOUR + 1
        outbox.put([(trigger(item="d"), "Europe/Berlin")], 3, clock.now)
        assert delivering.step() == Step(admitted=1, done=1)
        assert outbox.counts().capped == 1


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-06-01T21:59:59Z", "", "2026-06-01T21:59:59Z"),
        ("2026-06-01T22:00:00Z", "", "2026-06-02T07:00:00Z"),
        ("2026-06-01T03:00:00Z", "", "2026-06-01T07:00:00Z"),
        ("2026-06-01T03:00:00Z", "no such zone", "2026-06-01T07:00:00Z"),
        ("2026-06-01T03:00:00Z", "../../etc/passwd", "2026-06-01T07:00:00Z"),
        ("2026-06-01T20:30:00Z", "Europe/Berlin", "2026-06-02T05:00:00Z"),
        ("2026-03-28T23:00:00Z", "Europe/Berlin", "2026-03-29T05:00:00Z"),
        ("2026-10-24T22:00:00Z", "Europe/Berlin", "2026-10-25T06:00:00Z"),
    ],
)
def test_when_quiet_ends_on_the_user_s_wall_clock(now: str, zone: str, until: str) -> None:
    assert awake(parse_time(now), zone, Quiet("22:00", "07:00")) == parse_time(until)


def test_no_quiet_hours_and_those_within_a_day() -> None:
    assert awake(NOON, "", Quiet()) == NOON
    assert awake(NOON, "", Quiet("11:00", "13:00")) == NOON + HOUR
    assert awake(NOON, "", Quiet("12:00", "12:00")) == NOON
    assert day_of(parse_time("2026-06-01T23:00:00Z"), "Asia/Tokyo", "UTC") == "2026-06-02"


def test_a_silent_receiver_uses_up_one_attempt_of_one_delivery() -> None:
    with Receiver().listening() as gone:
        settings = settings_for(gone, timeout=1.0)
    clock = Clock()
    with Outbox(None) as outbox:
        outbox.put([(trigger(item=item), "") for item in "abc"], 1, clock.now)
        delivering = Delivering(outbox, settings, clock)
        assert delivering.step() == Step(admitted=3, failed=1)
        assert delivering.step() == Step()
        assert outbox.counts().pending == 3


def test_only_the_kinds_that_a_hook_wants_go_there(receiver: Receiver) -> None:
    hooks = (
        Webhook("carts", receiver.url, SECRET, kinds=("cart-abandoned",)),
        Webhook("all", receiver.url, SECRET),
    )
    with Outbox(None) as outbox:
        outbox.put([(trigger(), ""), (trigger(kind="cart-abandoned"), "")], 1, NOON)
        step = Delivering(outbox, settings_for(receiver, hooks=hooks), Clock()).step()
    assert step == Step(admitted=2, done=3)


def test_a_forgotten_user_leaves_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "shop.outbox.db"
    with Outbox(path) as outbox:
        outbox.put([(trigger("anastasia-of-the-tests"), ""), (trigger("bob"), "")], 1, NOON)
        assert outbox.forget("anastasia-of-the-tests") == 1
        held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert b"anastasia" not in held
        assert b"bob" in held


def test_another_file_is_not_an_outbox(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(StoreVersion):
        Outbox(path)
    assert beside(Path("/var/shop.db")) == Path("/var/shop.outbox.db")
    assert beside(None) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet": Quiet("25:00", "07:00")},
        {"quiet": Quiet(zone="Europe/Atlantis")},
        {"hooks": (Webhook("a", "ftp://host/", SECRET),)},
        {"hooks": (Webhook("a", "https://host/", "short"),)},
        {"hooks": (Webhook("a", "https://host/", SECRET), Webhook("a", "https://other/", SECRET))},
        {"hooks": (Webhook("", "https://host/", SECRET),)},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(WebhookSettings(), **wrong).checked()


def test_a_secret_may_come_from_the_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    assert Webhook("a", "https://host/", secret_env="HOOK_SECRET").key() == SECRET
    assert SECRET not in repr(WebhookSettings(hooks=(Webhook("a", "https://host/", SECRET),)))


def test_pauses_double_up_to_the_longest_and_half_is_drawn() -> None:
    settings = WebhookSettings(first=2.0, longest=30.0)
    assert [pause(made, settings, 0.0) for made in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert pause(1_000, settings, 1.0) == 30.0


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=1", "v1=ab", "t=²,v1=ab", "t=9" * 50, "t=-1,v1=a", "t=1,v1=ü"])
def test_a_header_that_is_none_is_not_verified(header: str) -> None:
    assert not verified(SECRET, header, b"{}", 1.0)
    assert verified(SECRET, signature(SECRET, 1, b"{}"), b"{}", 1.0)


def test_a_courier_delivers_from_its_own_thread_and_keeps_what_it_was_given(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "shop.outbox.db"
    courier = Courier(lambda: Outbox(path), settings_for(receiver))
    assert courier.start() == 0
    courier.offer([trigger(), trigger("bob")], 5, lambda user: "Europe/Berlin" if user == "ann" else "")
    courier.offer([], 6)
    assert courier.call(lambda outbox: outbox.seen).result(60) == 5
    assert courier.call(lambda outbox: outbox.forget("nobody")).result(60) == 0
    with pytest.raises(ZeroDivisionError):
        courier.call(lambda _: 1 // 0).result(60)
    while courier.counts().result(60).done.done < 2:
        continue
    courier.close()
    courier.close()
    courier.offer([trigger("cid")], 9)
    assert sorted(body["user"] for body in receiver.bodies) == ["ann", "bob"]
    with Outbox(path) as outbox:
        assert outbox.counts() == OutboxCounts(0, 0, 0, 2, 0)


def test_a_full_outbox_takes_nothing_more_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MOST", 2)
    with Outbox(None) as outbox:
        outbox.put([(trigger(), "")], 1, NOON)
        with pytest.raises(StoreFull):
            outbox.put([(trigger("bob"), ""), (trigger("cid"), "")], 2, NOON)
        assert (outbox.seen, outbox.counts().waiting) == (1, 1)
        assert outbox.tidy(NOON + 31 * DAY) == 1
        assert outbox.put([(trigger("bob"), ""), (trigger("cid"), "")], 2, NOON) == 2


def test_a_silent_hook_does_not_hold_up_another(receiver: Receiver) -> None:
    with Receiver().listening() as gone:
        hooks = (Webhook("gone", gone.url, SECRET), Webhook("there", receiver.url, SECRET))
    with Outbox(None) as outbox:
        outbox.put([(trigger(item=item), "") for item in "abc"], 1, NOON)
        step = Delivering(outbox, settings_for(receiver, hooks=hooks), Clock()).step()
    assert step == Step(admitted=3, done=3, failed=1)


def test_an_address_of_a_private_net_is_a_dead_letter_at_once(receiver: Receiver) -> None:
    with Outbox(None) as outbox:
        outbox.put([(trigger(), "")], 1, NOON)
        assert Delivering(outbox, settings_for(receiver, private=False), Clock()).step() == Step(admitted=1, dead=1)
        assert outbox.dead()[0].error == "an address of a private net"
    assert not receiver.came


class Failing(Outbox):
    """An outbox whose disk is full at first."""

    left = 2

    def put(self, triggers: Sequence[tuple[Trigger, str]], seen: int, now: int) -> int:
        if self.left:
            self.left -= 1
            raise StoreFull("the disk", "room", "free space")
        return super().put(triggers, seen, now)


def test_what_a_courier_cannot_write_it_keeps_and_tries_again(receiver: Receiver) -> None:
    courier = Courier(lambda: Failing(None), settings_for(receiver))
    courier.start()
    courier.offer([trigger()], 1)
    while courier.counts().result(60).done.done < 1:
        continue
    courier.close()
    assert len(receiver.came) == 1
    with pytest.raises(Overloaded):
        courier.counts()


def test_a_courier_that_cannot_open_its_outbox_says_so(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no database" * 1_000)
    courier = Courier(lambda: Outbox(tmp_path / "x"), settings_for(receiver))
    with pytest.raises(StoreVersion):
        courier.start()
    courier.close()
