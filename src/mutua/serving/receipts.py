"""Receipts: what a batch of events changed for the users it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from mutua.errors import NotKnown
from mutua.events.kinds import AnyEvent, Interaction
from mutua.pipeline.spec import Surface
from mutua.recommender import Recommender
from mutua.serving.messages import Change

USERS = 10
"""Users of a batch that a receipt tells of, in order of their first event."""
TOP = 20
BY_SCORE = Surface(explore=0.0)
"""Nothing left to chance, so that what rose and fell did so by the events."""
Look = tuple[Mapping[str, Any], tuple[str, ...]]
"""Interests by kind, and the ids of the top items."""


def seen(shop: Recommender, events: Iterable[AnyEvent]) -> dict[str, Look]:
    """Returns how the users of a batch stand now."""
    users = dict.fromkeys(event.user for event in events if isinstance(event, Interaction))
    return {user: _look(shop, user) for user in islice(users, USERS)}


def changes(shop: Recommender, before: Mapping[str, Look]) -> list[Change]:
    """Returns what changed since `before` was seen; what came in rose, what left fell."""
    return [_change(user, look, _look(shop, user)) for user, look in before.items()]


def _look(shop: Recommender, user: str) -> Look:
    try:
        interests = shop.profile(user).as_dict()["interests"]
    except NotKnown:
        interests = {}
    return interests, shop.recommend(user, TOP, surface=BY_SCORE).ids


def _change(user: str, before: Look, after: Look) -> Change:
    was = {item: place for place, item in enumerate(before[1])}
    now = {item: place for place, item in enumerate(after[1])}
    rose = tuple(item for item, place in now.items() if place < was.get(item, TOP))
    fell = tuple(item for item, place in was.items() if place < now.get(item, TOP))
    return Change(user, dict(before[0]), dict(after[0]), rose, fell)
