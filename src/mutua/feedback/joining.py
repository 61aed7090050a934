"""Feedback joined to the slates of an experiment: what was seen, clicked and bought because of which.

An event belongs to the slate that it names, if that is not older than a day; one that names none, to the newest list
that its user really saw in the day before and that held its item. A slate served is not a list seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mutua.core.clock import DAY
from mutua.events.kinds import AnyEvent, Impression, Interaction
from mutua.feedback.experiments import BETWEEN
from mutua.store.logged import ANONYMOUS, LoggedSlate

WINDOW = DAY


@dataclass
class Unit:
    """One user's part in an experiment; an anonymous slate is a unit of its own.

    Args:
        slates, impressions: served, and seen; clicked: seen and clicked.
        goals, value: conversions and their value.
    """

    slates: int = 0
    impressions: int = 0
    clicked: int = 0
    goals: int = 0
    value: float = 0.0


@dataclass
class Served:
    """A slate of the experiment and what came of it."""

    variant: str
    unit: int | str
    time: int
    user: int
    seen: bool = False
    clicked: bool = False
    goals: int = 0
    value: float = 0.0


@dataclass
class Joined:
    """The units of each variant.

    Args:
        units: by variant, in order of first appearance.
        moved: users who were served more than one variant, left out.
        anonymous: slates of nobody known.
    """

    units: dict[str, list[Unit]] = field(default_factory=dict)
    moved: int = 0
    anonymous: int = 0


def joined(
    slates: Iterable[LoggedSlate],
    events: Callable[[int], Iterable[AnyEvent]],
    user_of: Callable[[str], int | None],
    *,
    is_click: Callable[[str], bool],
    is_goal: Callable[[str], bool],
) -> Joined:
    """Returns what the users of each variant did.

    Args:
        slates: those of one experiment.
        events: yields impressions and interactions from a time on, microseconds UTC; called twice.
        user_of: inner index of a user.
        is_click, is_goal: whether a type of event counts so.
    """
    served = {slate.id: _served(slate) for slate in slates}
    if not served:
        return Joined()
    start = min(slate.time for slate in served.values())
    shown: defaultdict[tuple[str, str], list[tuple[int, Served]]] = defaultdict(list)
    for event in events(start):
        if isinstance(event, Impression) and (named := served.get(event.slate or "")) is not None:
            named.seen = True
            for item in event.items:
                shown[event.user, item].append((event.time or 0, named))
    for event in events(start):
        if isinstance(event, Interaction):
            slate = _cause(event, served, shown, user_of)
            if slate is not None:
                slate.clicked |= is_click(event.type)
                if is_goal(event.type):
                    slate.goals += 1
                    slate.value += event.value or 0.0
    return _gathered(served.values())


def _served(slate: LoggedSlate) -> Served:
    unit = slate.id if slate.user == ANONYMOUS else slate.user
    return Served(slate.variant.partition(BETWEEN)[2], unit, slate.time, slate.user)


def _cause(
    event: Interaction,
    served: dict[str, Served],
    shown: dict[tuple[str, str], list[tuple[int, Served]]],
    user_of: Callable[[str], int | None],
) -> Served | None:
    """The slate that an event answers, None for none of this experiment."""
    time = event.time or 0
    if event.slate is not None:
        found = served.get(event.slate)
        fits = found is not None and 0 <= time - found.time <= WINDOW
        return found if fits and found is not None and found.user in (ANONYMOUS, user_of(event.user)) else None
    lists = [entry for entry in shown.get((event.user, event.item), ()) if 0 <= time - entry[0] <= WINDOW]
    return max(lists, key=lambda entry: entry[0])[1] if lists else None


def _gathered(served: Iterable[Served]) -> Joined:
    found, places = Joined(), defaultdict[int | str, set[str]](set)
    listed = list(served)
    for slate in listed:
        places[slate.unit].add(slate.variant)
        found.anonymous += slate.user == ANONYMOUS
    moved = {unit for unit, variants in places.items() if len(variants) > 1}
    found.moved = len(moved)
    units: dict[int | str, Unit] = {}
    for slate in listed:
        if slate.unit in moved:
            continue
        if slate.unit not in units:
            units[slate.unit] = Unit()
            found.units.setdefault(slate.variant, []).append(units[slate.unit])
        unit = units[slate.unit]
        unit.slates += 1
        unit.impressions += slate.seen
        unit.clicked += slate.seen and slate.clicked
        unit.goals += slate.goals
        unit.value += slate.value
    return found
