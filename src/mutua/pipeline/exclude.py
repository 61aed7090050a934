"""Which items of the profile are left out of its slate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.models.base import Model, Repeats
from mutua.pipeline.spec import Exclude
from mutua.profiles.views import Views

NOTHING = np.empty(0, np.int32)


def seen_items(exclude: Exclude, model: Model | None, views: Views) -> npt.NDArray[np.int32]:
    """Returns int32 [m], the items of the view's history to leave out.

    `auto` keeps items that the model knows people come back for (`Repeats`); disliked items go unless `off`.
    """
    if exclude == "off":
        return NOTHING
    if exclude == "auto" and isinstance(model, Repeats):
        return _once_only(views, model.repeatable())
    return views.item


def _once_only(views: Views, repeatable: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    known = views.item < len(repeatable)
    again = np.zeros(len(views.item), np.bool_)
    again[known] = repeatable[views.item[known]]
    return views.item[~again | (views.weight < 0)]
