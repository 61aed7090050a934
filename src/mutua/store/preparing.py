"""Batches made ready for the log: ids for rows that have none, marks of cleaning, whole events of JSON lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.errors import MutuaError
from mutua.events.cleaner import Cleaner
from mutua.events.cleaning import RULES
from mutua.events.columns import Batch
from mutua.events.kinds import AnyEvent
from mutua.events.parsing import parse_event
from mutua.events.readers.jsonl import Objects
from mutua.events.readers.tables import Unread, shown
from mutua.events.rows import Ordinals, digested, row_ids
from mutua.events.trail import Rows, Trail
from mutua.store.base import BATCH_SCHEMA
from mutua.store.codec import encode


@dataclass
class Preparation:
    """Gives the rows of one file ids and marks, in its order; `marked` counts them by rule."""

    cleaner: Cleaner
    trail: Trail
    ordinals: Ordinals = field(default_factory=Ordinals)
    marked: Counter[str] = field(default_factory=Counter)

    def __call__(self, batch: Batch) -> tuple[pl.DataFrame, Rows]:
        """Returns the frame of a batch, ids and marks filled in, and what the whole-file rules need of it."""
        frame = batch.frame
        digests = digested(frame, batch.given_time)
        ordinals = self.ordinals(digests.content)
        marks = self.cleaner.marks(frame, digests, ordinals, batch.given_time)
        self._count(marks)
        missing = frame["id"].null_count()
        filled = {"mark": pl.Series(marks)}
        if missing:
            ids = row_ids(digests.content, ordinals)
            filled["id"] = ids if missing == frame.height else frame["id"].zip_with(frame["id"].is_not_null(), ids)
        return frame.with_columns(**filled), self.trail.rows(frame, digests.user)

    def _count(self, marks: npt.NDArray[np.int32]) -> None:
        found = marks[marks > 0]
        for name, bit in RULES.items():
            if count := int(np.count_nonzero(found & bit)):
                self.marked[name] += count


def events_batch(objects: Objects, *, now: int, source: str, rows_before: int) -> Batch:
    """Returns the events of JSON lines; those that name no source come from `source`, those without a time from now."""
    events: list[AnyEvent] = []
    refused = list(objects.unread)
    for value, line, raw in zip(objects.values, objects.lines, objects.raws, strict=True):
        try:
            events.append(parse_event({"source": source, **value}, now=now))
        except MutuaError as error:
            refused.append(Unread(line, shown(raw), error))
    frame = _frame(events, now)
    given = pl.Series("time", [event.time for event in events], dtype=pl.Int64)
    order = pl.Series(np.arange(now + rows_before, now + rows_before + len(events)))
    named = pl.Series("id", [event.id for event in events], dtype=pl.String)
    frame = frame.with_columns(named, given.zip_with(given.is_not_null(), order).alias("time"))
    return Batch(frame, given, tuple(sorted(refused, key=lambda row: row.line)), objects.position)


def _frame(events: Sequence[AnyEvent], now: int) -> pl.DataFrame:
    rows = encode(events, now)
    frame = pl.DataFrame(
        rows, schema={name: BATCH_SCHEMA[name] for name in BATCH_SCHEMA if name != "mark"}, orient="row"
    )
    return frame.with_columns(mark=pl.lit(0, pl.Int32))
