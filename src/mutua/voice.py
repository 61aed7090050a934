"""Items and reasons in words, and as JSON in outer ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mutua.core.clock import format_time
from mutua.pipeline.explain import Explanation
from mutua.pipeline.words import Sentence, item_name, sentences
from mutua.recommender import Recommender
from mutua.slates import Reason, Slate, SlateItem


@dataclass(frozen=True)
class Voice:
    """Speaks of one user's slates and explanations.

    Args:
        user: outer id, None for anonymous.
        recorded: type of each of the user's recorded events, by sequence number.
    """

    shop: Recommender
    user: str | None
    recorded: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, shop: Recommender, user: str | None = None) -> Voice:
        """Returns the voice for a user of an open store."""
        names = shop.store.names
        index = None if user is None else names.users.get(user)
        if index is None:
            return cls(shop, user)
        history = shop.store.log.history(index)
        kinds = [names.types.names[kind] for kind in history.type.tolist()]
        return cls(shop, user, dict(zip(history.sequence.tolist(), kinds, strict=True)))

    def name(self, item: int) -> str:
        """Returns words for an inner item."""
        return item_name(item, self.outer(item), self.shop.catalog)

    def name_of(self, outer: str) -> str:
        """Returns words for an outer item."""
        index = self.shop.store.names.items.get(outer)
        return outer if index is None else self.name(index)

    def outer(self, item: int) -> str:
        """Returns the outer id of an inner item."""
        return self.shop.store.names.items.outer(item) or "(forgotten)"

    def type_of(self, sequence: int) -> str:
        """Returns the type of one of the user's recorded events, empty for others."""
        return self.recorded.get(sequence, "")

    def sentences(self, explanation: Explanation, most: int = 5) -> tuple[Sentence, ...]:
        """Returns the largest reasons in words."""
        return sentences(explanation, self.name, self.type_of, most)

    def spoken(self, entry: SlateItem, now: int, most: int = 3) -> tuple[Sentence, ...]:
        """Returns the largest reasons of a recommended item, which they call "it"; none where it was not explained."""
        index = self.shop.store.names.items.get(entry.item)
        explanation = Explanation(-1, entry.score, entry.reasons, exact=True, now=now)
        return sentences(explanation, lambda item: "it" if item == index else self.name(item), self.type_of, most)

    def slate(self, slate: Slate) -> dict[str, Any]:
        """Returns a slate as JSON values."""
        return {
            "id": slate.id,
            "user": slate.user,
            "surface": slate.surface,
            "variant": slate.variant,
            "model_version": slate.model_version,
            "profile_version": slate.profile_version,
            "now": format_time(slate.now),
            "notes": slate.notes,
            "items": [self._entry(entry, slate.now) for entry in slate.items],
        }

    def reasons(self, reasons: Iterable[Reason]) -> list[dict[str, Any]]:
        """Returns reasons as JSON values."""
        return [
            {
                "kind": reason.kind,
                "amount": reason.amount,
                "item": self.outer(reason.item) if reason.item >= 0 else None,
                "sequences": reason.sequences,
                "label": reason.label,
                "time": format_time(reason.time) if reason.time >= 0 else None,
            }
            for reason in reasons
        ]

    def _entry(self, entry: SlateItem, now: int) -> dict[str, Any]:
        return {
            "item": entry.item,
            "name": self.name_of(entry.item),
            "score": entry.score,
            "propensity": entry.propensity,
            "adjustments": entry.adjustments,
            "reasons": self.reasons(entry.reasons),
            "words": [str(sentence) for sentence in self.spoken(entry, now)],
        }
