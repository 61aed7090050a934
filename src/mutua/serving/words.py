"""Slates with their reasons in outer ids and in words, for people and for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mutua.core.clock import format_time
from mutua.recommender import Recommender
from mutua.serving.messages import Item, Why
from mutua.slates import Reason, Slate
from mutua.voice import Voice


def explained(shop: Recommender, slate: Slate) -> tuple[Item, ...]:
    """Returns the items of an explained slate; reads the user's events once, for the words."""
    voice = Voice.of(shop, slate.user)
    return tuple(
        Item(
            entry.item,
            entry.score,
            entry.adjustments,
            entry.propensity,
            tuple(whys(voice, entry.reasons)),
            tuple(str(sentence) for sentence in voice.spoken(entry, slate.now)),
        )
        for entry in slate.items
    )


def whys(voice: Voice, reasons: Iterable[Reason]) -> Iterable[Why]:
    """Yields reasons in outer ids."""
    for reason in reasons:
        item = voice.outer(reason.item) if reason.item >= 0 else None
        time = format_time(reason.time) if reason.time >= 0 else None
        yield Why(reason.kind, reason.amount, item, reason.label, time, reason.sequences)


def why(shop: Recommender, user: str, item: str) -> dict[str, Any]:
    """Returns why an item has its score for a user, in terms that sum to it and in words.

    Raises:
        NoModel: code `model.none`; NotKnown: code `id.unknown`.
    """
    found = shop.explain(user, item)
    voice = Voice.of(shop, user)
    return {
        "user": user,
        "item": item,
        "name": voice.name(found.item),
        "score": found.score,
        "exact": found.exact,
        "now": format_time(found.now),
        "reasons": list(whys(voice, found.reasons)),
        "words": [str(sentence) for sentence in voice.sentences(found)],
    }
