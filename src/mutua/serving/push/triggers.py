"""What is worth telling a user unasked, found in what changed of an item and in who cares for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec

from mutua.catalog.table import AVAILABLE
from mutua.core.clock import SECOND
from mutua.serving.push.audience import Audience, Interested
from mutua.serving.push.carts import Left
from mutua.serving.push.shelf import Shown

Kind = Literal["back-in-stock", "price-fell", "cart-abandoned", "new-item"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class TriggerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something is worth telling.

    Args:
        stock: attributes that say whether an item is there; the first one that a statement names decides.
        price_fell: share by which a price must have fallen.
        least: weight on an item from which it is of interest to a user, in views of now (they fade by half a month).
        strong: share of all a user's interest that a category must have for its new items to be told.
        cart_after: seconds without a purchase after which a cart is abandoned.
        fresh: seconds; what an event says of a longer time ago is history, not news.
        users: users told of one change at most; items: changed items of one commit that are looked at, at most.
    """

    stock: tuple[str, ...] = (AVAILABLE, "availability", "stock")
    price_fell: Share = 0.1
    least: Amount = 0.25
    strong: Share = 0.3
    cart_after: Amount = 3_600.0
    fresh: Amount = 86_400.0
    users: Count = 500
    items: Count = 100

    @property
    def patience(self) -> int:
        """`cart_after` in microseconds."""
        return int(self.cart_after * SECOND)


class Trigger(msgspec.Struct, frozen=True):
    """Something worth telling one user about one item.

    Args:
        time: of what happened, microseconds UTC; detail: plain JSON, by kind.
        sequence: place in the log of the event that it comes from; with kind, user and item it names the trigger.
    """

    kind: Kind
    user: str
    item: str
    time: int
    detail: dict[str, Any] = {}
    sequence: int = 0


@dataclass(frozen=True)
class ItemChange:
    """What stood of an item before and after one statement.

    Args:
        before: None for an item of which nobody had said anything.
        time: microseconds UTC; sequence: place in the log.
    """

    item: str
    before: Shown | None
    after: Shown
    time: int
    sequence: int


def triggers_of(change: ItemChange, audience: Audience, settings: TriggerSettings) -> Iterator[Trigger]:
    """Yields what is worth telling about a change, for at most `settings.users` users a kind."""
    if change.before is None:
        yield from _new(change, audience, settings)
        return
    told = dict(_happened(change.before, change.after, settings))
    if told:
        cared = (one for one in audience.of_item(change.item, change.time) if one.weight >= settings.least)
        users = [one.user for one in islice(cared, settings.users)]
        for kind, detail in told.items():
            for user in users:
                yield Trigger(kind, user, change.item, change.time, detail, change.sequence)


def cart_trigger(left: Left, settings: TriggerSettings) -> Trigger:
    """Returns what is worth telling about an item left in a cart; its time is when it became so."""
    detail = {"since": left.time / SECOND}
    return Trigger("cart-abandoned", left.user, left.item, left.time + settings.patience, detail, left.sequence)


def _happened(before: Shown, after: Shown, settings: TriggerSettings) -> Iterator[tuple[Kind, dict[str, Any]]]:
    if before.in_stock is False and after.in_stock:
        yield "back-in-stock", {}
    if before.price is not None and after.price is not None and after.price < before.price:
        fell = (before.price - after.price) / before.price
        if fell >= settings.price_fell:
            yield "price-fell", {"before": before.price, "after": after.price, "share": round(fell, 4)}


def _new(change: ItemChange, audience: Audience, settings: TriggerSettings) -> Iterator[Trigger]:
    """A new item for those to whom one of its categories means much; each is told once, of the strongest."""
    if change.after.in_stock is False:
        return
    strongest: dict[str, tuple[Interested, str]] = {}
    for category in change.after.categories:
        keen = (one for one in audience.of_category(category, change.time) if one.share >= settings.strong)
        for one in islice(keen, settings.users):
            if one.user not in strongest or strongest[one.user][0].share < one.share:
                strongest[one.user] = one, category
    for one, category in islice(strongest.values(), settings.users):
        detail = {"category": category, "share": round(one.share, 4)}
        yield Trigger("new-item", one.user, change.item, change.time, detail, change.sequence)
