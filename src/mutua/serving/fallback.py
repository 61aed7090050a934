"""The last rung of the ladder: what is popular on a surface, from a list that is made once and cut for each request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import islice

import msgspec

from mutua.pipeline import run
from mutua.slates import Slate, SlateItem, new_id
from mutua.state import LiveState


@dataclass(frozen=True)
class Standing:
    """The list of nobody in particular, and the plan that it was made by; another plan needs another list.

    Args:
        listed: each item with its inner index, best first.
    """

    plan: run.Plan
    slate: Slate
    listed: tuple[tuple[SlateItem, int], ...]


class Popular:
    """The standing list of each surface, made when it is first needed."""

    def __init__(self, state: LiveState) -> None:
        self._state = state
        self._lists: dict[str, Standing] = {}

    def slate(self, user: str | None, n: int, surface: str, omit: Collection[str] = ()) -> Slate:
        """Returns up to n items that hold for everyone, by the surface's rules; about 10 µs.

        Left out is what the user has had as far as it is in memory, unless the surface shows such items.

        Args:
            omit: outer ids of items to leave out.

        Raises:
            ConfigError: code `config.invalid`; no surface of this name.
        """
        standing = self._standing(surface)
        had = frozenset() if standing.plan.surface.exclude == "off" else self._had(user)
        shown = tuple(islice((one for one in standing.listed if one[1] not in had and one[0].item not in omit), n))
        return msgspec.structs.replace(
            standing.slate,
            id=new_id(),
            user=user,
            items=tuple(entry for entry, _ in shown),
            inner=tuple(index for _, index in shown),
            now=self._state.now(),
            notes=(self._state.in_force.note,) if self._state.in_force.note else (),
            degraded="popularity",
        )

    def _standing(self, surface: str) -> Standing:
        state = self._state
        nobody = state.snapshot(None)
        plan = state.plan(state.settings.surface(surface), nobody, surface)
        found = self._lists.get(surface)
        if found is None or found.plan is not plan:
            made = run.recommend(replace(plan, surface=plan.surface.by_relevance(), direct=True), nobody, run.LONGEST)
            placed = ((entry, nobody.items.get(entry.item)) for entry in made.items)
            listed = tuple((entry, index) for entry, index in placed if index is not None)
            found = self._lists[surface] = Standing(plan, made, listed)
        return found

    def _had(self, user: str | None) -> frozenset[int]:
        index = None if user is None else self._state.store.names.vocabulary("users").get(user)
        return frozenset() if index is None else frozenset(self._state.histories.peek(index).item.tolist())
