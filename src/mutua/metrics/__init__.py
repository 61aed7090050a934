"""Metrics as pure functions of arrays: rankings, lists, ratings, probabilities, groups.

Names are `name@k` in lower case. Ranking metrics come one value a user, NaN for a user without a relevant item, so that
a mean leaves such users out (`np.nanmean`) and can say how many they were.
"""

from mutua.metrics.groups import Gap, gap
from mutua.metrics.lists import calibration, coverage, diversity, exposure, gini, novelty
from mutua.metrics.probabilities import (
    Reliability,
    accuracy_of_labels,
    area_under_roc,
    calibration_error,
    log_loss,
    reliability,
    roc_curve,
)
from mutua.metrics.ranking import (
    MISSED,
    RANKING,
    Placements,
    accuracy,
    auc,
    dcg,
    f1,
    hr,
    map,
    mrr,
    ndcg,
    place,
    precision,
    recall,
)
from mutua.metrics.ratings import mae, mse, rmse

__all__ = [
    "MISSED",
    "RANKING",
    "Gap",
    "Placements",
    "Reliability",
    "accuracy",
    "accuracy_of_labels",
    "area_under_roc",
    "auc",
    "calibration",
    "calibration_error",
    "coverage",
    "dcg",
    "diversity",
    "exposure",
    "f1",
    "gap",
    "gini",
    "hr",
    "log_loss",
    "mae",
    "map",
    "mrr",
    "mse",
    "ndcg",
    "novelty",
    "place",
    "precision",
    "recall",
    "reliability",
    "rmse",
    "roc_curve",
]
