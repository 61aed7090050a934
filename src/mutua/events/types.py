"""Types of interaction: an open vocabulary, each with a weight, a role and other names by which files call it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

UNDECLARED_WEIGHT = 0.0


class EventType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one interaction of a type says.

    Args:
        weight: its starting weight against the most frequent positive type; negative for dislike and return.
        role: `implicit`, or `rating` where the value is a grade that `predict` should foresee.
        target: whether recommending foresees this type (evaluation counts only targets as hits).
        aliases: other spellings that mean the same.
    """

    weight: float = 1.0
    role: str = "implicit"
    target: bool = True
    aliases: tuple[str, ...] = ()


DEFAULT_TYPES: Mapping[str, EventType] = {
    "view": EventType(1.0, aliases=("pageview", "page_view", "detail", "interaction", "checkin", "play", "listen")),
    "click": EventType(1.5, aliases=("clickout", "clickout item", "clk")),
    "cart": EventType(2.0, aliases=("addtocart", "add_to_cart", "add-to-cart", "basket")),
    "purchase": EventType(3.0, aliases=("transaction", "buy", "order", "sale")),
    "rating": EventType(1.0, role="rating", aliases=("rate", "stars", "review")),
    "like": EventType(2.0, aliases=("favourite", "favorite", "bookmark", "wishlist", "save")),
    "dislike": EventType(-2.0, target=False, aliases=("thumbs_down", "hide")),
    "return": EventType(-2.0, target=False, aliases=("refund",)),
    "skip": EventType(-0.3, target=False, aliases=("dismiss", "dismissal")),
}


class Types:
    """The declared types of one store; inner index = position in `names`, undeclared types follow the declared.

    An undeclared type is kept at weight 0 and stands in `undeclared`, so that a report can name it.
    """

    def __init__(self, declared: Mapping[str, EventType] = DEFAULT_TYPES, known: Iterable[str] = ()) -> None:
        self.declared = dict(declared)
        self.names: list[str] = list(declared)
        self._index: dict[str, int] = {}
        for index, (name, kind) in enumerate(declared.items()):
            for spelling in (name, *kind.aliases):
                self._index.setdefault(spelling, index)
        for name in known:
            self.index(name)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """The types that came without a declaration."""
        return tuple(self.names[len(self.declared) :])

    def index(self, name: str) -> int:
        """Returns the inner index of a type; an unknown one is added at weight 0."""
        found = self.known(name)
        if found is not None:
            return found
        self._index[name] = len(self.names)
        self.names.append(name)
        return self._index[name]

    def known(self, name: str) -> int | None:
        """Returns the inner index of a type, None for one that was neither declared nor recorded."""
        return self._index.get(name, self._index.get(name.strip().lower()))

    def weights(self) -> list[float]:
        """Returns the starting weight of every type, in index order."""
        return [self._of(name).weight for name in self.names]

    def targets(self) -> list[bool]:
        """Returns, in index order, which types recommending foresees."""
        return [self._of(name).target for name in self.names]

    def ratings(self) -> list[bool]:
        """Returns, in index order, whose values are ratings."""
        return [self._of(name).role == "rating" for name in self.names]

    def _of(self, name: str) -> EventType:
        return self.declared.get(name, EventType(weight=UNDECLARED_WEIGHT, target=False))
