"""Items recorded after the model was learned, recommended at once by what is known of them.

A newcomer i takes shares s_j of the items j that are most like it by content:
`score(u, i) = strength · Σ_j s_j (Σ_k h_k W[k, j] + w̄_j h_j)`, w̄_j the largest entry of row j of W. Whoever has a
newcomer k counts as having s_j of each of its likes. The next learning takes newcomers in among the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.errors import DamagedModel
from mutua.models.base import Arrays, Model
from mutua.models.joint import kernels
from mutua.models.joint.content import ContentMap
from mutua.models.joint.model import ROUNDING, JointModel
from mutua.models.joint.rows import Rows
from mutua.models.reasons import OLDER, by_size
from mutua.profiles.views import Evidence, Views
from mutua.slates import Reason

Floats = npt.NDArray[np.float32]
Items = npt.NDArray[np.int32]
MOST = 2_000
"""Newcomers at a time; beyond them the oldest gives way."""
LIKES = 10
"""Items that a newcomer borrows from."""


class Newcomers:
    """A joint model, and room beside it for items that it has not learned of.

    Every slate without newcomers is the model's own, at no cost; m of them cost one more ranking and about 20 ns each.
    """

    name: ClassVar[str] = JointModel.name
    linear: ClassVar[bool] = JointModel.linear

    def __init__(self, learned: JointModel, content: ContentMap) -> None:
        self.learned, self._content = learned, content
        self.encoder, self.encode, self.repeatable = learned.encoder, learned.encode, learned.repeatable
        self._place: dict[int, int] = {}
        self._item = np.full(MOST, -1, np.int32)
        self._like = np.full((MOST, LIKES), -1, np.int32)
        self._share = np.zeros((MOST, LIKES), np.float32)
        self._n_items = learned.n_items

    @property
    def n_items(self) -> int:
        """Items that can be scored, newcomers included; those between them without content score 0."""
        return self._n_items

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes that make an item like others."""
        return self._content.names

    def welcome(self, rows: Items, items: AttributeTable) -> None:
        """Takes items in, or anew after a change; one that is like nothing is left out.

        Args:
            rows: int32 [m], inner indices from the learned model's number of items on; items: what is known of them.
        """
        like, share = self._content.nearest(items, LIKES)
        for row, likes, shares in zip(rows.tolist(), like, share, strict=True):
            self._leave(row)
            if shares.any():
                self._enter(row, likes, shares)

    def score(self, views: Views) -> Floats:
        """Returns relevance, float32 [b, n_items]."""
        if not self._place:
            return self.learned.score(views)
        out = np.zeros((len(views), self._n_items), np.float32)
        for number in range(len(views)):
            view = self._lent(views.rows(number, number + 1))
            out[number, : self.learned.n_items] = self.learned.score(view)[0]
            out[number, self._items] = self._scores(view)
        return out

    def top(
        self, views: Views, n: int, excluded: Items, banned: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Items, Floats]:
        """Returns the n best items of one view and their scores, as `models.base.Ranks`."""
        if not self._place:
            return self.learned.top(views, n, excluded, banned)
        view = self._lent(views)
        items, scores = self.learned.top(view, n, excluded, banned)
        new, found = self._items, self._scores(view)
        fit = found > (scores[-1] if len(scores) == n else 0)
        if not fit.any():
            return items, scores
        fit &= ~np.isin(new, excluded)
        if banned is not None:
            fit &= ~banned[new]
        items, scores = np.concatenate((items, new[fit])), np.concatenate((scores, found[fit]))
        best = np.lexsort((items, -scores))[:n]
        return items[best], scores[best]

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns the reasons of one score, largest absolute amount first; what likeness brings is called `content`."""
        if not self._place:
            return self.learned.explain(views, evidence, item)
        view, lent = self._lent(views), self._lent_evidence(evidence)
        if item < self.learned.n_items:
            return by_size(self._gathered(self.learned.explain(view, lent, item), evidence))
        amounts = lent.weight * self._rates(lent.item, item)
        events = zip(amounts.tolist(), lent.item.tolist(), lent.sequence.tolist(), lent.time.tolist(), strict=True)
        reasons = [Reason("content", amount, source, (at,), time=time) for amount, source, at, time in events if amount]
        parts = view.weight * self._rates(view.item, item)
        older = float(parts.sum() - amounts.sum())
        if abs(older) > ROUNDING * float(np.abs(parts).sum() + np.abs(amounts).sum()):
            reasons.append(Reason("content", older, label=OLDER))
        return by_size(self._gathered(reasons, evidence))

    def similar(self, item: int) -> Floats:
        """Returns likeness of every item to `item`, float32 [n_items]; the item itself at −inf."""
        alike = np.zeros(self._n_items, np.float32)
        if item < self.learned.n_items:
            alike[: self.learned.n_items] = self.learned.similar(item)
        elif (place := self._place.get(item)) is not None:
            known = self._like[place] >= 0
            for like, share in zip(self._like[place][known].tolist(), self._share[place][known], strict=True):
                alike[: self.learned.n_items] += share * self.learned.influence.row(like)
                alike[like] += share * self._largest[like]
        alike[item] = -np.inf
        return alike

    def alike(self, items: npt.NDArray[np.int32]) -> Floats:
        """Returns float32 [m, m], what `similar` says of each item in columns of the others; 0 on the diagonal."""
        if items.max(initial=0) < self.learned.n_items:
            return self.learned.alike(items)
        rows = np.stack([self.similar(item)[items] for item in items.tolist()])
        np.fill_diagonal(rows, 0.0)
        return rows

    def arrays(self) -> Arrays:
        """Returns what was learned; newcomers are not learned."""
        return self.learned.arrays()

    def meta(self) -> Mapping[str, Any]:
        """Returns what the learned model needs to be restored."""
        return self.learned.meta()

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the learned model, nobody new beside it."""
        learned = JointModel.restore(arrays, meta)
        if learned.content is None:
            raise DamagedModel("a model without a content map", "one that can take newcomers in", "learn again")
        return cls(learned, learned.content)

    @property
    def _items(self) -> Items:
        return self._item[: len(self._place)]

    @cached_property
    def _largest(self) -> Floats:
        """w̄, float32 [n], the largest entry of every row of W."""
        rows = self.learned.influence
        filled = np.flatnonzero(np.diff(rows.start))
        found = np.zeros(rows.size, np.float32)
        if len(filled):
            found[filled] = np.maximum(np.maximum.reduceat(rows.value, rows.start[filled]), 0)
        return found

    def _leave(self, row: int) -> None:
        """Takes a newcomer out; the last one takes his place."""
        place = self._place.pop(row, None)
        last = len(self._place)
        if place is not None and place != last:
            for column in (self._item, self._like, self._share):
                column[place] = column[last]
            self._place[int(self._item[place])] = place

    def _enter(self, row: int, likes: Items, shares: Floats) -> None:
        if len(self._place) == MOST:
            self._leave(next(iter(self._place)))
        place = self._place[row] = len(self._place)
        self._item[place], self._like[place, : len(likes)], self._share[place, : len(likes)] = row, likes, shares
        self._n_items = max(self._n_items, row + 1)

    def _scores(self, view: Views) -> Floats:
        """The scores of all newcomers, float32 [m]."""
        reached = np.zeros(self.learned.n_items, np.float32)
        nothing = np.zeros(len(view.item), np.float32)
        kernels.score_one(
            view.item, view.weight, nothing, nothing, self.learned.influence.columns, self._none.columns, reached
        )
        had = view.item < self.learned.n_items
        np.add.at(reached, view.item[had], view.weight[had] * self._largest[view.item[had]])
        m = len(self._place)
        borrowed: Floats = np.einsum("ml,ml->m", reached[self._like[:m]], self._share[:m])
        return borrowed * np.float32(self._content.strength)

    @cached_property
    def _none(self) -> Rows:
        return Rows.none(self.learned.n_items)

    def _rates(self, sources: Items, item: int) -> npt.NDArray[np.float64]:
        """What each source item adds to a newcomer per unit of weight, float64 [m]."""
        rates = np.zeros(len(sources))
        place = self._place.get(item)
        if place is None:
            return rates
        for like, share in zip(self._like[place].tolist(), self._share[place].tolist(), strict=True):
            if share:
                rates += share * self.learned.influence.values_to(sources, like)
                rates[sources == like] += share * float(self._largest[like])
        return rates * self._content.strength

    def _lenders(self, items: Items) -> tuple[npt.NDArray[np.intp], Items, Floats]:
        """For every newcomer among the items: its position, again for each of its likes, those, and their shares."""
        known = [at for at in np.flatnonzero(items >= self.learned.n_items).tolist() if int(items[at]) in self._place]
        places = [self._place[int(items[at])] for at in known]
        like, share = self._like[places], self._share[places]
        lends = share > 0
        return np.repeat(np.array(known, np.intp), lends.sum(axis=1)), like[lends], share[lends]

    def _lent(self, view: Views) -> Views:
        """The view of one user with what his newcomers borrow at its end."""
        at, like, share = self._lenders(view.item)
        if not len(at):
            return view
        size = len(at)
        return msgspec.structs.replace(
            view,
            start=np.array([0, len(view.item) + size], np.int64),
            item=np.concatenate((view.item, like)),
            weight=np.concatenate((view.weight, view.weight[at] * share)),
            last=np.concatenate((view.last, np.full(size, -1, np.int64))),
            count=np.concatenate((view.count, np.zeros(size, np.float32))),
            extra=np.concatenate((view.extra, np.zeros((len(view.extra), size), np.float32)), axis=1)
            if len(view.extra)
            else view.extra,
        )

    def _lent_evidence(self, evidence: Evidence) -> Evidence:
        at, like, share = self._lenders(evidence.item)
        if not len(at):
            return evidence
        extra = evidence.extra
        return Evidence(
            np.concatenate((evidence.sequence, evidence.sequence[at])),
            np.concatenate((evidence.item, like)),
            np.concatenate((evidence.type, evidence.type[at])),
            np.concatenate((evidence.time, evidence.time[at])),
            np.concatenate((evidence.weight, evidence.weight[at] * share)),
            np.concatenate((extra, np.zeros((len(extra), len(at)))), axis=1) if len(extra) else extra,
        )

    def _gathered(self, reasons: Iterable[Reason], evidence: Evidence) -> list[Reason]:
        """The reasons with all that one event on a newcomer lends in one, called `content`, on the newcomer itself."""
        late = evidence.item >= self.learned.n_items
        source = dict(zip(evidence.sequence[late].tolist(), evidence.item[late].tolist(), strict=True))
        kept: list[Reason] = []
        lent: dict[int, Reason] = {}
        for reason in reasons:
            own = tuple(sequence for sequence in reason.sequences if sequence not in source)
            if own or not reason.sequences:
                kept.append(msgspec.structs.replace(reason, sequences=own))
                continue
            event = reason.sequences[0]
            before = lent.get(event)
            amount = reason.amount + (0.0 if before is None else before.amount)
            lent[event] = Reason("content", amount, source[event], (event,), time=reason.time)
        return [*kept, *lent.values()]


def opened(model: Model) -> Model:
    """Returns a model with room for newcomers, or the model itself where it cannot take any in."""
    if isinstance(model, JointModel) and model.content is not None:
        return Newcomers(model, model.content)
    return model
