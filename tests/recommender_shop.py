"""A small shop for tests of the facade: two tastes, groceries that come back every week and books that do not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mutua import Recommender, Settings, Surface
from mutua.core.clock import DAY, HOUR, parse_time
from mutua.core.seeds import stream

START = parse_time("2024-01-01")
NOW = START + 60 * DAY
BY_SCORE = Settings(surfaces={"default": Surface(explore=0)})
"""Nothing left to chance, for tests of what is ranked."""
HOUSEHOLDS = ("family", "single")
WEEKS = 8
PEOPLE = 24


def grocery(taste: int, number: int) -> str:
    return f"{'ab'[taste]}-grocery-{number}"


def book(taste: int, number: int) -> str:
    return f"{'ab'[taste]}-book-{number}"


def catalogue() -> Iterator[dict[str, Any]]:
    for taste in (0, 1):
        for number in range(6):
            said = {"category": f"grocery {taste}", "brand": f"brand {number % 3}", "price": 1.0 + number}
            yield upsert(grocery(taste, number), {**said, "title": f"Grocery {taste} {number}"})
        for number in range(10):
            said = {"category": f"book {taste}", "brand": "press", "price": 10.0 + number, "available": 1}
            yield upsert(book(taste, number), {**said, "title": f"Book {taste} {number}"})


def upsert(item: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "item-upsert", "item": item, "attributes": attributes, "time": START / 1e6}


def people() -> Iterator[dict[str, Any]]:
    for user in range(PEOPLE):
        said = {"household": HOUSEHOLDS[user % 2]}
        yield {"kind": "user-upsert", "user": f"u{user}", "attributes": said, "time": START / 1e6}


def purchases() -> Iterator[dict[str, Any]]:
    """Everybody buys three groceries of their taste every week, and four books once each."""
    rng = stream(1, "shop")
    for user in range(PEOPLE):
        taste = user % 2
        habits = rng.choice(6, 3, replace=False)
        for week in range(WEEKS):
            for number in habits:
                time = START + week * 7 * DAY + user * HOUR // 4 + int(number) * HOUR
                yield bought(f"u{user}", grocery(taste, int(number)), time)
        for place, number in enumerate(rng.choice(10, 4, replace=False)):
            yield bought(f"u{user}", book(taste, int(number)), START + (10 * place + 3) * DAY + user * HOUR)


def bought(user: str, item: str, time: int, **more: Any) -> dict[str, Any]:
    return {"user": user, "item": item, "type": "purchase", "time": time / 1e6, **more}


def open_shop(folder: Path, **options: Any) -> Recommender:
    options.setdefault("settings", BY_SCORE)
    options.setdefault("now", NOW)
    return Recommender.open(f"sqlite:///{folder / 'shop.db'}", **options)


def built(folder: Path, model: str = "default") -> Path:
    """Records the whole shop in `folder` and learns."""
    with open_shop(folder) as shop:
        done = shop.record([*catalogue(), *people(), *purchases()])
        assert not done.refused
        shop.learn(model)
    return folder


def copied(source: Path, target: Path) -> Path:
    """Returns a copy of a closed shop, for a test that changes it."""
    return Path(shutil.copytree(source, target / "copy"))
