"""The snapshot: the read-only view of one instant that pipelines work on. Views and references, no copies."""

from __future__ import annotations

import msgspec

from mutua.catalog.table import AttributeTable
from mutua.core.ids import Vocabulary
from mutua.profiles.history import History
from mutua.profiles.views import Floats


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
