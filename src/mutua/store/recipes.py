"""How a quarantined row was read, kept beside it so that a retry needs neither the file nor options."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from mutua.events.attributes import AttributeMapping, ToUpserts, map_attributes
from mutua.events.columns import ToInteractions
from mutua.events.guess import completed
from mutua.events.mapping import Mapping
from mutua.events.readers import movielens
from mutua.events.readers.delimited import Delimited
from mutua.events.readers.formats import Source
from mutua.events.readers.jsonl import JsonLines
from mutua.events.readers.lightgcn import LightGcn
from mutua.events.readers.tables import Table
from mutua.events.times import Clock, clock_of

Converter = ToInteractions | ToUpserts


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """The reader and the mapping of a row.

    Args:
        reader: `delimited`, `json`, `lightgcn`, `events`, or the name of a MovieLens file.
        columns, separator, quote: of a delimited row, or the names of a JSON row.
        interactions, attributes: the mapping, one of them.
        clock: how the file tells time.
        source: who said so.
    """

    reader: str
    source: str
    columns: tuple[str, ...] = ()
    separator: str = ","
    quote: str = ""
    interactions: Mapping | None = None
    attributes: AttributeMapping | None = None
    clock: Clock | None = None

    @classmethod
    def of(cls, source: Source, converter: Converter | None, says: str) -> Recipe:
        """Returns the recipe of the rows of a source."""
        mapping = converter.mapping if converter else None
        recipe = cls(
            reader=_kind(source),
            source=says,
            columns=source.reader.columns,
            interactions=mapping if isinstance(mapping, Mapping) else None,
            attributes=mapping if isinstance(mapping, AttributeMapping) else None,
            clock=converter.clock if converter else None,
        )
        if isinstance(source.reader, Delimited):
            recipe = msgspec.structs.replace(recipe, separator=source.reader.separator, quote=source.reader.quote)
        return recipe

    def encoded(self) -> str:
        """Returns the recipe as text."""
        return msgspec.json.encode(self).decode()

    def table(self, text: str) -> Table:
        """Returns the rows of `text`, which has no header."""
        if self.reader in movielens.FILES:
            reader = movielens.FILES[self.reader].reader
            assert isinstance(reader, Delimited | movielens.Flagged)
            return reader.rows(text)
        if self.reader == "lightgcn":
            return LightGcn().rows(text)
        if self.reader == "json":
            return JsonLines(self.columns).rows(text)
        return Delimited(self.columns, self.separator, self.quote, header=0).rows(text)

    def mapped(self, text: str) -> Recipe:
        """Returns the recipe with another `--map` text; times are told anew.

        Raises:
            MissingColumn: code `file.column-missing`.
            UsageError: code `usage`.
        """
        if self.attributes is not None:
            other = map_attributes(text, self.columns, self.attributes.subject)
            return msgspec.structs.replace(self, attributes=other, clock=None)
        return msgspec.structs.replace(self, interactions=completed(Mapping.parse(text), self.columns), clock=None)

    def converter(self, table: Table, now: int) -> Converter:
        """Returns what makes events of the rows."""
        mapping = self.interactions or self.attributes
        assert mapping is not None
        fresh = converter_of(mapping, table, now, self.source)
        return replace(fresh, clock=self.clock) if self.clock is not None else fresh


def converter_of(mapping: Mapping | AttributeMapping, table: Table, now: int, says: str) -> Converter:
    """Returns what makes events of a file's rows, told by its first table."""
    if isinstance(mapping, AttributeMapping):
        clock = clock_of(table.frame[mapping.time]) if mapping.time else None
        return ToUpserts(mapping.known(table.frame), clock, now, says)
    time = mapping.time
    if time is None:
        return ToInteractions(mapping, None, now, says)
    clock = Clock("text", calendar=True) if time.constant else clock_of(table.frame[time.name], time.unit)
    return ToInteractions(mapping, clock, now, says)


def _kind(source: Source) -> str:
    if source.role == "events":
        return "events"
    if isinstance(source.reader, LightGcn):
        return "lightgcn"
    if source.reader.name == "movielens":
        return source.path.name.removesuffix(".gz")
    return "delimited" if isinstance(source.reader, Delimited) else "json"
