"""How well the model in force foresees what happens next, watched on a few events a second."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from mutua.events.kinds import AnyEvent, Interaction
from mutua.feedback.drift import Fall
from mutua.pipeline.spec import Surface
from mutua.recommender import Recommender

EVERY = 0.05
"""Seconds between the events that are looked at: a busy server spends no more than one part in a hundred on it."""
LENGTH = 20
WATCHED = Surface(exclude="off", explore=0.0)


class Foreseeing:
    """Asks, just before an event moves the profile, whether its item stands among the user's best."""

    def __init__(self, shop: Recommender) -> None:
        self._shop, self._fall = shop, Fall()
        self._again, self._version = 0.0, ""
        self.fallen = False

    @property
    def hit_rate(self) -> float:
        """Share of the events looked at that were among the best `LENGTH`, since the model came or it last fell."""
        return self._fall.mean

    def before(self, events: Iterable[AnyEvent]) -> None:
        """Looks at the first target event of a batch that is about to be applied; one ranking at most."""
        moment = monotonic()
        if moment < self._again:
            return
        types = self._shop.store.names.types
        targets = types.targets()
        first = next((e for e in events if isinstance(e, Interaction) and targets[types.index(e.type)]), None)
        if first is None:
            return
        self._again = moment + EVERY
        slate = self._shop.recommend(first.user, LENGTH, surface=WATCHED)
        if slate.model_version != self._version:
            self._version, self.fallen = slate.model_version, False
            self._fall.restart()
        if slate.model_version and self._fall.seen(first.item in slate.ids):
            self.fallen = True
            self._fall.restart()
