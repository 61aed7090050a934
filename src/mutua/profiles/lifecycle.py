"""Life-cycle: is a user new, active, lapsing or lost, against their own rhythm.

A user's rhythm is the gap between days of activity that they usually keep: the median of their own gaps, drawn towards
the median of everybody's while there are few (an average in which the population counts as `PRIOR_GAPS` gaps, on the
scale of logarithms). The silence since the last event is then read against it:

- **new**: fewer than `NEW_SESSIONS` active days, the last one not longer ago than `LAPSING` rhythms;
- **active**: the silence is at most `LAPSING` (3) rhythms;
- **lapsing**: at most `LOST` (7) rhythms, or not yet longer than almost all gaps of people who came back;
- **lost**: beyond both.

Of the gaps of somebody who comes at random, one in 2³ is longer than three medians, and one in 2⁷ longer than seven.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mutua.core.clock import DAY, HOUR
from mutua.events.interactions import Interactions

LAPSING = 3.0
LOST = 7.0
NEW_SESSIONS = 3
PRIOR_GAPS = 3.0
SESSION = 12 * HOUR
"""Events nearer to each other than this are one visit."""
LEAST_RHYTHM = DAY
RETURN_QUANTILE = 0.95

Micros = npt.NDArray[np.int64]


class Stage(StrEnum):
    """Where a user stands."""

    NONE = "none"
    NEW = "new"
    ACTIVE = "active"
    LAPSING = "lapsing"
    LOST = "lost"


@dataclass(frozen=True)
class Rhythms:
    """How often people come, in microseconds.

    Args:
        median: the middle of the gaps between visits; longest: gaps that only one in twenty exceeds.
    """

    median: float = 7.0 * DAY
    longest: float = 60.0 * DAY


@dataclass(frozen=True)
class LifeCycle:
    """A user's stage and what it was read from.

    Args:
        stage: where the user stands.
        silence: since the last event, microseconds; rhythm: the gap the user usually keeps, microseconds.
        visits: how many visits the known events make.
    """

    stage: Stage
    silence: int
    rhythm: float
    visits: int


POPULATION = Rhythms()
"""Weekly visitors: what is assumed before a population is known."""


def rhythms_of(interactions: Interactions) -> Rhythms:
    """Returns the rhythms of a log that is grouped by user, each in order of time."""
    kept = interactions.weight > 0
    user, time = interactions.user[kept], interactions.time[kept]
    gaps = np.diff(time)[user[1:] == user[:-1]]
    gaps = gaps[gaps > SESSION]
    if len(gaps) < 20:
        return POPULATION
    median, longest = np.quantile(gaps, [0.5, RETURN_QUANTILE])
    return Rhythms(float(median), float(longest))


def life_cycle(times: Micros, now: int, population: Rhythms = POPULATION) -> LifeCycle:
    """Returns the stage at `now` of a user with events at `times`, int64 [n], ascending, microseconds UTC.

    Events after `now` are left out.

    Example:
        >>> weekly = np.arange(10) * 7 * DAY
        >>> [str(life_cycle(weekly, int(weekly[-1]) + days * DAY).stage) for days in (3, 30, 300)]
        ['active', 'lapsing', 'lost']
    """
    known = times[: int(np.searchsorted(times, now, side="right"))]
    if not len(known):
        return LifeCycle(Stage.NONE, 0, population.median, 0)
    gaps = np.diff(known)
    gaps = gaps[gaps > SESSION]
    rhythm = _rhythm(gaps, population)
    silence = now - int(known[-1])
    visits = len(gaps) + 1
    return LifeCycle(_stage(silence, rhythm, visits, population), silence, rhythm, visits)


def _rhythm(gaps: Micros, population: Rhythms) -> float:
    own = math.log(np.median(gaps)) if len(gaps) else 0.0
    drawn = (len(gaps) * own + PRIOR_GAPS * math.log(population.median)) / (len(gaps) + PRIOR_GAPS)
    return max(math.exp(drawn), float(LEAST_RHYTHM))


def _stage(silence: int, rhythm: float, visits: int, population: Rhythms) -> Stage:
    if silence <= LAPSING * rhythm:
        return Stage.NEW if visits < NEW_SESSIONS else Stage.ACTIVE
    return Stage.LAPSING if silence <= max(LOST * rhythm, population.longest) else Stage.LOST
