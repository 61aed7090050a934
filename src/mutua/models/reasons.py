"""Scores taken apart: the terms that history items add, as reasons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.profiles.views import Evidence, Views
from mutua.slates import Reason

OLDER = "older events"
_ROUNDING = 1e-5


def reasons_by_event(
    views: Views, evidence: Evidence, rates: npt.NDArray[np.float64], kind: str = "influence"
) -> tuple[Reason, ...]:
    """Returns one reason an event, and one of all older events where the view holds more than the evidence.

    Args:
        views: one view, whose score is Σ weight · rate.
        evidence: the events behind it.
        rates: float64 [m], what a unit of weight of `views.item` adds to the score.
        kind: kind of the reasons.
    """
    order, place, known = _places(views, evidence)
    rate = np.where(known, rates[order][place], 0.0) if len(order) else np.zeros(len(evidence.item))
    amounts = evidence.weight * rate
    found = [
        Reason(kind, amount, int(item), (int(sequence),), time=int(time))
        for amount, item, sequence, time in zip(
            amounts.tolist(), evidence.item, evidence.sequence, evidence.time, strict=True
        )
        if amount != 0.0
    ]
    older = float(_uncovered(views, evidence, order, place, known) @ rates)
    if older != 0.0:
        found.append(Reason(kind, older, label=OLDER))
    return by_size(found)


def reasons_by_item(
    views: Views, evidence: Evidence, amounts: npt.NDArray[np.float64], kind: str = "influence"
) -> tuple[Reason, ...]:
    """Returns one reason for every history item, of all its events together.

    Args:
        views: one view.
        evidence: the events behind it.
        amounts: float64 [m], what each of `views.item` adds to the score.
        kind: kind of the reasons.
    """
    found = []
    for item, amount in zip(views.item.tolist(), amounts.tolist(), strict=True):
        if amount != 0.0:
            found.append(of_item(evidence, kind, amount, item))
    return by_size(found)


def of_item(evidence: Evidence, kind: str, amount: float, item: int) -> Reason:
    """Returns one reason that rests on all events on one item."""
    rows = evidence.item == item
    sequences = tuple(evidence.sequence[rows].tolist())
    label = "" if sequences else OLDER
    return Reason(kind, amount, item, sequences, label, int(evidence.time[rows].max(initial=-1)))


def by_size(reasons: list[Reason]) -> tuple[Reason, ...]:
    """Returns reasons with the largest absolute amount first; equal ones keep their order."""
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.amount)))


def _places(
    views: Views, evidence: Evidence
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Returns the sorting of the view's items, each event's place in it, and whether its item stands in the view."""
    order = np.argsort(views.item, kind="stable")
    if not len(order):
        return order, np.zeros(len(evidence.item), np.intp), np.zeros(len(evidence.item), np.bool_)
    place = np.minimum(np.searchsorted(views.item[order], evidence.item), len(order) - 1)
    return order, place, views.item[order][place] == evidence.item


def _uncovered(
    views: Views,
    evidence: Evidence,
    order: npt.NDArray[np.intp],
    place: npt.NDArray[np.intp],
    known: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """Returns the part of each weight that no event of the evidence explains, 0 where it is mere rounding."""
    covered = np.zeros((2, len(views.item)))
    np.add.at(covered[0], order[place[known]], evidence.weight[known])
    np.add.at(covered[1], order[place[known]], np.abs(evidence.weight[known]))
    rest = views.weight.astype(np.float64) - covered[0]
    return np.where(np.abs(rest) > _ROUNDING * np.maximum(covered[1], np.abs(views.weight)), rest, 0.0)
