"""Recording a file: read, mapped, given ids, cleaned, and kept, batch by batch; what cannot be read is quarantined.

Every batch is on disk before progress tells of it. A recording that was killed is resumed by running it again: rows
that are in the log already change nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.core import clock
from mutua.events.cleaner import Cleaner, Suspects
from mutua.events.cleaning import RULES, CleaningRules
from mutua.events.columns import Batch
from mutua.events.kinds import Interaction
from mutua.events.readers.formats import Source, open_sources
from mutua.events.readers.jsonl import read_objects
from mutua.events.readers.tables import Unread
from mutua.events.texts import Texts
from mutua.events.trail import Rows, Trail
from mutua.store.base import EventLog, Quarantine, Rejected
from mutua.store.preparing import Preparation, events_batch
from mutua.store.recipes import Converter, Recipe, converter_of

DEFAULT_SOURCE = "file"


@dataclass(frozen=True)
class Progress:
    """How far a recording is, all of it on disk.

    Args:
        file: name of the file.
        read, size: bytes of it.
        accepted, duplicates, quarantined: events and rows so far.
    """

    file: str
    read: int
    size: int
    accepted: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True)
class Recorded:
    """What became of a file.

    Args:
        accepted: events new to the log.
        duplicates: events that were there already.
        quarantined: rows that could not be read, by code of error.
        marked: events that cleaning marked, by rule.
        mapping: how the columns were read, one `--map` text a file.
        notes: what was guessed, and which rules did not apply.
        seconds: wall time.
    """

    accepted: int = 0
    duplicates: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    marked: Mapping[str, int] = field(default_factory=dict)
    mapping: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def events_per_second(self) -> float:
        """Events read a second, duplicates too."""
        return (self.accepted + self.duplicates) / self.seconds if self.seconds else 0.0

    def plus(self, other: Recorded) -> Recorded:
        """Returns both together."""
        return Recorded(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            dict(Counter(self.quarantined) + Counter(other.quarantined)),
            dict(Counter(self.marked) + Counter(other.marked)),
            "; ".join(filter(None, (self.mapping, other.mapping))),
            self.notes + other.notes,
            self.seconds + other.seconds,
        )


def record_file(
    log: EventLog,
    quarantine: Quarantine,
    path: Path,
    *,
    mapping: str = "",
    role: str = "",
    source: str = DEFAULT_SOURCE,
    rules: CleaningRules = CleaningRules(),  # noqa: B008
    now: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Recorded:
    """Records a file, or the files of a MovieLens or RecBole folder, durably, and returns what became of it.

    Args:
        mapping: the `--map` text; what it leaves open is guessed and stands in `notes`.
        role: `interactions`, `users`, `items` or `events`; empty to tell it by the columns.
        source: who says so; part of the ids of rows without one, so a file recorded under two sources is there twice.
        rules: of cleaning; they mark, they never drop.
        now: the clock, microseconds UTC: later times are refused, and rows of files without times count up from it.
        progress: called after each batch, when it is on disk.

    Raises:
        UnreadableFile: code `file.unreadable`; missing, of no known format, or damaged (what was read before is kept).
        MissingColumn: code `file.column-missing`.
        UsageError: code `usage`; a mapping or role that is none.
    """
    moment = clock.now() if now is None else now
    total = Recorded()
    for one in open_sources(path, mapping=mapping, role=role):
        total = total.plus(_Recording(log, quarantine, one, source, rules, moment, progress).run())
    return total


@dataclass
class _Recording:
    log: EventLog
    quarantine: Quarantine
    file: Source
    says: str
    rules: CleaningRules
    now: int
    progress: Callable[[Progress], None] | None
    accepted: int = 0
    duplicates: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    recipe: Recipe | None = None

    def run(self) -> Recorded:
        began = time.perf_counter()
        self.notes.extend(self.file.notes)
        with Trail() as trail:
            preparation = Preparation(Cleaner(self.rules), trail)
            for batch in self._batches(preparation):
                self._keep(batch, preparation)
            suspects = preparation.cleaner.suspects()
            self.notes.extend(suspects.notes)
            if suspects:
                preparation.marked.update(self._mark(suspects, trail))
        return Recorded(
            self.accepted,
            self.duplicates,
            dict(self.quarantined),
            dict(preparation.marked),
            str(self.file.mapping or ""),
            tuple(self.notes),
            time.perf_counter() - began,
        )

    def _batches(self, preparation: Preparation) -> Iterator[Batch]:
        rows = 0
        if self.file.role == "events":
            self.recipe = Recipe.of(self.file, None, self.says)
            for objects in read_objects(self.file.path):
                yield events_batch(objects, now=self.now, source=self.says, rows_before=rows)
                rows += len(objects.values)
            return
        converter: Converter | None = None
        for table in self.file.reader(self.file.path):
            if converter is None:
                assert self.file.mapping is not None
                converter = converter_of(self.file.mapping, table, self.now, self.says)
                self.recipe = Recipe.of(self.file, converter, self.says)
                preparation.cleaner.calendar = converter.clock is not None and converter.clock.calendar
                self.notes.append(_time_note(self.file, converter))
            yield converter(table, rows)
            rows += table.frame.height

    def _keep(self, batch: Batch, preparation: Preparation) -> None:
        if batch.frame.height:
            frame, rows = preparation(batch)
            appended = self.log.append_batch(frame, recorded=self.now)
            preparation.trail.keep(rows, appended.last - len(rows) + 1)
            self.accepted += appended.accepted
            self.duplicates += appended.duplicates
        if batch.refused:
            self.quarantine.put([self._rejected(row) for row in batch.refused])
            self.quarantined.update(row.error.code for row in batch.refused)
        if self.progress:
            counts = (self.accepted, self.duplicates, self.quarantined.total())
            self.progress(Progress(self.file.path.name, batch.position, self.file.path.stat().st_size, *counts))

    def _rejected(self, row: Unread) -> Rejected:
        recipe = self.recipe.encoded() if self.recipe else ""
        return Rejected(self.file.path.name, row.line, row.error.code, str(row.error), row.raw, recipe)

    def _mark(self, suspects: Suspects, trail: Trail) -> Counter[str]:
        marked: Counter[str] = Counter()
        for sequences, rows in self._logged(trail) if self.duplicates else trail:
            bits = suspects.bits(rows, trail.types)
            for value in np.unique(bits[bits > 0]).tolist():
                chosen = sequences[bits == value]
                self.log.set_marks(chosen, value)
                marked.update({name: len(chosen) for name, bit in RULES.items() if value & bit})
        return marked

    def _logged(self, trail: Trail) -> Iterator[tuple[npt.NDArray[np.int64], Rows]]:
        """Yields the same from the log, where events of this file may stand anywhere that an earlier run put them."""
        for frame in self.log.read(0, kinds=[Interaction.number]):
            said = frame.filter(pl.col("source") == self.says)
            yield said["sequence"].to_numpy(), trail.rows(said, Texts.of(said["user"]).digests())


def _time_note(file: Source, converter: Converter) -> str:
    if converter.clock is None:
        return f"{file.path.name}: no times; events get the time of recording, in the order of the file"
    return f"{file.path.name}: {converter.clock.note()}"
