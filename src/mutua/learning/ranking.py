"""Full ranking of all items by a model, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.events.interactions import Interactions
from mutua.learning import kernels
from mutua.learning.itemsets import Ints, ItemSets
from mutua.learning.split import Questions
from mutua.metrics import MISSED, Placements
from mutua.models import topn
from mutua.models.base import Floats, Model, ReadsAttributes
from mutua.profiles import fold
from mutua.profiles.views import Views

BLOCK = 1 << 24
"""Scores that are in memory at once: 64 MiB of float32."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """What a full ranking showed.

    Args:
        placements: ranks of the targets of each view.
        lists: int32 [b, k], the best items of each view, −1 fills up; k is 0 where lists were not asked for.
        candidates: int64 [b], how many items were ranked for each view.
    """

    placements: Placements
    lists: Ints
    candidates: npt.NDArray[np.int64]


def rank(model: Model, views: Views, targets: ItemSets, banned: ItemSets, k: int = 0) -> Ranking:
    """Returns where `targets` stand among all items that are not banned, ties by item index.

    A target that the model does not cover, or that is banned, is missed.

    Args:
        targets, banned: one set a view.
        k: length of the lists wanted, 0 for none.

    Cost: two passes over the scores, and the model's scoring; memory for `BLOCK` scores.
    """
    known = targets.below(model.n_items)
    places = np.empty(len(known.item), np.int32)
    lists = np.full((len(views), min(k, model.n_items)), -1, np.int32)
    for first, stop, scores in blocks(model, views):
        wanted, barred = known.rows(first, stop), banned.rows(first, stop)
        seen = barred.start, barred.item
        low, high = known.start[first], known.start[stop]
        kernels.ranks_in(scores, wanted.start, wanted.item, *seen, MISSED, places[low:high])
        if lists.shape[1]:
            lists[first:stop] = topn.top_rows(scores, lists.shape[1], None, seen)[0]
    ranks = np.full(len(targets.item), MISSED, np.int32)
    ranks[targets.item < model.n_items] = places
    candidates = model.n_items - np.diff(banned.below(model.n_items).start)
    return Ranking(Placements(targets.start, ranks), lists, candidates)


def blocks(model: Model, views: Views) -> Iterator[tuple[int, int, Floats]]:
    """Yields first view, last view (exclusive) and their scores, contiguous float32 [stop − first, n_items]."""
    step = max(1, BLOCK // max(model.n_items, 1))
    for first in range(0, len(views), step):
        stop = min(first + step, len(views))
        yield first, stop, np.ascontiguousarray(model.score(views.rows(first, stop)), np.float32)


def answers(model: Model, train: Interactions, users: AttributeTable, asked: Questions, k: int = 0) -> Ranking:
    """Returns how `model` ranks for the users of `asked`, from their histories in `train`.

    Args:
        train: grouped by user, each user's in canonical order.
        users: attributes of users by inner index.
    """
    encoded = model.encode(users, asked.users) if isinstance(model, ReadsAttributes) else None
    views = fold.views(train, model.encoder, asked.moment, asked.users, encoded)
    return rank(model, views, asked.targets, asked.banned, k)
