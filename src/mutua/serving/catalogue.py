"""What the log says of one item or user, for those who ask for it by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mutua.errors import NotKnown
from mutua.profiles.facts import standing
from mutua.store.sqlite.catalog import Subject
from mutua.store.sqlite.store import SqliteStore


def attributes_of_item(store: SqliteStore, item: str) -> tuple[int, dict[str, Any]]:
    """Returns the sequence number of the newest word on an item, and its attributes; any source's newest word stands.

    Raises:
        NotKnown: code `id.unknown`.
    """
    index = store.names.items.get(item)
    if index is None:
        raise NotKnown(f"item {item[:60]!r}", "a recorded item", "check the spelling, or record it first")
    facts = store.catalog.facts_of_item(index)
    version = max((fact.sequence for fact in facts), default=0)
    return version, {name: claims[-1].value for name, claims in standing(facts).items()}


def said_by(store: SqliteStore, noun: Subject, speakers: Sequence[tuple[str, str]]) -> list[frozenset[str]]:
    """Returns, for each outer id and source, the names of the attributes on which that source's word stands."""
    ids, sources = store.names.vocabulary(f"{noun}s"), store.names.sources
    rows = {row for outer, _ in speakers if (row := ids.get(outer)) is not None}
    found: dict[tuple[int, int], set[str]] = {}
    for name, facts in store.catalog.facts_among(noun, sorted(rows)).items() if rows else ():
        said = facts.standing()
        for speaker in zip(said.row.tolist(), said.source.tolist(), strict=True):
            found.setdefault(speaker, set()).add(name)
    inner = ((ids.get(outer), sources.get(source)) for outer, source in speakers)
    return [
        frozenset(found.get((row, source), ())) if row is not None and source is not None else frozenset()
        for row, source in inner
    ]
