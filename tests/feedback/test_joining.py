"""Feedback joined to slates: by the slate it names, else by the list last seen, within a day."""

from __future__ import annotations

from collections.abc import Iterable

from mutua.core.clock import DAY, HOUR
from mutua.events.kinds import AnyEvent, Impression, Interaction
from mutua.feedback.joining import Joined, Unit, joined
from mutua.store.logged import LoggedSlate

USERS = {"ann": 0, "bob": 1, "cho": 2}


def slate(name: str, user: int, time: int, variant: str = "x/a") -> LoggedSlate:
    return LoggedSlate(name, user, time, bytes(13), variant=variant)


def saw(user: str, slate: str, time: int, *items: str) -> Impression:
    return Impression(user=user, items=items, slate=slate, time=time)


def did(
    user: str, item: str, kind: str, time: int, slate: str | None = None, value: float | None = None
) -> Interaction:
    return Interaction(user=user, item=item, type=kind, time=time, slate=slate, value=value)


def found(slates: Iterable[LoggedSlate], *events: AnyEvent) -> Joined:
    return joined(
        slates,
        lambda start: [event for event in events if (event.time or 0) >= start],
        USERS.get,
        is_click="click".__eq__,
        is_goal="purchase".__eq__,
    )


def test_feedback_counts_for_the_slate_that_it_names() -> None:
    told = found(
        [slate("s1", 0, HOUR), slate("s2", 1, HOUR, "x/b")],
        saw("ann", "s1", HOUR, "milk"),
        did("ann", "milk", "click", 2 * HOUR, "s1"),
        did("ann", "milk", "purchase", 3 * HOUR, "s1", 4.0),
        did("bob", "milk", "purchase", 3 * HOUR, "other"),
    )
    assert told.units == {"a": [Unit(1, 1, 1, 1, 4.0)], "b": [Unit(1)]}


def test_feedback_without_a_slate_counts_for_the_list_seen_last_that_held_the_item() -> None:
    told = found(
        [slate("s1", 0, HOUR), slate("s2", 0, 2 * HOUR)],
        saw("ann", "s1", HOUR, "milk", "tea"),
        saw("ann", "s2", 2 * HOUR, "milk"),
        did("ann", "milk", "click", 3 * HOUR),
        did("ann", "tea", "purchase", 3 * HOUR, value=2.0),
        did("ann", "rye", "purchase", 3 * HOUR),
        did("bob", "milk", "purchase", 3 * HOUR),
    )
    assert told.units == {"a": [Unit(2, 2, 1, 1, 2.0)]}


def test_what_comes_a_day_later_before_it_or_of_another_counts_for_nothing() -> None:
    told = found(
        [slate("s1", 0, 2 * HOUR)],
        saw("ann", "s1", 2 * HOUR, "milk"),
        did("ann", "milk", "purchase", 2 * HOUR + DAY + 1, "s1"),
        did("ann", "milk", "purchase", 2 * HOUR + DAY + 1),
        did("ann", "milk", "click", HOUR, "s1"),
        did("bob", "milk", "purchase", 3 * HOUR, "s1"),
    )
    assert told.units == {"a": [Unit(1, 1)]}


def test_a_slate_served_is_not_a_list_seen_and_who_moved_is_left_out() -> None:
    told = found(
        [slate("s1", 0, HOUR), slate("s2", 0, HOUR, "x/b"), slate("s3", 1, HOUR), slate("s4", -1, HOUR)],
        did("bob", "milk", "click", 2 * HOUR, "s3"),
        did("cho", "milk", "purchase", 2 * HOUR, "s4", 1.0),
    )
    assert told.units == {"a": [Unit(1), Unit(1, 0, 0, 1, 1.0)]}
    assert (told.moved, told.anonymous) == (1, 1)
