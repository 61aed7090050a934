"""Metrics of foreseen probabilities and of scores against labels 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def log_loss(labels: npt.ArrayLike, probability: npt.ArrayLike, floor: float = 1e-15) -> float:
    """Returns the mean negative log-likelihood in nats; probabilities are kept `floor` away from 0 and 1."""
    truth = np.asarray(labels, np.bool_)
    p = np.clip(np.asarray(probability, np.float64), floor, 1.0 - floor)
    return float(-np.mean(np.where(truth, np.log(p), np.log1p(-p))))


def accuracy_of_labels(labels: npt.ArrayLike, probability: npt.ArrayLike, threshold: float = 0.5) -> float:
    """Returns the share of rows whose probability lies on the right side of `threshold` (at it counts as 1)."""
    return float(np.mean((np.asarray(probability) >= threshold) == np.asarray(labels, np.bool_)))


def roc_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Values, Values, Values]:
    """Returns false positive rate, true positive rate and threshold, one point for each distinct score, from (0, 0).

    The first threshold is infinite. Rates are NaN where the labels lack a class.
    """
    truth, given = np.asarray(labels, np.bool_), np.asarray(scores, np.float64)
    order = np.argsort(-given, kind="stable")
    truth, given = truth[order], given[order]
    last = np.flatnonzero(np.append(given[1:] != given[:-1], True)) if len(given) else np.empty(0, np.intp)
    positive = np.concatenate(([0], np.cumsum(truth)[last]))
    negative = np.concatenate(([0], np.cumsum(~truth)[last]))
    return (
        negative / (negative[-1] or np.nan),
        positive / (positive[-1] or np.nan),
        np.concatenate(([np.inf], given[last])),
    )


def area_under_roc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Returns the probability that a positive scores above a negative, ties counting half; NaN without both.

    Example:
        >>> area_under_roc([0, 1, 1], [0.2, 0.2, 0.9])
        0.75
    """
    false_rate, true_rate, _ = roc_curve(labels, scores)
    if np.isnan(false_rate[0] + true_rate[0]):
        return float("nan")
    return float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2.0))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Foreseen against observed share of positives in bins of equal width: arrays [bins], NaN where `count` is 0."""

    foreseen: Values
    observed: Values
    count: npt.NDArray[np.int64]


def reliability(labels: npt.ArrayLike, probability: npt.ArrayLike, bins: int = 10) -> Reliability:
    """Returns the reliability diagram of probabilities in [0, 1]."""
    truth, p = np.asarray(labels, np.float64), np.asarray(probability, np.float64)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    size = np.where(count > 0, count, np.nan)
    return Reliability(
        np.bincount(place, weights=p, minlength=bins) / size,
        np.bincount(place, weights=truth, minlength=bins) / size,
        count,
    )


def calibration_error(labels: npt.ArrayLike, probability: npt.ArrayLike, bins: int = 10) -> float:
    """Returns the expected calibration error: Σ over bins of their share × |observed − foreseen| (Naeini 2015)."""
    diagram = reliability(labels, probability, bins)
    distance = np.nan_to_num(np.abs(diagram.observed - diagram.foreseen))
    return float(distance @ diagram.count / max(int(diagram.count.sum()), 1))
