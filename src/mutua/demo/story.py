"""The story: what is recorded, which model foresees best, one person, and what two more events change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable, Labels
from mutua.core.clock import DAY, HOUR, MINUTE
from mutua.demo.comparing import Comparison, compare
from mutua.demo.journey import Source
from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.events.kinds import Interaction
from mutua.lab.dataset import Dataset
from mutua.pipeline.spec import Surface
from mutua.profiles.history import WINDOW
from mutua.profiles.profile import Profile
from mutua.recommender import Recommender
from mutua.slates import Slate
from mutua.store.recording import Progress, Recorded
from mutua.training import Learned, dataset_of

Step = Callable[[float, float], None]
Stages = Callable[[str], AbstractContextManager[Step]]
"""Opens a stage by its title; what it yields is told how far the stage is."""
Mask = npt.NDArray[np.bool_]
LENGTH = 10
RECENT = 14 * DAY
BEST, NEW_ITEMS = Surface(explore=0.0), Surface(exclude="on", explore=0.0)


@dataclass(frozen=True)
class Moment:
    """A person at one instant: the profile, what is recommended, and what of it is new to them."""

    profile: Profile
    slate: Slate
    fresh: Slate


@dataclass(frozen=True)
class Story:
    """All that the demo shows.

    Args:
        recorded: by file; comparison: None where there is too little to compare, `skipped` says why.
        user: whom it is about; before, after: around `events`.
    """

    recorded: dict[str, Recorded]
    comparison: Comparison | None
    skipped: str
    learned: Learned
    user: str
    before: Moment
    events: tuple[Interaction, ...]
    after: Moment


def tell(shop: Recommender, sources: Sequence[Source], seed: int, stages: Stages) -> Story:
    """Records the files into an open store, learns, and returns the story.

    Raises:
        NotEnoughData: code `data.too-few`; no event of a target type.
        MutuaError: as recording does.
    """
    with stages("record and clean") as step:
        recorded = _recorded(shop, sources, step)
    with stages("compare models") as step:
        data = dataset_of(shop.store)
        comparison, skipped = _compared(data, seed, step)
    with stages("learn from everything"):
        learned = shop.learn()
    with stages("read one profile"):
        user = chosen_user(data)
        before = _moment(shop, user)
    with stages("record two more events, look again"):
        events = _next_events(user, data, before)
        shop.record(events)
        after = _moment(shop, user)
    return Story(recorded, comparison, skipped, learned, user, before, events, after)


def chosen_user(data: Dataset) -> str:
    """Returns the user of the story: the one of median activity among those with attributes (if any has) who came
    lately and whose events are few enough to be kept one by one.

    Raises:
        NotEnoughData: code `data.too-few`; nobody has a target event.
    """
    rows = data.interactions
    counts = np.bincount(rows.user[rows.is_target & (rows.weight > 0)], minlength=rows.n_users)
    if not counts.any():
        raise NotEnoughData("no event of a target type", "purchases, views, ratings …", "declare the types you record")
    pool = counts > 0
    for wished in (counts <= WINDOW, _came_lately(rows), _described(data.users, rows.n_users)):
        if (pool & wished).any():
            pool &= wished
    candidates = np.flatnonzero(pool)
    middle = np.median(counts[candidates])
    best = candidates[np.abs(counts[candidates] - middle).argmin()]
    return data.user_ids.outer(int(best)) or ""


def _came_lately(rows: Interactions) -> Mask:
    newest = np.zeros(rows.n_users, np.int64)
    np.maximum.at(newest, rows.user, rows.time)
    late: Mask = newest >= rows.time.max() - RECENT
    return late


def _described(users: AttributeTable, size: int) -> Mask:
    known = np.zeros(size, np.bool_)
    for column in users.columns.values():
        if isinstance(column, Labels):
            known[: len(column.codes)] |= column.codes[:size] >= 0
    return known


def _recorded(shop: Recommender, sources: Sequence[Source], step: Step) -> dict[str, Recorded]:
    sizes = [source.path.stat().st_size if source.path.is_file() else 0 for source in sources]
    found: dict[str, Recorded] = {}
    for place, (source, size) in enumerate(zip(sources, sizes, strict=True)):
        found[source.path.name] = shop.record_file(
            source.path,
            mapping=source.mapping,
            role=source.role,
            progress=partial(_tell, step, sum(sizes[:place]), max(sum(sizes), size)),
        )
    return found


def _tell(step: Step, before: int, total: int, progress: Progress) -> None:
    step(before + progress.read, total)


def _compared(data: Dataset, seed: int, step: Step) -> tuple[Comparison | None, str]:
    try:
        return compare(data, seed, lambda _, place, count: step(place, count)), ""
    except NotEnoughData as reason:
        return None, f"no comparison: {reason.came}"


def _moment(shop: Recommender, user: str) -> Moment:
    slate = shop.recommend(user, LENGTH, surface=BEST, explained=True)
    fresh = shop.recommend(user, LENGTH, surface=NEW_ITEMS, explained=True)
    return Moment(shop.profile(user), slate, fresh)


def _next_events(user: str, data: Dataset, before: Moment) -> tuple[Interaction, ...]:
    """Returns what the user does next: takes the best of what is recommended, and the best of what is new to them."""
    rows = data.interactions
    targets = rows.take(rows.is_target)
    kind = rows.types[int(np.bincount(targets.type).argmax())]
    start = int(rows.time.max()) + HOUR
    items = dict.fromkeys((*before.slate.ids[:1], *before.fresh.ids[:2]))
    return tuple(
        Interaction(user=user, item=item, type=kind, time=start + place * MINUTE, source="demo", session="demo")
        for place, item in enumerate(list(items)[:2])
    )
