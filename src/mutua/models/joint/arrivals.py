"""Items on their way to a model that has not learned of them: those that changed, the newest first, a few at a time."""

from __future__ import annotations

import numpy as np

from mutua.catalog.live import LiveTable, Mark
from mutua.models.joint.newcomers import MOST, Newcomers

AT_ONCE = 32
"""Items told of at once, some milliseconds; a bulk load is spread over the slates that follow it."""


class Arrivals:
    """What a model with room for newcomers has yet to be told of."""

    def __init__(self, model: Newcomers) -> None:
        self._model = model
        self._mark: Mark | None = None
        self._waiting: dict[int, None] = {}

    def welcome(self, live: LiveTable) -> None:
        """Tells the model of items that are new or changed; a comparison where there are none.

        Args:
            live: the catalogue as of now.
        """
        if live.mark != self._mark:
            self._look(live)
        if self._waiting:
            chosen = [self._waiting.popitem()[0] for _ in range(min(AT_ONCE, len(self._waiting)))]
            rows = np.array(sorted(chosen), np.int32)
            self._model.welcome(rows, live.rows(rows, self._model.reads))

    def _look(self, live: LiveTable) -> None:
        known, size = self._model.learned.n_items, live.table.size
        changed = None if self._mark is None else live.since(self._mark)
        rows = np.arange(max(known, size - MOST), size) if changed is None else changed[changed >= known][-MOST:]
        self._mark = live.mark
        for row in rows.tolist():
            self._waiting.pop(row, None)
            if live.says(row, self._model.reads):
                self._waiting[row] = None
        while len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]
