"""What a request is about: a product page's item, a cart, a search's hits, and words that rules wait for.

`item` and `cart` are known items that count as a view and as carted just now, though nobody recorded that, so the same
score that ranks for the profile ranks for the page; `items` are candidates for the source `given`. All other names are
for rules, such as `store={store}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets, Texts
from mutua.errors import UsageError
from mutua.events.kinds import Interaction
from mutua.pipeline.rules import filled, open_names
from mutua.pipeline.spec import Boost, Surface

ITEM, CART, ITEMS = "item", "cart", "items"
OF_ITEM = "item."
MOST = 1_000
"""Items that a context may name."""


class Context(msgspec.Struct, frozen=True):
    """A request's context, read.

    Args:
        item: outer id of the item that a page is about, empty for none; cart: those in the cart, newest last.
        items: outer ids of the candidates that the request brings.
        words: everything else, as text.
    """

    item: str = ""
    cart: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    words: Mapping[str, str] = {}

    @property
    def session(self) -> str:
        """The session that the context names, empty for none."""
        return self.words.get("session", "")

    @property
    def seeds(self) -> tuple[str, ...]:
        """The items that the request is about, the most important first."""
        return ((self.item,) if self.item else ()) + self.cart[::-1]


NO_CONTEXT = Context()


def read_context(given: Mapping[str, Any]) -> Context:
    """Returns the context that a request gives.

    Raises:
        UsageError: code `usage`; `item` is no text, `cart` or `items` no list of at most 1,000 texts, or another value
            neither text, number nor truth value.
    """
    item = given.get(ITEM, "")
    if not isinstance(item, str):
        raise _refused(ITEM, item, "the id of an item")
    words = {name: _word(name, value) for name, value in given.items() if name not in (ITEM, CART, ITEMS)}
    return Context(item, _ids(given, CART), _ids(given, ITEMS), words)


def grounded(surface: Surface, context: Context, catalog: AttributeTable, item: int | None) -> Surface:
    """Returns the surface with the rules that wait for the context filled in.

    A rule on an attribute that the item does not have holds for everything.

    Args:
        item: inner index of `context.item`, None where it is unknown or there is none.

    Raises:
        UsageError: code `usage`; a rule waits for a word that the context does not say.
    """
    waiting = [rule for rule in (*surface.where, *(boost.where for boost in surface.boosts)) if open_names(rule)]
    if not waiting:
        return surface
    said = {rule: _filled(rule, context, catalog, item) for rule in waiting}
    where = [whole for rule in surface.where if (whole := said.get(rule, rule))]
    boosts = [Boost(whole, one.factor) for one in surface.boosts if (whole := said.get(one.where, one.where))]
    return replace(surface, where=tuple(where), boosts=tuple(boosts))


def happening(context: Context, user: str | None) -> list[Interaction]:
    """Returns what the context says is happening: what lies in the cart, then a view of the page's item."""
    who = user or "anonymous"
    carted = [Interaction(user=who, item=item, type="cart") for item in context.cart]
    return [*carted, Interaction(user=who, item=context.item, type="view")] if context.item else carted


def _filled(rule: str, context: Context, catalog: AttributeTable, item: int | None) -> str:
    """The rule with its words; empty where the item has no such attribute."""
    words = dict(context.words)
    for name in open_names(rule):
        if name.startswith(OF_ITEM):
            attribute = "" if item is None else attribute_of(catalog, name.removeprefix(OF_ITEM), item)
            if not attribute:
                return ""
            words[name] = attribute
        elif name not in words:
            raise UsageError(
                f"no {name!r} in the context", f"a word for the rule {rule[:80]!r}", "send it in `context`"
            )
    return filled(rule, words.__getitem__)


def attribute_of(catalog: AttributeTable, name: str, item: int) -> str:
    """Returns an attribute of an inner item as a rule writes it, its labels between `|`; empty where it has none."""
    column = catalog.columns.get(name)
    if column is None or item >= catalog.size:
        return ""
    if isinstance(column, Labels):
        code = int(column.codes[item])
        return column.levels[code] if code >= 0 else ""
    if isinstance(column, Numbers):
        return "" if np.isnan(column.values[item]) else repr(float(column.values[item]))
    if isinstance(column, Sets):
        return "|".join(column.levels[int(code)] for code in column.matrix[item].indices)
    return column.values[item] if isinstance(column, Texts) else ""


def _ids(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = given.get(name, ())
    listed = isinstance(found, Sequence) and not isinstance(found, str)
    if not listed or len(found) > MOST or not all(isinstance(one, str) for one in found):
        raise _refused(name, found, f"a list of at most {MOST:,} ids of items")
    return tuple(found)


def _word(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise _refused(name, value, "a text, a number or a truth value")


def _refused(name: str, value: object, expected: str) -> UsageError:
    return UsageError(f"context.{name} = {str(value)[:40]!r}", expected, "correct the context")
