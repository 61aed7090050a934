"""The snapshot: the read-only view of one instant that pipelines work on. Views and references, no copies."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.catalog.table import AttributeTable
from mutua.core.ids import Vocabulary
from mutua.profiles.history import History
from mutua.profiles.views import Floats

Items = npt.NDArray[np.int32]
NO_ITEMS: Items = np.empty(0, np.int32)


class Shelves(msgspec.Struct, frozen=True, eq=False):
    """What candidates are taken from besides the model's ranking, for surfaces that ask for it.

    Args:
        popular: int32, items by target events, most first; trending: the same of the last hours.
        features: float32 CSR [n, f], rows of length 1: what is known of items; None where no surface asks.
    """

    popular: Items = NO_ITEMS
    trending: Items = NO_ITEMS
    features: sparse.csr_matrix | None = None


EMPTY_SHELVES = Shelves()


class Snapshot(msgspec.Struct, frozen=True, eq=False):
    """What one recommendation may look at.

    Args:
        model_version: version of the model in force, empty before any was learned.
        items: the item vocabulary, to answer in outer ids.
        catalog: attributes of items by inner index.
        popularity: float32 [n_items], counts of target events, the answer where there is no model.
        history: the user's events; empty for an unknown user.
        attributes: float32 [1, a], encoded attributes for the model, or None.
        user: outer id, None for anonymous.
        now: scoring time, microseconds UTC.
        version: sequence number of the newest event that the history holds, 0 for none.
        seeds: int32, items that the request is about, the most important first: of a product page, of a cart.
        given: int32, items that the request brings as candidates.
        shelves: further sources of candidates.
        note: what every slate should say, such as why an earlier model serves; empty for nothing.
    """

    model_version: str
    items: Vocabulary
    catalog: AttributeTable
    popularity: Floats
    history: History
    attributes: Floats | None
    user: str | None
    now: int
    version: int
    note: str = ""
    seeds: Items = NO_ITEMS
    given: Items = NO_ITEMS
    shelves: Shelves = EMPTY_SHELVES
