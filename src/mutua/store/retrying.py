"""Quarantined rows tried again: those that can be read now become events and leave the quarantine."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from mutua.core import clock
from mutua.errors import InvalidRow
from mutua.events.cleaner import Cleaner
from mutua.events.cleaning import CleaningRules
from mutua.events.columns import Batch
from mutua.events.readers.jsonl import decoded
from mutua.events.readers.tables import RAW_BYTES, UNKNOWN_CHARACTER
from mutua.events.rows import Ordinals
from mutua.events.trail import Trail
from mutua.store.base import EventLog, Quarantine, Rejected
from mutua.store.preparing import Preparation, events_batch
from mutua.store.recipes import Recipe
from mutua.store.recording import Recorded

_PAGE = 1_000
_FILTER_WORDS = 2**14


def record_quarantined(
    log: EventLog,
    quarantine: Quarantine,
    *,
    mapping: str = "",
    rules: CleaningRules = CleaningRules(),  # noqa: B008
    now: int | None = None,
) -> Recorded:
    """Records the quarantined rows that can be read now, durably, and takes them out of the quarantine.

    Rows stay whose bytes were not kept whole: longer than 4 KiB, or not UTF-8. Killed between, it is run again: rows
    that are in the log already change nothing.

    Args:
        mapping: another `--map` text for all of them; empty to read each as it was.
        rules: of cleaning; those that one row shows, or rows beside each other, apply.
        now: the clock, microseconds UTC.

    Returns:
        What became of them; `quarantined` counts by code those that stay.

    Raises:
        MissingColumn: code `file.column-missing`.
        UsageError: code `usage`.
    """
    began = time.perf_counter()
    moment = clock.now() if now is None else now
    with Trail() as trail:
        retry = _Retry(log, quarantine, mapping, rules, moment, trail)
        for page in _pages(quarantine):
            retry.page(page)
    marked = sum((made.marked for made in retry.preparations.values()), Counter[str]())
    seconds = time.perf_counter() - began
    return Recorded(retry.accepted, retry.duplicates, dict(retry.stay), dict(marked), mapping, seconds=seconds)


@dataclass
class _Retry:
    log: EventLog
    quarantine: Quarantine
    mapping: str
    rules: CleaningRules
    now: int
    trail: Trail
    accepted: int = 0
    duplicates: int = 0
    stay: Counter[str] = field(default_factory=Counter)
    preparations: dict[tuple[str, str], Preparation] = field(default_factory=dict)

    def page(self, rows: Sequence[Rejected]) -> None:
        groups: dict[tuple[str, str], list[Rejected]] = defaultdict(list)
        for row in rows:
            groups[row.source, row.mapping].append(row)
        for key, group in groups.items():
            whole = [row for row in group if _is_whole(row)]
            self.stay.update(row.code for row in group if not _is_whole(row))
            if whole and (recipe := self._recipe(key[1])) is not None:
                preparation = self._preparation(key)
                preparation.cleaner.calendar = recipe.clock is not None and recipe.clock.calendar
                self._group(recipe, preparation, whole)
            else:
                self.stay.update(row.code for row in whole)

    def _group(self, recipe: Recipe, preparation: Preparation, rows: Sequence[Rejected]) -> None:
        read: list[int] = []
        for some, batch in _read(recipe, rows, self.now):
            failed = {row.line: row.error.code for row in batch.refused}
            if batch.frame.height:
                frame, _ = preparation(batch)
                appended = self.log.append_batch(frame, recorded=self.now)
                self.accepted += appended.accepted
                self.duplicates += appended.duplicates
            self.stay.update(failed.values())
            read.extend(row.id for line, row in some.items() if line not in failed)
        if read:
            self.quarantine.remove(read)

    def _recipe(self, text: str) -> Recipe | None:
        try:
            recipe = msgspec.json.decode(text, type=Recipe)
        except msgspec.DecodeError:
            return None
        return recipe.mapped(self.mapping) if self.mapping and recipe.reader != "events" else recipe

    def _preparation(self, key: tuple[str, str]) -> Preparation:
        if key not in self.preparations:
            ordinals = Ordinals(bits=np.zeros(_FILTER_WORDS, np.uint64))
            self.preparations[key] = Preparation(Cleaner(self.rules), self.trail, ordinals)
        return self.preparations[key]


def _read(recipe: Recipe, rows: Sequence[Rejected], now: int) -> Iterator[tuple[dict[int, Rejected], Batch]]:
    """Yields rows by line with their batch: rows of one line together, a row that quotes may join to others alone."""
    plain = [row for row in rows if "\n" not in row.raw and row.code != InvalidRow.code]
    alone = [row for row in rows if "\n" in row.raw or row.code == InvalidRow.code]
    for some in filter(None, [plain, *([row] for row in alone)]):
        text = "\n".join(row.raw for row in some)
        yield dict(enumerate(some, 1)), _batch(recipe, text, now)


def _batch(recipe: Recipe, text: str, now: int) -> Batch:
    if recipe.reader == "events":
        objects = decoded(1, text.encode().split(b"\n"), 0)
        return events_batch(objects, now=now, source=recipe.source, rows_before=0)
    table = recipe.table(text)
    return recipe.converter(table, now)(table, 0)


def _is_whole(row: Rejected) -> bool:
    torn = row.code == InvalidRow.code and UNKNOWN_CHARACTER in row.raw
    return len(row.raw.encode()) < RAW_BYTES and not torn


def _pages(quarantine: Quarantine) -> Iterator[list[Rejected]]:
    last = 0
    while page := quarantine.rows(_PAGE, after=last):
        last = page[-1].id
        yield page
