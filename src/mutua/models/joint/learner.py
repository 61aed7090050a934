"""How the joint model learns: every part in closed form, on the views of the training users."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Annotated, ClassVar, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import AttributeTable, Sets
from mutua.core.clock import DAY, HOUR
from mutua.events.interactions import Interactions
from mutua.models.base import TrainingData
from mutua.models.joint import attributes, content, trend
from mutua.models.joint.content import ContentMap
from mutua.models.joint.cutting import DENSE_ITEMS, influence, row_length
from mutua.models.joint.model import SESSION, JointModel
from mutua.models.joint.overlay import nearest, overlaid
from mutua.models.joint.returns import RETURNING, repeat_term, returned_to, usual_gap, usual_return
from mutua.models.joint.rows import Rows
from mutua.models.joint.spectral import Spectrum, spectrum
from mutua.models.joint.transitions import ORDERS, transitions
from mutua.models.matrices import learning_views, not_enough, transformed, views_matrix
from mutua.models.settings import at_least, one_of
from mutua.models.space import Among, Span
from mutua.profiles import fold
from mutua.profiles.attributes import AttributeEncoding
from mutua.profiles.encoder import NO_DECAY, Encoder
from mutua.profiles.views import Views

Floats = npt.NDArray[np.float32]
Memory = Literal["all", "steady", "fading"]
Following = Literal["sitting", "sequence", "page"]
SHARES: dict[str, tuple[float, ...]] = {
    "all": NO_DECAY,
    "steady": (0.0, 0.0, 0.0, 0.0, 0.5, 0.5),
    "fading": (1.0, 0.3, 0.1, 0.01, 0.0, 0.001),
}
"""Shares over `HALF_LIVES`: nothing fades; a household's habits; what is on one's mind now."""
SESSION_SHARES: dict[str, tuple[float, ...]] = {
    "sitting": (1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "sequence": (0.0, 1.0, 0.0, 0.0, 0.0, 0.0),
    "page": NO_DECAY,
}
NEAR_SHARES = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
USUAL_SHARES = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
NEIGHBOURS = 10
"""Items that a new one borrows from."""
LIKING = 0.2
"""Weight of a rating one standard deviation above the user's mean, beside 1 for having rated at all."""


@dataclass(frozen=True)
class Joint:
    """Influence, what follows what, repeats, popularity, attributes of users and content of items, on one score.

    Args:
        alpha: exponent by which users with much history count less; beta: items with much history, as sources;
            gamma: exponent by which popular items are favoured as targets.
        ridge: damping ρ of weak directions, relative to the strongest; 0 keeps the first `factors` undamped.
        product: weight of the plain item-item product.
        factors: directions kept; rows: entries kept of a row, more where the catalogue is small.
        memory: how histories fade, see `SHARES`.
        following: weight of what follows what, 0 leaves it out; order: how that is counted, see `ORDERS`.
        popular: weight of popularity; half_life: of popularity, days, 0 for ever.
        tilt: exponent by which items on the rise are favoured.
        reach: weight of influence beside the repeat term, where people come back to items.
        group: weight of users' attributes; lasting: share of it that a long history leaves.
        content: weight of what new items borrow from items like them.
        tags: weight of items' tags in their influence, each tag as one more user.
    """

    name: ClassVar[str] = "default"
    model: ClassVar[type[JointModel]] = JointModel

    alpha: Annotated[float, Span(0, 0.6)] = 0.4
    beta: Annotated[float, Span(0, 0.6)] = 0.4
    gamma: Annotated[float, Span(0, 0.6)] = 0.4
    ridge: Annotated[float, Span(0, 0.5)] = 0.05
    product: Annotated[float, Span(0, 1.5)] = 1.0
    factors: Annotated[int, Span(32, 1024, even=True)] = 1024
    rows: int = 200
    memory: Memory = "all"
    following: Annotated[float, Span(0, 4)] = 0.0
    order: Following = "sitting"
    popular: Annotated[float, Span(1e-4, 0.3, even=True)] = 0.03
    half_life: Annotated[float, Among((0.0, 7.0, 30.0, 90.0))] = 0.0
    tilt: Annotated[float, Span(0, 2)] = 0.0
    reach: Annotated[float, Span(0.01, 1, even=True)] = 0.05
    group: Annotated[float, Span(0, 1)] = 0.3
    content: Annotated[float, Span(0, 1)] = 0.5
    lasting: Annotated[float, Span(0, 1)] = 0.0
    tags: Annotated[float, Span(0, 1)] = 0.0

    def __post_init__(self) -> None:
        at_least(self, alpha=0, beta=0, gamma=0, ridge=0, product=0, factors=1, rows=1, following=0, popular=0)
        at_least(self, half_life=0, tilt=0, reach=0, group=0, content=0, lasting=0, tags=0)
        one_of(self, "memory", get_args(Memory))
        one_of(self, "order", get_args(Following))

    def learn(self, data: TrainingData, seed: int = 0) -> JointModel:
        """Returns the model.

        Raises:
            NotEnoughData: code `data.too-few`; no target event of positive weight.

        Cost: one spectrum of the user-item matrix and its top rows; everything else is linear in the events.
        """
        rows, n_items = data.interactions, data.n_items
        returning = rows.has_time and rows.share_of_returns >= RETURNING
        encoder = self._encoder(rows)
        matrix = self._matrix(data, returning)
        judged = last_moments(rows, encoder)
        most = row_length(n_items, self.rows)
        tags = tag_rows(data.items, n_items, self.tags)
        found = cached_spectrum(matrix, self.alpha, self.beta, self.factors, seed, tags)
        related = unit(influence(found, self.ridge, self.product, self.gamma, most), judged, judged.weight)
        if self.tilt:
            related = related.times(trend.tilt(rows, n_items, data.now, self.tilt))
        again = repeat_term(data, encoder) if returning else None
        alike, related = self._with_new_items(related, data, most, seed)
        reach = self.reach if again else 1.0
        encoding = AttributeEncoding.of(data.users)
        return JointModel(
            encoder=encoder,
            influence=related.scaled(reach),
            following=self._following(rows, n_items, most, judged).scaled(reach),
            base=trend.popularity(rows, n_items, data.now, self.half_life * DAY or np.inf)
            * np.float32(self.popular * reach),
            repeat=again,
            encoding=encoding,
            groups=self._groups(encoding, data.users, matrix) * np.float32(reach),
            again=returned_to(rows, data.items, n_items) if returning else np.zeros(n_items, np.bool_),
            lasting=self.lasting,
            figures={"settings": asdict(self), "entries": len(related.value), "users": rows.n_users},
            content=alike,
        )

    def candidates(self, data: TrainingData) -> tuple[Self, ...]:
        """Returns what is worth comparing, the best guess for such data first.

        Without times the filter is open. Where people come back to items, habits of days and browsing within minutes
        are told apart. Elsewhere what came just before leads, by its order or by the sitting,
        or else the whole history with tags, attributes and what was had within seconds.
        """
        rows = data.interactions
        plain = replace(self, alpha=0.2, beta=0.35, gamma=0.2, ridge=0.08, product=0.0)
        if not rows.has_time:
            static = replace(self, popular=0.001)
            even = replace(static, gamma=0.3)
            large = (replace(even, ridge=0.0), even, replace(static, ridge=0.0), static)
            return (replace(plain, popular=0.001), static) if data.n_items <= DENSE_ITEMS else large
        recent = replace(plain, memory="fading")
        sitting, sequence = replace(recent, following=1.0), replace(recent, following=3.0, order="sequence")
        if rows.share_of_returns >= RETURNING:
            habits = replace(self, alpha=0.5, beta=0.0, gamma=0.0, product=0.0, factors=256, memory="steady", tilt=1.0)
            by_habit = usual_return(rows) >= DAY
            return (habits, sitting) if by_habit else (sitting, replace(sitting, following=3.0), habits)
        leading = (sequence, sitting) if usual_gap(rows) >= HOUR else (sitting, sequence)
        told = replace(plain, tags=0.25, following=0.25, order="page", lasting=0.5, popular=0.001)
        return (leading[0], told, leading[1], replace(plain, following=0.3), recent, plain)

    def _encoder(self, rows: Interactions) -> Encoder:
        counted = [float(target) for target in rows.targets]
        session = Encoder.of(rows.type_weights, rows.targets, shares=SESSION_SHARES[self.order])
        near, usual = (Encoder.of(counted, rows.targets, shares=shares) for shares in (NEAR_SHARES, USUAL_SHARES))
        extra = (session, near, usual) if rows.has_time else ()
        return Encoder.of(rows.type_weights, rows.targets, shares=SHARES[self.memory], extra=extra)

    def _matrix(self, data: TrainingData, returning: bool) -> sparse.csr_matrix:
        """Users by items to factorise: what they had, more for what they rated above their mean."""
        rows = data.interactions
        rated = rows.value[rows.is_rating]
        liking = LIKING / max(float(rated.std()), 1e-6) if len(rated) else 0.0
        shares = SHARES["steady"] if self.memory == "steady" else NO_DECAY
        encoder = Encoder.of(rows.type_weights, rows.targets, shares=shares, bases=(1.0, 0.0, liking))
        matrix = transformed(
            views_matrix(learning_views(data, encoder), data.n_items), "log" if returning else "linear"
        )
        if not matrix.nnz:
            raise not_enough("no interaction of positive weight")
        return matrix

    def _following(self, rows: Interactions, n_items: int, most: int, judged: Views) -> Rows:
        if not self.following or not rows.has_time:
            return Rows.none(n_items)
        found = transitions(rows, n_items, most, ORDERS[self.order])
        return unit(found, judged, judged.extra[SESSION]).scaled(self.following)

    def _with_new_items(
        self, related: Rows, data: TrainingData, most: int, seed: int
    ) -> tuple[ContentMap | None, Rows]:
        """What makes items alike, and the rows with those of items that nobody has merged in."""
        known = trend.popularity(data.interactions, data.n_items, data.now, np.inf)
        found = content.learned(data.items, known, self.content, seed) if self.content else None
        if found is None:
            return None, related
        alike, vectors = found
        return alike, related if known.all() else overlaid(
            related, nearest(vectors, known, NEIGHBOURS), most, self.content
        )

    def _groups(self, encoding: AttributeEncoding, users: AttributeTable, matrix: sparse.csr_matrix) -> Floats:
        said = len(encoding.names) - len(encoding.levels) - len(encoding.shapes)
        if not self.group or not said:
            return np.zeros((0, matrix.shape[1]), np.float32)
        encoded = encoding.encode(users, np.arange(matrix.shape[0], dtype=np.int32))[:, :said]
        groups = attributes.regress(encoded, matrix, ridge=20.0)
        return groups * np.float32(self.group / np.abs(groups).max(initial=1e-12))


def last_moments(rows: Interactions, encoder: Encoder, judges: int = 1_000) -> Views:
    """Returns views of up to `judges` users, evenly chosen, each at the time of the user's own newest event."""
    rows = rows.take(rows.weight > 0)
    newest = np.zeros(rows.n_users, np.int64)
    np.maximum.at(newest, rows.user, rows.time)
    seen = np.unique(rows.user)
    chosen = seen[np.unique(np.linspace(0, len(seen) - 1, min(judges, len(seen))).astype(int))]
    return fold.views(rows, encoder, newest[chosen], chosen)


def unit(rows: Rows, judged: Views, weight: Floats) -> Rows:
    """Returns rows scaled so that the best item of a user scores 1 on average, whatever the data.

    Args:
        weight: float32 [m], the weights of the views' entries that meet these rows.
    """
    histories = sparse.csr_matrix((weight, judged.item, judged.start), shape=(len(judged), rows.size))
    best = np.asarray((histories @ rows.matrix()).max(axis=1).toarray()).ravel()
    return rows.scaled(1.0 / float(best[best > 0].mean())) if (best > 0).any() else rows


def tag_rows(items: AttributeTable, n_items: int, weight: float) -> sparse.csr_matrix | None:
    """Returns float32 CSR [tags, n], `weight` where an item bears a tag; None without weight or sets of tags."""
    sets = [column.matrix for column in items.columns.values() if isinstance(column, Sets)]
    if not weight or not sets:
        return None
    joined = sparse.hstack(sets).tocoo()
    values = np.full(joined.nnz, weight, np.float32)
    return sparse.csr_matrix((values, (joined.col, joined.row)), shape=(joined.shape[1], n_items))


_KEPT: OrderedDict[tuple[object, ...], Spectrum] = OrderedDict()


def drop_spectra() -> None:
    """Forgets the users' items that candidates shared; call it when no more candidates follow."""
    _KEPT.clear()


def cached_spectrum(
    matrix: sparse.csr_matrix, alpha: float, beta: float, factors: int, seed: int, tags: sparse.csr_matrix | None = None
) -> Spectrum:
    """Returns the spectrum, the last one from memory: candidates that differ only in the filter share it."""
    digests = tuple(_digest(part) for part in (matrix, tags) if part is not None)
    key = (digests, alpha, beta, factors, seed)
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = spectrum(matrix, alpha, beta, factors, seed, tags=tags)
    return _KEPT[key]


def _digest(matrix: sparse.csr_matrix) -> bytes:
    return blake2b(matrix.data.tobytes() + matrix.indices.tobytes() + matrix.indptr.tobytes()).digest()
