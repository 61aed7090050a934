"""Anomalies: what in a history looks unlike a person, or unlike this person. Flags only: nothing is dropped.

Every test compares a user with their own past, or with bounds far outside what the population does, so that a normal
user is hardly ever flagged. Events of one instant (a basket) are one act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import Labels
from mutua.core.clock import DAY, HOUR, MINUTE, SECOND, format_span
from mutua.events.interactions import Interactions
from mutua.profiles.history import History

MOST_EVIDENCE = 10
ACTS_A_MINUTE = 60
ACTS_AN_HOUR = 900
CLOCKWORK_ACTS = 40
CLOCKWORK_GAP = 10 * MINUTE
CLOCKWORK_SPREAD = 0.05
"""Quartile range of the gaps against their median below which acts come like clockwork."""
BURST_ACTS = 30
BURST_FACTOR = 3.0
BURST_DAYS = 10
"""Earlier active days that a burst is compared with."""
SHIFT_EVENTS = 20
SHIFT_CHUNKS = 4
SHIFT_OVERLAP = 0.15
SHIFT_FACTOR = 0.4
VALUE_REACH = 10.0
"""How many robust deviations away, on the scale of asinh, a value becomes implausible."""
LEAST_DEVIATION = 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Anomaly:
    """One flag.

    Args:
        code: `rate`, `clockwork`, `burst`, `taste-shift` or `value`.
        severity: 0 at the limit, towards 1 far beyond it.
        text: what was seen.
        sequences: positions in the log of the events that show it, at most ten.
    """

    code: str
    severity: float
    text: str
    sequences: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Norms:
    """What values the population sends.

    Args:
        middle, reach: float64 [types], the middle of asinh(value) by type and how far around it is plausible; a type
            beyond the table, or with NaN, has no bounds.
    """

    middle: Floats = field(default_factory=lambda: np.empty(0))
    reach: Floats = field(default_factory=lambda: np.empty(0))


NO_NORMS = Norms()


def norms_of(interactions: Interactions) -> Norms:
    """Returns the norms of a log: median and 10 median absolute deviations of asinh(value), by type."""
    middle, reach = np.full((2, len(interactions.types)), np.nan)
    valued = np.isfinite(interactions.value) & (interactions.weight > 0)
    for kind in range(len(interactions.types)):
        values = np.arcsinh(interactions.value[valued & (interactions.type == kind)].astype(np.float64))
        if len(values):
            middle[kind] = np.median(values)
            deviation = 1.4826 * np.median(np.abs(values - middle[kind]))
            reach[kind] = VALUE_REACH * max(deviation, LEAST_DEVIATION)
    return Norms(middle, reach)


def anomalies_of(
    history: History, now: int, norms: Norms = NO_NORMS, categories: Labels | None = None
) -> tuple[Anomaly, ...]:
    """Returns the flags that the window of `history` shows at `now` (microseconds UTC), the most severe first.

    Args:
        norms: what values are plausible.
        categories: of items by inner index, for shifts of taste.

    Cost: O(events log events), some 100 µs for 500 events.
    """
    known = history.take(np.flatnonzero(history.time <= now))
    if not len(known):
        return ()
    found = [_rate(known), _clockwork(known), _burst(known, now), _values(known, norms)]
    if categories is not None:
        found.append(_taste_shift(known, categories))
    flags = [anomaly for anomaly in found if anomaly is not None]
    return tuple(sorted(flags, key=lambda anomaly: -anomaly.severity))


def _rate(history: History) -> Anomaly | None:
    """More acts in a minute or an hour than a hand can do."""
    acts = np.unique(history.time)
    worst: Anomaly | None = None
    for span, limit in ((MINUTE, ACTS_A_MINUTE), (HOUR, ACTS_AN_HOUR)):
        counts = np.searchsorted(acts, acts + span, side="left") - np.arange(len(acts))
        first = int(counts.argmax())
        if counts[first] > limit and (worst is None or _severity(counts[first], limit) > worst.severity):
            inside = (history.time >= acts[first]) & (history.time < acts[first] + span)
            text = f"{counts[first]} acts within {format_span(span)}"
            worst = Anomaly("rate", _severity(counts[first], limit), text, _some(history, np.flatnonzero(inside)))
    return worst


def _clockwork(history: History) -> Anomaly | None:
    """The last acts at equal gaps, as a script makes them."""
    acts = np.unique(history.time)[-CLOCKWORK_ACTS - 1 :]
    if len(acts) <= CLOCKWORK_ACTS:
        return None
    low, middle, high = np.quantile(np.diff(acts), [0.25, 0.5, 0.75])
    spread = (high - low) / middle
    if not 2 * SECOND < middle <= CLOCKWORK_GAP or spread >= CLOCKWORK_SPREAD:
        return None
    text = f"{len(acts)} acts {format_span(middle)} apart, each time within {spread:.0%} of it".replace("%", " %")
    rows = np.flatnonzero(history.time >= acts[0])
    return Anomaly("clockwork", 1.0 - spread / CLOCKWORK_SPREAD, text, _some(history, rows))


def _burst(history: History, now: int) -> Anomaly | None:
    """Far more acts in the last day than on any day before."""
    acts = np.unique(history.time)
    day = (now - acts) // DAY
    recent, earlier = int((day == 0).sum()), np.unique(day[day > 0], return_counts=True)[1]
    if len(earlier) < BURST_DAYS:
        return None
    limit = max(BURST_FACTOR * int(earlier.max()), BURST_ACTS)
    if recent <= limit:
        return None
    text = f"{recent} acts in the last day, at most {earlier.max()} on any of {len(earlier)} active days before"
    rows = np.flatnonzero((now - history.time) // DAY == 0)
    return Anomaly("burst", _severity(recent, limit), text, _some(history, rows))


def _values(history: History, norms: Norms) -> Anomaly | None:
    """Values far outside what the population sends with that type."""
    rows = np.flatnonzero((history.type < len(norms.middle)) & np.isfinite(history.value))
    kind = history.type[rows]
    away = np.abs(np.arcsinh(history.value[rows].astype(np.float64)) - norms.middle[kind]) / norms.reach[kind]
    far = np.flatnonzero(away > 1.0)
    if not len(far):
        return None
    farthest = far[np.argsort(-away[far], kind="stable")]
    text = f"{len(far)} implausible values such as {history.value[rows[farthest[0]]]:g}"
    return Anomaly("value", _severity(float(away[farthest[0]]), 1.0), text, _some(history, rows[farthest]))


def _taste_shift(history: History, categories: Labels) -> Anomaly | None:
    """The last events touch almost nothing of what came before, though the chunks before were like each other."""
    inside = np.flatnonzero(history.item < len(categories.codes))
    codes = categories.codes[history.item[inside]]
    rows, codes = inside[codes >= 0], codes[codes >= 0]
    chunks = len(codes) // SHIFT_EVENTS
    if chunks <= SHIFT_CHUNKS:
        return None
    size = len(categories.levels)
    latest_first = np.split(codes[::-1][: chunks * SHIFT_EVENTS], chunks)
    counts = np.array([np.bincount(chunk, minlength=size) for chunk in latest_first], np.float64)
    recent, earlier = counts[0], counts[1:]
    others = (earlier.sum(axis=0) - earlier) / (SHIFT_EVENTS * (len(earlier) - 1))
    usual = np.minimum(earlier / SHIFT_EVENTS, others).sum(axis=1)
    overlap = float(np.minimum(recent / SHIFT_EVENTS, earlier.mean(axis=0) / SHIFT_EVENTS).sum())
    limit = min(SHIFT_OVERLAP, SHIFT_FACTOR * float(usual.min()))
    if overlap >= limit:
        return None
    strange = categories.levels[int((recent - earlier.mean(axis=0)).argmax())]
    text = f"the last {SHIFT_EVENTS} events share {overlap:.0%} with the {len(earlier) * SHIFT_EVENTS} before them"
    text = f"{text}, most of them now {strange}".replace("%", " %")
    return Anomaly("taste-shift", 1.0 - overlap / limit, text, _some(history, rows[-SHIFT_EVENTS:]))


def _severity(seen: float, limit: float) -> float:
    return float(1.0 - limit / seen)


def _some(history: History, rows: npt.NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(history.sequence[rows[:MOST_EVIDENCE]].tolist())


def worst(anomalies: Sequence[Anomaly]) -> float:
    """Returns the greatest severity, 0 where nothing was flagged."""
    return max((anomaly.severity for anomaly in anomalies), default=0.0)
