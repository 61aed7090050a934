"""Explanations in words: "because you bought Whole Milk 3 days ago: 41 %"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mutua.catalog.table import AttributeTable, Labels, Texts
from mutua.core.clock import format_span
from mutua.pipeline.explain import Explanation
from mutua.slates import Reason

NAMED_BY = ("title", "name", "text", "product_type", "description")
"""Columns that name an item for a person, the first that is there."""

VERBS: Mapping[str, str] = {
    "view": "looked at",
    "click": "clicked",
    "cart": "put into your cart",
    "purchase": "bought",
    "rating": "rated",
    "like": "liked",
    "dislike": "disliked",
    "return": "returned",
    "skip": "skipped",
}

PHRASES: Mapping[str, str] = {
    "influence": "because you {verb} {item}{ago}",
    "following": "because people go on to it from {item}, which you {verb}{ago}",
    "repeat": "because you come back to {item}{last}",
    "popularity": "because many people choose it",
    "trend": "because it is popular now",
    "attribute": "because of {label}",
    "content": "because it is like {item}{ago}",
    "similar-user": "because people with your taste chose {item}",
    "bias": "because of its general standing",
    "older": "because of what you did earlier",
}

BY_EVENT = frozenset({"influence", "following"})
"""Kinds with one reason an event."""


@dataclass(frozen=True)
class Sentence:
    """One reason in words.

    Args:
        text: the sentence.
        share: its part of the sum of absolute amounts, 0..1.
        amount: what it adds to the score; negative takes away.
    """

    text: str
    share: float
    amount: float

    def __str__(self) -> str:
        sign = "" if self.amount >= 0 else "against: "
        return f"{sign}{self.text}: {100 * self.share:.0f} %"


def sentences(
    explanation: Explanation,
    name: Callable[[int], str],
    type_of: Callable[[int], str],
    most: int = 5,
) -> tuple[Sentence, ...]:
    """Returns the largest reasons as sentences, the small ones gathered into the last.

    Reasons of one kind on one item are one sentence.

    Args:
        name: words for an inner item.
        type_of: type of the event at a sequence number, for the verb.
        most: sentences before the rest are gathered.
    """
    grouped: defaultdict[tuple[str, int, str], list[Reason]] = defaultdict(list)
    for reason in explanation.reasons:
        grouped[reason.kind, reason.item, reason.label].append(reason)
    total = sum(abs(sum(r.amount for r in group)) for group in grouped.values()) or 1.0
    spoken = [
        Sentence(_phrase(group, explanation.now, name, type_of), abs(amount) / total, amount)
        for group in grouped.values()
        if (amount := sum(r.amount for r in group))
    ]
    spoken.sort(key=lambda sentence: -sentence.share)
    if len(spoken) <= most + 1:
        return tuple(spoken)
    rest = spoken[most:]
    gathered = Sentence(f"{len(rest)} smaller reasons", sum(s.share for s in rest), sum(s.amount for s in rest))
    return (*spoken[:most], gathered)


def item_name(item: int, outer: str, catalog: AttributeTable) -> str:
    """Returns words for an item: its title, else its outer id with category where there is one."""
    for column in NAMED_BY:
        found = catalog.columns.get(column)
        if isinstance(found, Texts) and item < catalog.size and found.values[item]:
            return str(found.values[item][:60])
        if isinstance(found, Labels) and item < catalog.size and found.codes[item] >= 0:
            return str(found.levels[found.codes[item]])
    return outer


def _phrase(group: list[Reason], now: int, name: Callable[[int], str], type_of: Callable[[int], str]) -> str:
    first = max(group, key=lambda reason: reason.time)
    verb = VERBS.get(type_of(first.sequences[-1]) if first.sequences else "", "chose")
    item = name(first.item) if first.item >= 0 else "it"
    ago = f" {format_span(now - first.time)} ago" if 0 <= first.time <= now else ""
    last = f", last{ago}" if ago else ""
    by_event = first.kind in BY_EVENT
    kind = "older" if by_event and not first.sequences else first.kind
    times = f" ({len(group)} times)" if len(group) > 1 and by_event else ""
    return (
        PHRASES.get(kind, "because of " + kind).format(verb=verb, item=item, ago=ago, last=last, label=first.label)
        + times
    )
