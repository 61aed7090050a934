"""What the joint model learned, and how it scores, ranks and explains.

`score(u, i, t) = b_i + Σ_j h_j W[j, i] + Σ_j s_j T[j, i] + r_i(Δt_ui, n_ui) + γ_s x_u·C[:, i]` with h the long-term and
s the session weights of the profile: linear in the history but for the repeat term r, which is one reason.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable
from mutua.models.base import Arrays
from mutua.models.joint import attributes, kernels
from mutua.models.joint.content import ContentMap
from mutua.models.joint.repeat import Repeat
from mutua.models.joint.rows import Rows
from mutua.models.reasons import OLDER, by_size
from mutua.models.topn import top_n
from mutua.profiles.attributes import AttributeEncoding
from mutua.profiles.encoder import Encoder
from mutua.profiles.views import Evidence, Views
from mutua.slates import Reason

Floats = npt.NDArray[np.float32]

SESSION, NEAR, USUAL = 0, 1, 2
"""Extra channels of the encoder: session weights, target events decayed over 14 and over 90 days."""
ROUNDING = 1e-6
"""Weights of views are float32, those of events float64: a smaller share of a sum is no older event."""
NOTHING_BANNED = np.empty(0, np.bool_)


class _Scratch(threading.local):
    """Buffers of one thread, clean between calls."""

    def __init__(self, size: int) -> None:
        self.sums = np.zeros(size, np.float32)


@dataclass(frozen=True, eq=False)
class JointModel:
    """The default model, learned.

    Args:
        encoder: long-term weights; extra channels as above, or none where there is neither session nor repeat term.
        influence: W; following: T, both times their weight in the score.
        base: float32 [n], popularity times its weight.
        repeat: the repeat term, or None where people do not come back.
        encoding: how attributes become numbers; groups: C float32 [a, n] times γ.
        again: bool [n], items that people come back for.
        lasting: share of `groups` that counts however long the history.
        figures: settings and measurements of the learning, JSON values.
        content: what makes items alike, for those recorded later; None where nothing is known of items.
    """

    name: ClassVar[str] = "default"
    linear: ClassVar[bool] = True

    encoder: Encoder
    influence: Rows
    following: Rows
    base: Floats
    repeat: Repeat | None
    encoding: AttributeEncoding
    groups: Floats
    again: npt.NDArray[np.bool_]
    lasting: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)
    content: ContentMap | None = None

    @property
    def n_items(self) -> int:
        """Items with a column."""
        return len(self.base)

    def encode(self, users: AttributeTable, rows: npt.NDArray[np.int32]) -> Floats:
        """Returns float32 [b, a], the attributes of users `rows` as this model encodes them."""
        return self.encoding.encode(users, rows)[:, : len(self.groups)]

    def repeatable(self) -> npt.NDArray[np.bool_]:
        """Returns bool [n], items worth recommending to someone who has them already."""
        return self.again

    def score(self, views: Views) -> Floats:
        """Returns relevance, float32 [b, n]."""
        if len(views) == 1:
            return self._row(views)[None]
        out = np.repeat(self.base[None], len(views), axis=0)
        recent, own = self._session(views), self._own(views)
        kernels.score_all(
            views.start, views.item, views.weight, recent, own, self.influence.columns, self.following.columns, out
        )
        if views.attributes is not None and len(self.groups):
            out += (attributes.fading(views.size, self.lasting)[:, None] * views.attributes) @ self.groups
        return out

    def _row(self, views: Views) -> Floats:
        """The scores of one view, on one core: to wake the others takes longer than the work."""
        row = self.base.copy()
        recent, own = self._session(views), self._own(views)
        kernels.score_one(views.item, views.weight, recent, own, self.influence.columns, self.following.columns, row)
        if views.attributes is not None and len(self.groups):
            told = np.flatnonzero(views.attributes[0])
            row += (attributes.fading(views.size, self.lasting)[0] * views.attributes[0, told]) @ self.groups[told]
        return row

    def top(
        self,
        views: Views,
        n: int,
        excluded: npt.NDArray[np.int32],
        banned: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[npt.NDArray[np.int32], Floats]:
        """Returns the n best items of one view and their scores, best first, ties by item index.

        Args:
            n: at least 1; excluded: int32 [m]; banned: bool [n_items] or None, as in `models.base.Ranks`.

        Cost: about 25 µs for 30 items; one pass over all items more for users whose attributes count.
        """
        told = views.attributes is not None and len(self.groups) > 0
        if told and (self.lasting or views.size[0] < attributes.GONE_SIZE) and np.any(views.attributes):
            return self._top_of_all(views, n, excluded, banned)
        scratch, kept = self._scratch, NOTHING_BANNED if banned is None else banned
        most = min(n, self.n_items)
        found: tuple[npt.NDArray[np.int32], Floats]
        if self._only_influence:
            found = kernels.top_by_influence(
                views.item,
                views.weight,
                *self.influence.columns,
                self.base,
                self._base_order,
                excluded,
                kept,
                scratch.sums,
                most,
            )
            return found
        found = kernels.top_one(
            views.item,
            views.weight,
            self._session(views),
            self._own(views),
            self.influence.columns,
            self.following.columns,
            self.base,
            self._base_order,
            excluded,
            kept,
            scratch.sums,
            most,
        )
        return found

    def explain(self, views: Views, evidence: Evidence, item: int) -> tuple[Reason, ...]:
        """Returns the reasons of one score, largest absolute amount first.

        One an event, of all that it adds, called `influence` or `following` by the larger part; one for all repeats.

        Cost: about 20 µs and a microsecond an event.
        """
        reasons = [
            *self._by_event(views, evidence, item),
            *self._popular(item),
            *self._again(views, evidence, item),
            *self._known(views, item),
        ]
        return by_size(reasons)

    def similar(self, item: int) -> Floats:
        """Returns float32 [n]: influence between the two items, both ways; the item itself at −inf.

        Cost: a search in every row, a millisecond or two for 40,000 items.
        """
        everything = np.arange(self.n_items, dtype=np.int32)
        alike = self.influence.row(item) + self.influence.values_to(everything, item).astype(np.float32)
        alike[item] = -np.inf
        return alike

    def alike(self, items: npt.NDArray[np.int32]) -> Floats:
        """Returns float32 [m, m], the influence between each two of the items, both ways; 0 on the diagonal.

        Cost: about a millisecond for 100 items.
        """
        one = np.stack([self.influence.values_to(items, target) for target in items.tolist()], axis=1)
        both = np.asarray(one + one.T, np.float32)
        np.fill_diagonal(both, 0.0)
        return both

    def arrays(self) -> Arrays:
        """Returns all that was learned as plain arrays."""
        repeat = {} if self.repeat is None else self.repeat.arrays()
        return {
            **self.encoder.arrays(),
            **self.influence.arrays("influence"),
            **self.following.arrays("following"),
            "base": self.base,
            "groups": self.groups,
            "again": self.again,
            **repeat,
            **({} if self.content is None else self.content.arrays()),
        }

    def meta(self) -> Mapping[str, Any]:
        """Returns how attributes are encoded and the figures of the learning, as JSON values."""
        parts = {"repeat": self.repeat is not None, "lasting": self.lasting}
        content = None if self.content is None else self.content.meta()
        return {"encoding": self.encoding.meta(), "figures": dict(self.figures), "content": content, **parts}

    @classmethod
    def restore(cls, arrays: Arrays, meta: Mapping[str, Any]) -> Self:
        """Returns the model that `arrays` and `meta` describe."""
        return cls(
            encoder=Encoder.restore(arrays),
            influence=Rows.restore(arrays, "influence"),
            following=Rows.restore(arrays, "following"),
            base=np.array(arrays["base"]),
            repeat=Repeat.restore(arrays) if meta["repeat"] else None,
            encoding=AttributeEncoding.restore(meta["encoding"]),
            groups=np.asarray(arrays["groups"]),
            again=np.array(arrays["again"]),
            lasting=float(meta.get("lasting", 0.0)),
            figures=meta["figures"],
            content=ContentMap.restore(arrays, meta["content"]) if meta.get("content") else None,
        )

    @cached_property
    def _only_influence(self) -> bool:
        return self.repeat is None and not len(self.following.value)

    @cached_property
    def _base_order(self) -> npt.NDArray[np.int32]:
        return np.lexsort((np.arange(self.n_items), -self.base)).astype(np.int32)

    @cached_property
    def _scratch(self) -> _Scratch:
        return _Scratch(self.n_items)

    def _session(self, views: Views) -> Floats:
        return views.extra[SESSION] if len(views.extra) else np.zeros(len(views.item), np.float32)

    def _own(self, views: Views) -> Floats:
        if self.repeat is None:
            return np.zeros(len(views.item), np.float32)
        return self.repeat.terms(views, views.extra[NEAR], views.extra[USUAL])

    def _top_of_all(
        self, views: Views, n: int, excluded: npt.NDArray[np.int32], banned: npt.NDArray[np.bool_] | None
    ) -> tuple[npt.NDArray[np.int32], Floats]:
        out = np.zeros(self.n_items, np.bool_) if banned is None else banned.copy()
        out[excluded[excluded < self.n_items]] = True
        return top_n(self._row(views), n, out)

    def _by_event(self, views: Views, evidence: Evidence, target: int) -> list[Reason]:
        """One reason an event; what the events do not account for (the older tail) is one without events."""
        influence = evidence.weight * self.influence.values_to(evidence.item, target)
        recent = evidence.extra[SESSION] if len(evidence.extra) else np.zeros(len(evidence.item))
        following = recent * self.following.values_to(evidence.item, target)
        amounts = influence + following
        events = zip(amounts.tolist(), np.abs(following) > np.abs(influence), *_places(evidence), strict=True)
        reasons = [
            Reason("following" if followed else "influence", amount, item, (sequence,), time=time)
            for amount, followed, item, sequence, time in events
            if amount
        ]
        parts = np.concatenate(
            (
                views.weight * self.influence.values_to(views.item, target),
                self._session(views) * self.following.values_to(views.item, target),
            )
        )
        older = float(parts.sum() - amounts.sum())
        if abs(older) > ROUNDING * float(np.abs(parts).sum() + np.abs(amounts).sum()):
            reasons.append(Reason("influence", older, label=OLDER))
        return reasons

    def _popular(self, item: int) -> list[Reason]:
        return [Reason("popularity", float(self.base[item]))] if self.base[item] else []

    def _again(self, views: Views, evidence: Evidence, item: int) -> list[Reason]:
        at = np.flatnonzero(views.item == item)
        if self.repeat is None or not len(at):
            return []
        amount = float(self._own(views)[at[0]])
        events = tuple(evidence.sequence[evidence.item == item].tolist())
        return [Reason("repeat", amount, item, events, time=int(views.last[at[0]]))] if amount else []

    def _known(self, views: Views, item: int) -> list[Reason]:
        if views.attributes is None or not len(self.groups):
            return []
        amounts = attributes.fading(views.size, self.lasting)[0] * views.attributes[0] * self.groups[:, item]
        names = self.encoding.names
        return [Reason("attribute", float(amounts[a]), label=names[a]) for a in np.flatnonzero(amounts)]


def _places(evidence: Evidence) -> tuple[list[int], list[int], list[int]]:
    """Item, sequence number and time of every event, as Python's own numbers."""
    return evidence.item.tolist(), evidence.sequence.tolist(), evidence.time.tolist()
