"""Every score can be taken apart: reasons sum to it, and taking an event out takes away exactly its reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutua import Interaction, Recommender, SlateItem, Surface
from mutua.core.clock import DAY, HOUR
from mutua.errors import NotKnown
from mutua.pipeline.words import sentences
from mutua.voice import Voice
from recommender_shop import NOW, PEOPLE, START, book, bought, built, copied, grocery, open_shop

ALL = Surface(exclude="off")
MODELS = (
    "default",
    "default:memory=fading,following=2,order=sequence,reach=1",
    "default:memory=all,following=1,factors=8,content=0",
    "item-knn",
    "ease:ridge=5",
)
ITEMS = [*(grocery(t, n) for t in (0, 1) for n in range(6)), *(book(t, n) for t in (0, 1) for n in range(10))]
TYPES = ("view", "purchase", "rating", "dislike", "return", "cart", "skip")


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory):
    opened = {name: open_shop(built(tmp_path_factory.mktemp("shop"), name), write=False) for name in MODELS}
    yield opened
    for shop in opened.values():
        shop.close()


events = st.builds(
    Interaction,
    user=st.just("somebody"),
    item=st.sampled_from(ITEMS[:5] + ITEMS[-3:]),
    type=st.sampled_from(TYPES),
    value=st.none() | st.sampled_from([0.5, 1.0, 3.0, 5.0]),
    time=st.sampled_from([NOW - 30 * DAY, NOW - 7 * DAY, NOW - 7 * DAY + HOUR, NOW - HOUR, NOW, NOW + DAY]),
)


def explained(shop: Recommender, log: Sequence[Interaction]) -> dict[str, SlateItem]:
    """Every item with its score and reasons; event i of the log has sequence number i + 1."""
    slate = shop.recommend(None, len(ITEMS), events=log, surface=ALL, explained=True)
    assert len(slate) == len(ITEMS)
    return {entry.item: entry for entry in slate.items}


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=12)
@given(st.lists(events, min_size=1, max_size=7))
def test_taking_an_event_out_changes_every_score_by_exactly_its_reason(
    shops: dict[str, Recommender], name: str, log: list[Interaction]
) -> None:
    before = explained(shops[name], log)
    scale = max(abs(reason.amount) for entry in before.values() for reason in entry.reasons)
    for place, event in enumerate(log):
        after = explained(shops[name], log[:place] + log[place + 1 :])
        for item in set(ITEMS) - {event.item}:
            told = [reason.amount for reason in before[item].reasons if place + 1 in reason.sequences]
            assert len(told) <= 1
            assert before[item].score - after[item].score == pytest.approx(sum(told), abs=2e-6 * max(scale, 1))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=12)
@given(st.lists(events, min_size=1, max_size=7))
def test_all_events_on_an_item_together_are_its_repeat_reason(
    shops: dict[str, Recommender], name: str, log: list[Interaction]
) -> None:
    before = explained(shops[name], log)
    for item in {event.item for event in log}:
        own = {place for place, event in enumerate(log, 1) if event.item == item}
        after = explained(shops[name], [event for event in log if event.item != item])
        told = [reason for reason in before[item].reasons if own & set(reason.sequences)]
        assert all(set(reason.sequences) <= own for reason in told)
        lost = sum(reason.amount for reason in told)
        assert before[item].score - after[item].score == pytest.approx(lost, abs=5e-6)
        assert sum(reason.kind == "repeat" for reason in told) <= 1


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=12)
@given(st.lists(events, max_size=7), st.sampled_from([None, {"household": "family"}, {"household": "single"}]))
def test_reasons_sum_to_the_score_and_come_largest_first(
    shops: dict[str, Recommender], name: str, log: list[Interaction], said: dict[str, str] | None
) -> None:
    slate = shops[name].recommend(None, 40, events=log, attributes=said, surface=ALL, explained=True)
    for entry in slate.items:
        sizes = [abs(reason.amount) for reason in entry.reasons]
        assert sizes == sorted(sizes, reverse=True)
        total = sum(reason.amount for reason in entry.reasons)
        assert total == pytest.approx(entry.score, rel=1e-5, abs=1e-6 * max(sum(sizes), 1))


def test_attributes_are_reasons_with_their_names(shops: dict[str, Recommender]) -> None:
    slate = shops["default"].recommend(None, 3, attributes={"household": "family"}, explained=True)
    labels = {reason.label for reason in slate.items[0].reasons if reason.kind == "attribute"}
    assert labels == {"household=family"}


def test_attributes_fade_as_a_history_grows(shops: dict[str, Recommender]) -> None:
    def share(count: int) -> float:
        log = [Interaction(user="?", item=book(0, 0), time=NOW - n * HOUR) for n in range(count)]
        slate = shops["default"].recommend(
            None, 32, events=log, attributes={"household": "family"}, surface=ALL, explained=True
        )
        reasons = next(entry.reasons for entry in slate.items if entry.item == grocery(0, 0))
        return sum(reason.amount for reason in reasons if reason.kind == "attribute")

    assert share(0) > share(5) > share(50) > share(120) == 0


def test_an_explanation_is_that_of_the_slate(shops: dict[str, Recommender]) -> None:
    shop = shops["default"]
    for entry in shop.recommend("u0", 10, explained=True).items:
        alone = shop.explain("u0", entry.item)
        assert alone.exact
        assert alone.reasons == entry.reasons
        assert alone.score == pytest.approx(entry.score, rel=1e-5)
        assert alone.now == NOW


def test_only_what_the_model_knows_is_explained(shops: dict[str, Recommender], tmp_path: Path) -> None:
    shop = shops["default"]
    with pytest.raises(NotKnown):
        shop.explain("u0", "unheard")
    strangers = shop.explain("nobody", grocery(0, 0))
    assert {reason.kind for reason in strangers.reasons} <= {"popularity", "trend"}
    with open_shop(copied(shop.store.address.file.parent, tmp_path)) as writable:
        writable.record(bought("u0", "late", NOW))
        with pytest.raises(NotKnown, match="learn again"):
            writable.explain("u0", "late")
        slate = writable.recommend("u0", 3, surface=Surface(pins={1: "late"}), explained=True)
        assert slate.ids[0] == "late"
        assert slate.items[0].reasons == ()


def test_events_beyond_the_window_are_one_reason(shops: dict[str, Recommender], tmp_path: Path) -> None:
    with open_shop(copied(shops["default"].store.address.file.parent, tmp_path)) as shop:
        rows = [bought("heavy", ITEMS[n % 12], START + n * HOUR) for n in range(540)]
        shop.record(rows)
        for entry in shop.recommend("heavy", 32, surface=ALL, explained=True).items:
            total = sum(reason.amount for reason in entry.reasons)
            assert total == pytest.approx(entry.score, rel=2e-5, abs=1e-5)
            older = [reason for reason in entry.reasons if reason.label == "older events"]
            assert len(older) <= 1
            assert all(reason.sequences == () for reason in older)


def test_reasons_in_words_name_items_and_what_was_done(shops: dict[str, Recommender]) -> None:
    shop = shops["default"]
    best = shop.recommend("u0", 1).ids[0]
    voice, found = Voice.of(shop, "u0"), shop.explain("u0", best)
    said = voice.sentences(found)
    assert sum(sentence.share for sentence in said) == pytest.approx(1.0)
    assert any("come back to Grocery 0" in sentence.text for sentence in said)
    bought_ = [
        sentence for sentence in sentences(found, voice.name, lambda _: "purchase", 99) if "bought" in str(sentence)
    ]
    assert all(" ago" in sentence.text for sentence in bought_)
    assert bought_


def test_people_of_one_taste_have_reasons_of_that_taste(shops: dict[str, Recommender]) -> None:
    shop, own, whole = shops["default"], 0.0, 0.0
    for user in range(0, PEOPLE, 2):
        for entry in shop.recommend(f"u{user}", 3, explained=True).items:
            for reason in entry.reasons:
                if reason.kind == "influence":
                    whole += abs(reason.amount)
                    own += abs(reason.amount) * str(shop.store.names.items.outer(reason.item)).startswith("a-")
    assert own > 0.9 * whole
