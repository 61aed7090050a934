"""What the log says of one item or user, for those who ask for it by name."""

from __future__ import annotations

from typing import Any

from mutua.errors import NotKnown
from mutua.profiles.facts import Fact, standing
from mutua.store.sqlite.store import SqliteStore


def attributes_of_item(store: SqliteStore, item: str) -> dict[str, Any]:
    """Returns the attributes of an item; the newest word of any source stands.

    Raises:
        NotKnown: code `id.unknown`.
    """
    index = store.names.items.get(item)
    if index is None:
        raise NotKnown(f"item {item[:60]!r}", "a recorded item", "check the spelling, or record it first")
    return {name: claims[-1].value for name, claims in standing(store.catalog.facts_of_item(index)).items()}


def said_by(store: SqliteStore, noun: str, outer: str, source: str) -> frozenset[str]:
    """Returns the names of the attributes on which a source has a standing word about a user or item."""
    facts: tuple[Fact, ...]
    if noun == "user":
        index = store.names.users.get(outer)
        facts = () if index is None else store.catalog.facts_of_users((index,))
    else:
        index = store.names.items.get(outer)
        facts = () if index is None else store.catalog.facts_of_item(index)
    return frozenset(name for name, claims in standing(f for f in facts if f.source == source).items() if claims)
