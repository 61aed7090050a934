"""Which items of the profile are left out of its slate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mutua.pipeline.spec import Exclude
from mutua.profiles.views import Views

NOTHING = np.empty(0, np.int32)


def seen_items(exclude: Exclude, again: npt.NDArray[np.bool_] | None, views: Views) -> npt.NDArray[np.int32]:
    """Returns int32 [m], the items of the view's history to leave out.

    Args:
        exclude: `auto` keeps items that people come back for, unless they are disliked here.
        again: bool [n_items], which items those are, or None where the model does not know.
    """
    if exclude == "off":
        return NOTHING
    if exclude == "on" or again is None:
        return views.item
    known = views.item < len(again)
    kept = np.zeros(len(views.item), np.bool_)
    kept[known] = again[views.item[known]]
    return views.item[~kept | (views.weight < 0)]
