"""Each rule of cleaning marks what it is for, and nothing of what people do."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from mutua.core.clock import DAY, HOUR, MINUTE, SECOND, parse_time
from mutua.events.cleaner import Cleaner, Suspects
from mutua.events.cleaning import RULES, CleaningRules, names_of
from mutua.events.columns import batch_frame
from mutua.events.rows import Ordinals, digested
from mutua.events.trail import Trail

DEFAULT = CleaningRules()
START = parse_time("2026-03-01")
Ints = npt.NDArray[np.int64]


@dataclass
class Shop:
    """Rows of a file in the making."""

    user: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float | None] = field(default_factory=list)
    type: str = "view"

    def add(self, user: str, item: str, time: int, value: float | None = None) -> None:
        self.user.append(user)
        self.item.append(item)
        self.time.append(time)
        self.value.append(value)

    def people(self, count: int = 60, events: int = 40) -> Shop:
        """Adds people who act at uneven moments over some weeks, with prices that vary."""
        draws = np.random.default_rng(3)
        for user in range(count):
            for time in np.sort(draws.integers(0, 30 * DAY // MINUTE, events)):
                item = f"i{draws.integers(500)}"
                self.add(f"u{user}", item, START + int(time) * MINUTE, float(np.round(draws.lognormal(1.5, 0.8), 2)))
        return self

    def frame(self, ids: list[str] | None = None) -> pl.DataFrame:
        columns: dict[str, pl.Series | None] = {
            "user": pl.Series(self.user),
            "item": pl.Series(self.item),
            "type": pl.Series([self.type]).new_from_index(0, len(self.user)),
            "value": pl.Series(self.value, dtype=pl.Float64),
            "time": pl.Series(self.time),
            "id": None if ids is None else pl.Series(ids),
        }
        return batch_frame(len(self.user), 0, "file", columns)


def cleaned(
    shop: Shop,
    rules: CleaningRules = DEFAULT,
    *,
    ids: list[str] | None = None,
    timed: bool = True,
) -> tuple[list[tuple[str, ...]], Suspects]:
    """Returns the names of the rules that marked each row, those of the whole file included."""
    frame = shop.frame(ids)
    given = frame["time"] if timed else None
    digests = digested(frame, given)
    cleaner, ordinals = Cleaner(rules), Ordinals(bits=np.zeros(2**14, np.uint64))
    marks = cleaner.marks(frame, digests, ordinals(digests.content), given)
    suspects = cleaner.suspects()
    with Trail() as trail:
        trail.keep(trail.rows(frame, digests.user), 1)
        for sequences, rows in trail:
            assert sequences.tolist() == list(range(1, len(marks) + 1))
            marks |= suspects.bits(rows, trail.types)
    return [names_of(mark) for mark in marks.tolist()], suspects


def marked(shop: Shop, rules: CleaningRules = DEFAULT, **options: object) -> dict[int, tuple[str, ...]]:
    names, _ = cleaned(shop, rules, **options)  # type: ignore[arg-type]
    return {row: found for row, found in enumerate(names) if found}


def test_people_are_not_marked() -> None:
    assert marked(Shop().people()) == {}


def test_two_equal_milks_in_one_basket_are_two_purchases() -> None:
    shop = Shop(type="purchase").people()
    shop.add("u1", "milk", START, 1.09)
    shop.add("u1", "milk", START, 1.09)
    assert marked(shop) == {}
    assert marked(shop, CleaningRules(equal_rows=True)) == {2401: ("equal-row",)}


def test_equal_content_under_different_ids_is_an_exact_duplicate() -> None:
    shop = Shop()
    for _ in range(3):
        shop.add("ann", "milk", START)
    shop.add("ann", "milk", START + HOUR)
    ids = ["a", "b", "c", "d"]
    assert marked(shop, ids=ids) == {1: ("exact-duplicate",), 2: ("exact-duplicate",)}
    assert marked(shop, CleaningRules(exact_duplicates=False), ids=ids) == {}
    assert marked(shop, ids=ids, timed=False) == {}


def test_the_same_act_a_moment_later_is_a_near_duplicate() -> None:
    shop = Shop()
    for gap in (0, SECOND, 2 * SECOND, 10 * SECOND):
        shop.add("ann", "milk", START + gap)
    shop.add("ann", "bread", START + SECOND // 2)
    shop.add("bob", "milk", START + SECOND // 2)
    shop.add("ann", "milk", START + SECOND // 2, 5.0)
    assert marked(shop) == {1: ("near-duplicate",)}
    assert marked(shop, CleaningRules(near_seconds=3)) == {1: ("near-duplicate",), 2: ("near-duplicate",)}
    assert marked(shop, CleaningRules(near_duplicates=False)) == {}
    assert marked(shop, timed=False) == {}


def test_times_before_1990_are_impossible_where_times_are_dates() -> None:
    shop = Shop()
    shop.add("ann", "milk", SECOND)
    shop.add("ann", "milk", START)
    assert marked(shop) == {0: ("impossible-time",)}
    assert marked(shop, CleaningRules(impossible_times=False)) == {}
    counted = Cleaner(CleaningRules(), calendar=False)
    frame = shop.frame()
    digests = digested(frame, frame["time"])
    assert counted.marks(frame, digests, np.zeros(2, np.int64), frame["time"]).tolist() == [0, 0]


def test_a_user_of_too_many_events_a_day_is_a_bot() -> None:
    shop = Shop().people()
    draws = np.random.default_rng(1)
    for time in np.sort(draws.integers(0, DAY // SECOND, 3_000)):
        shop.add("crawler", f"i{draws.integers(500)}", START + int(time) * SECOND)
    found = marked(shop)
    assert set(found) == set(range(2_400, 5_400))
    assert {"bot-rate"} <= {name for names in found.values() for name in names}
    assert marked(shop, CleaningRules(bot_rates=False, near_duplicates=False)) == {}


def test_a_day_of_many_ratings_is_no_bot_where_all_rate_much() -> None:
    shop, draws = Shop(type="rating"), np.random.default_rng(2)
    for user in range(60):
        for item in range(int(draws.lognormal(4.5, 0.8)) + 20 if user else 1_500):
            shop.add(f"u{user}", f"i{item}", START + item * 7 * SECOND + int(draws.integers(6)) * SECOND)
    assert marked(shop) == {}


def test_a_rhythm_that_people_do_not_keep_is_a_bots() -> None:
    shop = Shop().people()
    for step in range(150):
        shop.add("poller", f"i{step}", START + step * 30 * SECOND)
    assert marked(shop) == dict.fromkeys(range(2_400, 2_550), ("bot-rhythm",))
    assert marked(shop, CleaningRules(bot_rhythms=False)) == {}


def test_a_rule_steps_back_where_all_data_is_so() -> None:
    shop = Shop()
    for step in range(4_000):
        shop.add(f"u{step % 20}", f"i{step % 37}", START + step * MINUTE)
    names, suspects = cleaned(shop)
    assert not any(names)
    assert ["bot-rhythm" in note for note in suspects.notes] == [True]


def test_a_value_far_beyond_its_type_is_an_outlier() -> None:
    shop = Shop().people()
    shop.add("u1", "gold", START, 250_000.0)
    shop.add("u1", "ring", START, 900.0)
    shop.add("u1", "free", START, 0.0)
    shop.add("u1", "refund", START, -5.0)
    assert marked(shop) == {2_400: ("outlier-value",)}
    assert marked(shop, CleaningRules(outlier_values=False)) == {}
    assert marked(shop, CleaningRules(outlier_factor=100.0, outlier_deviations=6.0)).keys() == {2_400, 2_401}


def test_bits_are_distinct_and_rules_are_settings() -> None:
    assert sorted(RULES.values()) == [2**place for place in range(len(RULES))]
    assert msgspec.convert({"near_seconds": 5}, CleaningRules, strict=False).near_seconds == 5
    assert names_of(sum(RULES.values())) == tuple(RULES)
