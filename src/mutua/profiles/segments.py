"""Segments: groups of users with like interests, named by what sets them apart.

Spherical k-means (Dhillon, Modha, Concept decompositions for large sparse text data, 2001) on unit vectors of the
square roots of interest shares, so that the likeness of two users is the Bhattacharyya coefficient of their shares;
seeded by k-means++ (Arthur, Vassilvitskii 2007), the tightest of a few starts. Without a given k, the one of the best
simplified silhouette is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import Labels
from mutua.core.seeds import stream
from mutua.errors import NotEnoughData
from mutua.profiles.views import Views

CHOICES = range(3, 13)
ROUNDS = 30
STARTS = 3
SAMPLE = 2_000
"""Users on whom the number of segments is chosen and the centres are found."""
MOST_NAMES = 2
LEAST_SHARE = 0.02
"""Share of a segment's interest that a label needs to name it."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Segments:
    """k groups of users by interest.

    Args:
        centres: float32 [k, labels], unit vectors.
        share: float32 [k], part of the users in each.
        lift: float32 [k, labels], the segment's mean share of a label against everybody's.
        labels: what the columns say; names: what sets each segment apart.
    """

    centres: Floats
    share: Floats
    lift: Floats
    labels: tuple[str, ...]
    names: tuple[str, ...]

    def ordered(self, weights: Floats, levels: Sequence[str]) -> Floats:
        """Returns weights of a catalogue's levels as float32 [labels]; levels that came later are left out.

        Args:
            weights: float32 [levels], of each of `levels`.
        """
        told = dict(zip(levels, weights.tolist(), strict=True))
        return np.array([told.get(label, 0.0) for label in self.labels], np.float32)

    def assign(self, vector: npt.ArrayLike) -> int:
        """Returns the segment of one user, or −1 for a user without positive interest.

        Args:
            vector: float [labels], weight or share by label.
        """
        return int(self.assign_all(np.atleast_2d(np.asarray(vector, np.float32)))[0])

    def assign_all(self, vectors: Floats) -> Ints:
        """Returns the segments of users, int64 [n]; −1 for a user without positive interest.

        Args:
            vectors: float32 [n, labels], weight or share by label.
        """
        units = _units(vectors)
        return np.where(units.any(axis=1), (units @ self.centres.T).argmax(axis=1), -1)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Returns what was learned as plain arrays."""
        return {"centres": self.centres, "share": self.share, "lift": self.lift}

    def meta(self) -> dict[str, Any]:
        """Returns the rest of what `restore` needs, as JSON values."""
        return {"labels": list(self.labels), "names": list(self.names)}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> Segments:
        """Returns the segments that `arrays` and `meta` describe."""
        return cls(arrays["centres"], arrays["share"], arrays["lift"], tuple(meta["labels"]), tuple(meta["names"]))


def interest_vectors(views: Views, categories: Labels) -> Floats:
    """Returns the positive weight of every category in every view, float32 [b, levels]."""
    user = np.repeat(np.arange(len(views)), np.diff(views.start))
    inside = views.item < len(categories.codes)
    code = categories.codes[np.where(inside, views.item, 0)]
    known = inside & (code >= 0)
    shape = (len(views), len(categories.levels))
    summed = sparse.csr_matrix((views.weight[known], (user[known], code[known])), shape=shape)
    return np.maximum(summed.toarray(), 0.0).astype(np.float32)


def find_segments(vectors: Floats, labels: tuple[str, ...], k: int | None = None, seed: int = 0) -> Segments:
    """Returns segments of users; equal vectors and seeds give equal segments.

    Args:
        vectors: float32 [n, labels], weight or share by label; users without positive interest are left out.
        k: how many; default: the best of 3 to 12 by simplified silhouette.

    Raises:
        NotEnoughData: code `data.too-few`; fewer different users than segments.
    """
    units = _units(vectors)
    units = units[units.any(axis=1)]
    least = k or CHOICES[0]
    if len(units) < least or _distinct(units[:SAMPLE]) < least:
        raise NotEnoughData(
            f"{len(units)} users with interests",
            f"at least {least} different ones",
            "record more events, or ask for fewer",
        )
    rng = stream(seed, "segments")
    sample = units if len(units) <= SAMPLE else units[rng.choice(len(units), SAMPLE, replace=False)]
    choices = [k] if k else [count for count in CHOICES if count <= _distinct(sample)]
    tried = [_tightest(sample, count, stream(seed, "segments", count)) for count in choices]
    centres = max(tried, key=lambda found: _silhouette(sample, found))
    return _described(units, centres, labels)


def _units(vectors: Floats) -> Floats:
    roots = np.sqrt(np.maximum(vectors, 0.0))
    length = np.linalg.norm(roots, axis=1, keepdims=True)
    units: Floats = np.divide(roots, length, out=np.zeros_like(roots), where=length > 0).astype(np.float32)
    return units


def _distinct(units: Floats) -> int:
    """How many directions there are that rounding does not blur."""
    return len({row.tobytes() for row in np.round(units, 3) + np.float32(0)})


def _tightest(units: Floats, k: int, rng: np.random.Generator) -> Floats:
    starts = [_k_means(units, k, rng) for _ in range(STARTS)]
    return max(starts, key=lambda centres: float((units @ centres.T).max(axis=1).sum()))


def _k_means(units: Floats, k: int, rng: np.random.Generator) -> Floats:
    centres = _first_centres(units, k, rng)
    nearest = np.full(len(units), -1)
    for _ in range(ROUNDS):
        likeness = units @ centres.T
        before, nearest = nearest, likeness.argmax(axis=1)
        if (before == nearest).all():
            break
        for segment in range(k):
            members = units[nearest == segment]
            if len(members):
                total = members.sum(axis=0)
                centres[segment] = total / np.linalg.norm(total)
            else:
                centres[segment] = units[likeness.max(axis=1).argmin()]
    return centres


def _first_centres(units: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Each further centre is drawn in proportion to the squared distance from the nearest one so far, where any is."""
    chosen = [int(rng.integers(len(units)))]
    distance = np.full(len(units), np.inf)
    while len(chosen) < k:
        distance = np.minimum(distance, np.maximum(1.0 - units @ units[chosen[-1]], 0.0))
        distance[chosen] = 0.0
        odds = distance / distance.sum() if distance.any() else None
        chosen.append(int(rng.choice(len(units), p=odds)))
    return units[chosen].copy()


def _silhouette(units: Floats, centres: Floats) -> float:
    """The mean of (b − a) / max(a, b), a and b the distances to the nearest and the second nearest centre."""
    distance = np.maximum(1.0 - units @ centres.T, 0.0)
    a, b = np.partition(distance, 1, axis=1)[:, :2].T
    return float(np.mean((b - a) / np.maximum(b, 1e-12)))


def _described(units: Floats, centres: Floats, labels: tuple[str, ...]) -> Segments:
    nearest = (units @ centres.T).argmax(axis=1)
    sizes = np.bincount(nearest, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    shares = units.astype(np.float64) ** 2
    means = np.zeros((len(order), len(labels)))
    np.add.at(means, place[nearest], shares)
    means /= np.maximum(sizes[order], 1)[:, None]
    lift = means / np.maximum(shares.mean(axis=0), 1e-12)
    names = tuple(_name(mean, above, labels) for mean, above in zip(means, lift, strict=True))
    return Segments(
        centres[order], (sizes[order] / len(units)).astype(np.float32), lift.astype(np.float32), labels, names
    )


def _name(mean: npt.NDArray[np.float64], lift: npt.NDArray[np.float64], labels: tuple[str, ...]) -> str:
    """The labels by which a segment's interest differs most from everybody's: share × logarithm of the lift."""
    telling = mean * np.log(np.maximum(lift, 1e-12))
    apart = [code for code in np.argsort(-telling, kind="stable")[:MOST_NAMES] if lift[code] > 1.0]
    named = [labels[code] for code in apart if mean[code] >= LEAST_SHARE]
    return " and ".join(named) or "a bit of everything"
