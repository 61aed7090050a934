"""The whole profile: built purely, ready for JSON, told in words and bars."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.catalog.table import AttributeTable, Labels, Numbers
from mutua.core.clock import DAY, HOUR
from mutua.core.ids import Vocabulary
from mutua.events.interactions import Interactions
from mutua.events.kinds import Consent
from mutua.profiles import fold
from mutua.profiles.facts import facts_of
from mutua.profiles.fusion import MostTrusted
from mutua.profiles.history import EMPTY
from mutua.profiles.identity import merged
from mutua.profiles.lifecycle import Stage
from mutua.profiles.population import Population
from mutua.profiles.profile import Profile, build, standing_consent
from mutua.profiles.words import Section, bar, text, words

NOW = 20_000 * DAY
N_ITEMS = 60
NAMES = Vocabulary(f"item {item}" for item in range(N_ITEMS))
ITEMS = AttributeTable(
    N_ITEMS,
    {
        "category": Labels(
            (np.arange(N_ITEMS) % 6).astype(np.int32), ("dairy", "wine", "bread", "tea", "fish", "soap")
        ),
        "price": Numbers((1 + np.arange(N_ITEMS) % 10).astype(np.float32)),
    },
)


def shop() -> Interactions:
    """40 users; each buys of one category every week or so."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(40), 25)
    item = user % 3 + 6 * rng.integers(0, 10, len(user))
    time = NOW - 25 * 7 * DAY + np.tile(np.arange(25), 40) * 7 * DAY + rng.integers(0, DAY, len(user))
    return Interactions.of(user, item, time, n_items=N_ITEMS, types=("purchase",)).by_user()


ROWS = shop()
POPULATION = Population.of(ROWS, ITEMS, NOW, k=3)
FACTS = (
    *facts_of({"age": 30, "city": "Bern", "likes": ["tea", "jazz"]}, "crm", NOW - 9 * DAY, 1),
    *facts_of({"age": 31}, "app", NOW, 2),
)


def profile_of(user: int, now: int = NOW) -> Profile:
    return build(
        fold.history_of(ROWS, user),
        POPULATION,
        now,
        item_ids=NAMES,
        user=f"user {user}",
        facts=FACTS,
        rule=MostTrusted({"crm": 0.9}),
        identities=[f"user {user}", "phone"],
        consent=[Consent(user="u", purpose="train", granted=False, time=5)],
    )


def test_a_profile_gathers_what_is_known() -> None:
    profile = profile_of(1)
    assert profile.user == "user 1"
    assert profile.version == int(fold.history_of(ROWS, 1).sequence.max())
    assert profile.interests.kinds["category"][0].label == "wine"
    assert "price band" in profile.interests.kinds
    assert profile.life_cycle.stage is Stage.ACTIVE
    assert profile.segment == "wine"
    assert profile.anomalies == ()
    assert profile.identities == ("phone",)
    assert profile.consent == {"train": False}
    assert profile.attributes["age"].value == 30
    assert profile.history.events == profile.history.exact == 25
    assert profile.history.top[0].item in {f"item {item}" for item in range(1, N_ITEMS, 6)}
    assert sum(top.times for top in profile.history.top) <= 25


def test_time_changes_stage_and_weights_but_not_facts() -> None:
    later = profile_of(1, NOW + 400 * DAY)
    assert later.life_cycle.stage is Stage.LOST
    assert later.history.top[0].weight < profile_of(1).history.top[0].weight
    assert later.attributes == profile_of(1).attributes


def test_it_is_ready_for_json_and_names_no_inner_index() -> None:
    document = json.loads(json.dumps(profile_of(2).as_dict(), allow_nan=False))
    assert document["attributes"]["age"] == {
        "value": 30,
        "source": "crm",
        "time": "2024-09-25T00:00:00Z",
        "confidence": 0.75,
        "supporting": [],
        "losing": [{"value": 31, "source": "app", "time": "2024-10-04T00:00:00Z"}],
    }
    assert document["life_cycle"]["stage"] == "active"
    assert document["life_cycle"]["rhythm_seconds"] == pytest.approx(7 * 86_400, rel=0.1)
    tops = [item["item"] for interest in document["interests"]["category"] for item in interest["items"]]
    assert tops
    assert all(top.startswith("item ") for top in tops)
    assert document["history"]["last"].endswith("Z")
    assert document["segment"] == "bread"


def test_nobody_has_a_profile_too() -> None:
    profile = build(EMPTY, POPULATION, NOW, item_ids=NAMES)
    document = profile.as_dict()
    assert document["history"] == {"events": 0, "exact": 0, "since": None, "last": None, "items": 0, "top": []}
    assert (document["user"], document["segment"], document["version"]) == (None, None, 0)
    assert words(profile) == (Section("Somebody without a name", ("Nothing is known of what this user does.",)),)


def test_the_tail_is_counted_and_forgotten_items_keep_no_name() -> None:
    history = fold.history_of(ROWS, 4).bounded(5)
    names = Vocabulary(NAMES.outers(range(N_ITEMS)))
    for item in range(N_ITEMS):
        names.bury(f"item {item}")
    profile = build(history, POPULATION, NOW, item_ids=names)
    assert (profile.history.events, profile.history.exact) == (25, 5)
    assert {top.item for top in profile.history.top} == {"(forgotten)"}


def test_a_linked_device_adds_its_events() -> None:
    one, other = fold.history_of(ROWS, 0), fold.history_of(ROWS, 1)
    both = build(merged([one, other]), POPULATION, NOW, item_ids=NAMES)
    assert both.history.events == 50
    assert {interest.label for interest in both.interests.kinds["category"]} == {"dairy", "wine"}


def test_a_population_without_categories_or_people_still_serves() -> None:
    bare = Population.of(Interactions.of([0], [0], [0]), AttributeTable(1), NOW)
    assert bare.segments is None
    few = Population.of(Interactions.of([0], [0], [0]), ITEMS, NOW)
    assert few.segments is None
    assert build(fold.history_of(ROWS, 0), bare, NOW, item_ids=NAMES).interests.kinds == {}


def test_the_newest_word_on_a_purpose_stands() -> None:
    said = [
        Consent(user="u", purpose="store", granted=True, time=9),
        Consent(user="u", purpose="store", granted=False, time=3),
        Consent(user="u", purpose="train", granted=False, time=4),
        Consent(user="u", purpose="train", granted=True, time=4),
    ]
    assert standing_consent(said) == {"store": True, "train": True}


def test_words_say_what_a_person_asks() -> None:
    sections = {section.title: section for section in words(profile_of(1), name=str.upper)}
    assert "Active: comes about every 7 days" in sections["user 1"].sentences[0]
    assert "Segment: wine." in sections["user 1"].sentences
    assert sections["Attributes"].sentences == (
        "age: 30 (by crm, 75 % sure; app says 31)",
        "city: Bern (by crm, 100 % sure)",
        "likes: tea, jazz (by crm, 100 % sure)",
    )
    assert sections["Most important items"].sentences[0].startswith("ITEM ")
    assert sections["Consent"].sentences == ("train: refused.",)
    assert [entry.label for entry in sections["Interests by category (lasting, lately)"].bars] == ["wine"]


def test_what_changed_lately_is_told() -> None:
    history = fold.history_of(ROWS, 0)
    for step in range(5):
        history = history.add(4 + 6 * step, 0, float("nan"), NOW - (5 - step) * HOUR, 2_000 + step)
    sections = {section.title: section for section in words(build(history, POPULATION, NOW, item_ids=NAMES))}
    assert any("fish (category) rises" in sentence for sentence in sections["Lately"].sentences)
    assert any("dairy (category) falls" in sentence for sentence in sections["Lately"].sentences)


def test_text_lines_up_its_bars() -> None:
    lines = text(words(profile_of(1)), width=10).splitlines()
    bars = [line for line in lines if "█" in line]
    assert bars
    assert any(line.startswith("  wine") and "██████████ 100 %" in line for line in bars)


@given(st.floats(-2, 2), st.integers(1, 40))
def test_a_bar_is_as_long_as_its_share(share: float, width: int) -> None:
    drawn = bar(share, width)
    assert len(drawn) == width
    full = drawn.count("█")
    assert abs(full - min(max(share, 0), 1) * width) <= 1
    assert drawn == bar(min(max(share, 0.0), 1.0), width)
