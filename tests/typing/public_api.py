"""The public interface as a caller uses it; `mypy --strict` reads this file, nobody runs it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import mutua
from mutua import (
    Acknowledged,
    Boost,
    Document,
    EventType,
    Explanation,
    IdentityLink,
    Interaction,
    ItemUpsert,
    Learned,
    LearnSettings,
    Loaded,
    MutuaError,
    Options,
    Profile,
    Rating,
    Receipt,
    Recommender,
    Recorded,
    Settings,
    Slate,
    StoreSettings,
    Surface,
    UserUpsert,
    load,
)


def shop_day(folder: Path) -> tuple[str, ...]:
    settings = Settings(
        store=StoreSettings(url=f"sqlite:///{folder / 'shop.db'}"),
        types={"wishlist": EventType(weight=1.5)},
        surfaces={"home": Surface(where=("available",), caps={"brand": 2}, boosts=(Boost("price<=5", 1.5),))},
        learn=LearnSettings(budget=10.0),
    )
    with Recommender.open(settings=settings, now="log") as shop:
        assert_type(shop, Recommender)
        done = shop.record([Interaction(user="ann", item="milk"), {"user": "bob", "item": "rye"}])
        assert_type(done, Acknowledged)
        shop.record(UserUpsert(user="ann", attributes={"age": 35}))
        shop.record(
            [ItemUpsert(item="milk", attributes={"category": "dairy"}), IdentityLink(user="ann", other="phone")]
        )
        assert_type(shop.record_file(folder / "sales.csv", mapping="user=visitor"), Recorded)
        assert_type(shop.learn(budget=0), Learned)
        slate = shop.recommend("ann", 5, surface="home", attributes={"age": 36}, explained=True)
        assert_type(slate, Slate)
        assert_type(slate.ids, tuple[str, ...])
        assert_type(shop.explain("ann", "milk"), Explanation)
        assert_type(shop.profile("ann", as_of=1_700_000_000_000_000), Profile)
        assert_type(shop.similar("milk", 3), Slate)
        assert_type(shop.predict("ann", "milk"), Rating)
        assert_type(shop.evaluate(Options("holdout", "shop")), Document)
        assert_type(shop.forget("bob"), Receipt)
        return tuple(f"{entry.item} {entry.score:.2f}" for entry in slate.items)


def settings_in_force() -> str:
    try:
        found = load(code={"seed": 3})
    except MutuaError as error:
        return error.code
    assert_type(found, Loaded)
    return found.origin("seed") + mutua.__version__
