"""The facade from end to end on a store in a file: what is recorded is in the very next slate."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutua import Boost, IdentityLink, Interaction, LearnSettings, Options, Recommender, Settings, Surface
from mutua.core.clock import DAY, HOUR
from mutua.core.clock import now as wall_clock
from mutua.errors import (
    ConfigError,
    NoModel,
    NotEnoughData,
    NotKnown,
    NotSupported,
    StoreError,
    UnknownPart,
    UsageError,
)
from recommender_shop import NOW, PEOPLE, START, book, bought, built, catalogue, copied, grocery, open_shop, upsert


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(learned: Path, tmp_path: Path):
    with open_shop(copied(learned, tmp_path)) as opened:
        yield opened


def taste(items: tuple[str, ...]) -> float:
    """Share of items of the first taste."""
    return sum(item.startswith("a-") for item in items) / len(items)


def test_before_any_model_popularity_answers_and_says_so(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        assert shop.recommend("ann").ids == ()
        shop.record([bought("ann", "milk", START), bought("bob", "milk", START), bought("bob", "rye", START)])
        shop.record({"user": "bob", "item": "fish", "type": "dislike", "time": START / 1e6})
        slate = shop.recommend("eve", explained=True)
        assert slate.ids == ("milk", "rye", "fish")
        assert [entry.score for entry in slate.items] == [2.0, 1.0, 0.0]
        assert [entry.reasons[0].amount for entry in slate.items] == [2.0, 1.0, 0.0]
        assert any("no model" in note for note in slate.notes)
        assert shop.recommend("bob").ids == ()
        with pytest.raises(NoModel, match=r"model\.none"):
            shop.explain("ann", "milk")
        with pytest.raises(NoModel):
            shop.similar("milk")


def test_popularity_counted_live_equals_popularity_read_from_the_log(tmp_path: Path) -> None:
    rows = [("purchase", "x"), ("dislike", "x"), ("purchase", "y"), ("view", "x"), ("mystery", "y"), ("view", "z")]
    with open_shop(tmp_path) as shop:
        for place, (kind, item) in enumerate(rows):
            shop.record({"user": f"u{place}", "item": item, "type": kind, "time": START / 1e6})
            live = [(entry.item, entry.score) for entry in shop.recommend("nobody").items]
            with open_shop(tmp_path, write=False) as fresh:
                assert live == [(entry.item, entry.score) for entry in fresh.recommend("nobody").items]


def test_a_new_item_passes_no_rule_it_does_not_match_before_any_model(tmp_path: Path) -> None:
    surface = Surface(where=("category=dairy",), boosts=(Boost("category=dairy", 2.0),), caps={"category": 5})
    with open_shop(tmp_path) as shop:
        shop.record([upsert("milk", {"category": "dairy"}), bought("ann", "milk", START)])
        assert shop.recommend("eve", surface=surface).ids == ("milk",)
        for number in range(40):
            shop.record(bought("ann", f"new {number}", START))
            assert shop.recommend("eve", surface=surface).ids == ("milk",)


def test_what_is_recorded_is_in_the_very_next_slate(shop: Recommender) -> None:
    before = shop.recommend("fresh", 5)
    assert before.profile_version == 0
    done = shop.record(bought("fresh", grocery(1, 0), NOW - HOUR))
    after = shop.recommend("fresh", 5)
    assert (done.accepted, done.duplicates, done.refused) == (1, 0, ())
    assert after.profile_version == done.version == done.sequences[0]
    assert after.ids != before.ids
    assert taste(after.ids) < taste(before.ids)


def test_a_repeated_id_changes_nothing(shop: Recommender) -> None:
    event = bought("u0", book(1, 0), NOW - DAY, id="once")
    first = shop.record(event)
    scores = [(entry.item, entry.score) for entry in shop.recommend("u0", 20).items]
    again = shop.record(event)
    assert (again.accepted, again.duplicates) == (0, 1)
    assert again.sequences == first.sequences
    assert again.version == first.version
    assert [(entry.item, entry.score) for entry in shop.recommend("u0", 20).items] == scores


def test_an_id_repeated_within_one_call_is_folded_once(shop: Recommender) -> None:
    shop.recommend("u0")
    done = shop.record([bought("u0", book(1, 0), NOW - DAY, id="twice")] * 2)
    assert (done.accepted, done.duplicates) == (1, 1)
    assert done.sequences[0] == done.sequences[1]
    live = [(entry.item, entry.score) for entry in shop.recommend("u0", 20).items]
    with open_shop(shop.store.address.file.parent, write=False) as fresh:
        assert [(entry.item, entry.score) for entry in fresh.recommend("u0", 20).items] == live


def test_bad_events_are_refused_with_codes_and_good_ones_kept(shop: Recommender) -> None:
    tomorrow = wall_clock() + DAY
    done = shop.record(
        [
            {"user": "u0", "item": ""},
            bought("u0", grocery(0, 1), NOW),
            {"user": "u0", "item": "milk", "time": "yesterday"},
            {"user": "u0", "item": "milk", "colour": "red"},
            Interaction(user="u0", item="\x00"),
            Interaction(user="u0", item="milk", time=tomorrow),
            Interaction(user="u0", item="milk", value=float("inf")),
            "not an event",
            Interaction(user="u0", item=grocery(0, 2), time=NOW),
        ]
    )
    assert done.accepted == 2
    assert [(one.place, one.error.code) for one in done.refused] == [
        (0, "id.invalid"),
        (2, "time.invalid"),
        (3, "field.invalid"),
        (4, "id.invalid"),
        (5, "time.future"),
        (6, "value.invalid"),
        (7, "field.invalid"),
    ]
    assert shop.recommend("u0").profile_version == done.version


def test_nothing_but_bad_events_leave_the_log_alone(shop: Recommender) -> None:
    before = shop.store.log.last_sequence()
    done = shop.record([{"user": "u0"}])
    assert (done.accepted, done.version, done.sequences) == (0, before, ())


def test_an_unknown_user_gets_a_slate_with_a_note(shop: Recommender) -> None:
    slate = shop.recommend("nobody", 5)
    assert len(slate) == 5
    assert slate.user == "nobody"
    assert slate.profile_version == 0
    assert any("no history" in note for note in slate.notes)


def test_known_users_see_their_taste(shop: Recommender) -> None:
    for user in range(6):
        mine = taste(shop.recommend(f"u{user}", 6).ids)
        assert mine > 0.6 if user % 2 == 0 else mine < 0.4


def test_an_anonymous_visitor_is_served_by_events_that_are_not_recorded(shop: Recommender) -> None:
    before, last = shop.recommend(None, 6), shop.store.log.last_sequence()
    seen = [Interaction(user="?", item=book(1, number), type="purchase", time=NOW - HOUR) for number in range(2)]
    after = shop.recommend(None, 6, events=seen)
    assert after.user is None
    assert taste(after.ids) < taste(before.ids)
    assert not set(after.ids) & {book(1, 0), book(1, 1)}
    assert shop.store.log.last_sequence() == last
    unknown = [Interaction(user="?", item="never heard of"), Interaction(user="?", item=book(1, 3), type="mystery")]
    assert shop.recommend(None, 6, events=unknown).ids == before.ids
    assert shop.store.names.types.known("mystery") is None


def test_inline_events_count_like_recorded_ones(shop: Recommender) -> None:
    seen = [Interaction(user="new", item=book(0, number), type="purchase", time=NOW - HOUR) for number in range(3)]
    inline = [(entry.item, entry.score) for entry in shop.recommend("new", 10, events=seen).items]
    shop.record(seen)
    assert [(entry.item, entry.score) for entry in shop.recommend("new", 10).items] == inline


def test_a_new_user_with_attributes_alone_sees_what_such_people_choose(shop: Recommender) -> None:
    family, single = (shop.recommend(None, 6, attributes={"household": kind}) for kind in ("family", "single"))
    assert taste(family.ids) > 0.6 > 0.4 > taste(single.ids)
    assert "attributes" in family.notes[0]
    shop.record({"kind": "user-upsert", "user": "newcomer", "attributes": {"household": "single"}})
    assert shop.recommend("newcomer", 6).ids == single.ids
    shop.record({"kind": "user-upsert", "user": "newcomer", "attributes": {"household": "family"}})
    assert shop.recommend("newcomer", 6).ids == family.ids
    assert shop.recommend(None, 6, attributes={"shoe size": 41}).ids == shop.recommend(None, 6).ids


def test_rules_hold_and_follow_the_catalogue_at_once(shop: Recommender) -> None:
    cheap = Surface(where=("price<=3", "category=grocery 0|grocery 1"), exclude="off")
    slate = shop.recommend("u0", 10, surface=cheap)
    assert set(slate.ids) == {grocery(group, number) for group in (0, 1) for number in range(3)}
    assert any("6 of 10" in note for note in slate.notes)
    shop.record(upsert(grocery(0, 0), {"price": 30}) | {"time": (START + DAY) / 1e6})
    assert grocery(0, 0) not in shop.recommend("u0", 10, surface=cheap).ids
    with pytest.raises(UsageError, match="did you mean 'price'"):
        shop.recommend("u0", surface=Surface(where=("prize<=3",)))


def test_an_item_out_of_stock_is_never_shown(shop: Recommender) -> None:
    best = shop.recommend("u0", 1, surface=Surface(exclude="off")).ids[0]
    shop.record(upsert(best, {"available": False}) | {"time": (START + DAY) / 1e6})
    for surface in (Surface(exclude="off"), Surface(pins={1: best}), Surface(explore=0.5), Surface(diversity=0.5)):
        slate = shop.recommend("u0", 20, surface=surface)
        assert best not in slate.ids
        assert len(slate) > 10
    other = next(item for item in (grocery(0, 0), grocery(0, 1)) if item != best)
    assert best not in shop.similar(other, 50).ids


def test_caps_pins_boosts_and_diversity(shop: Recommender) -> None:
    capped = shop.recommend("u0", 4, surface=Surface(caps={"category": 1}))
    assert len({item[:3] for item in capped.ids}) == len(capped.ids) == 4
    pinned = shop.recommend("u0", 4, surface=Surface(pins={2: book(1, 9), 3: "unheard"}))
    assert pinned.ids[1] == book(1, 9)
    assert pinned.items[1].adjustments[-1].stage == "pin"
    first = Surface(boosts=(Boost("category=book 0", 100.0),), pool=100, explore=0.0)
    boosted = shop.recommend("u0", 4, surface=first)
    assert all(item.startswith("a-book") for item in boosted.ids)
    assert {entry.adjustments[0].stage for entry in boosted.items} == {"boost"}
    plain = shop.recommend("u0", 4, surface=Surface(explore=0.0))
    diverse = shop.recommend("u0", 4, surface=Surface(diversity=0.9, explore=0.0))
    assert plain.ids[0] == diverse.ids[0]
    assert len({item[:6] for item in diverse.ids}) > len({item[:6] for item in plain.ids})


def test_seen_items_are_excluded_off_on_or_by_what_people_come_back_for(shop: Recommender) -> None:
    mine = {entry.item for entry in shop.recommend("u0", 32, surface=Surface(exclude="off")).items}
    seen = mine - set(shop.recommend("u0", 32, surface=Surface(exclude="on")).ids)
    assert len(mine) == 32
    assert len([item for item in seen if "grocery" in item]) == 3
    assert len([item for item in seen if "book" in item]) == 4
    kept = set(shop.recommend("u0", 32).ids)
    assert mine - kept == {item for item in seen if "book" in item}
    habit = next(item for item in sorted(seen) if "grocery" in item)
    shop.record([{"user": "u0", "item": habit, "type": "dislike", "time": (NOW - n) / 1e6} for n in range(20)])
    assert mine - set(shop.recommend("u0", 32).ids) == mine - kept | {habit}


def test_surfaces_are_declared_by_name(learned: Path, tmp_path: Path) -> None:
    settings = Settings(surfaces={"home": Surface(pins={1: book(1, 1)}), "default": Surface(exclude="on")})
    with open_shop(copied(learned, tmp_path), settings=settings) as shop:
        assert shop.recommend("u0", surface="home").ids[0] == book(1, 1)
        assert shop.recommend("u0", surface="home").surface == "home"
        assert not any(item in shop.recommend("u0", 32).ids for item in seen_by(shop, "u0"))
        with pytest.raises(ConfigError, match="hom"):
            shop.recommend("u0", surface="hom")


def seen_by(shop: Recommender, user: str) -> list[str | None]:
    history = shop.store.log.history(shop.store.names.users.get(user) or 0)
    return shop.store.names.items.outers(history.item)


@pytest.mark.parametrize("n", [0, -1, 1_001])
def test_the_length_of_a_slate_is_bounded(shop: Recommender, n: int) -> None:
    with pytest.raises(UsageError, match="1 to 1,000"):
        shop.recommend("u0", n)
    with pytest.raises(UsageError):
        shop.similar(grocery(0, 0), n)


def test_similar_items_are_of_the_same_taste(shop: Recommender) -> None:
    slate = shop.similar(book(1, 2), 5)
    assert slate.surface == "similar"
    assert book(1, 2) not in slate.ids
    assert taste(slate.ids) < 0.5
    scores = [entry.score for entry in slate.items]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    with pytest.raises(NotKnown):
        shop.similar("unheard")
    shop.record(bought("u0", "late", NOW))
    with pytest.raises(NotKnown, match="learn again"):
        shop.similar("late")


def test_ratings_are_foreseen_only_where_values_are_ratings(shop: Recommender) -> None:
    with pytest.raises(NotSupported, match=r"model\.not-supported"):
        shop.predict("u0", grocery(0, 0))
    stars = [
        {"user": f"u{u}", "item": book(g, b), "type": "rating", "value": 5 - 3 * (b % 2), "time": NOW / 1e6}
        for u in range(PEOPLE)
        for g in (0, 1)
        for b in range(u % 3, 10, 3)
    ]
    shop.record(stars)
    assert shop.learn("popularity", force=True).ratings
    good, bad = shop.predict("u0", book(0, 2)), shop.predict("u0", book(0, 1))
    assert good.low <= good.value <= good.high
    assert 2 <= bad.value < good.value <= 5
    with pytest.raises(NotKnown):
        shop.predict("u0", "unheard")
    assert 2 <= shop.predict("nobody", book(0, 1)).value <= 5


def test_identity_links_join_slates_and_undo_parts_them(shop: Recommender) -> None:
    shop.record([bought("phone", book(1, number), NOW - DAY) for number in range(3)])
    alone, mine = shop.recommend("phone", 8), shop.recommend("u0", 8)
    shop.record(IdentityLink(user="u0", other="phone", time=NOW))
    joined = shop.recommend("u0", 8)
    assert shop.recommend("phone", 8).items == joined.items
    assert joined.items not in (alone.items, mine.items)
    shop.record(bought("phone", book(1, 5), NOW - DAY))
    assert shop.recommend("u0", 8).profile_version == shop.recommend("phone", 8).profile_version
    shop.record(IdentityLink(user="u0", other="phone", undo=True, time=NOW + 1))
    assert shop.recommend("u0", 8).items == mine.items
    with open_shop(shop.store.address.file.parent, write=False) as fresh:
        assert shop.recommend("phone", 8).items == fresh.recommend("phone", 8).items != joined.items


def test_linked_ids_share_attributes(shop: Recommender) -> None:
    shop.record({"kind": "user-upsert", "user": "known", "attributes": {"household": "single"}})
    shop.record({"kind": "identity-link", "user": "known", "other": "tablet"})
    assert shop.recommend("tablet", 6).ids == shop.recommend("known", 6).ids


def test_profiles_as_known_then_and_as_of_an_event(shop: Recommender) -> None:
    day = START + 20 * DAY
    then = shop.profile("u0", as_of_event=day)
    assert then.now == day
    assert then.history.events < shop.profile("u0").history.events
    assert then.history.last <= day
    before = wall_clock()
    shop.record(bought("u0", book(1, 1), day - DAY))
    shop.record({"kind": "consent", "user": "u0", "purpose": "train", "granted": False, "time": day / 1e6})
    assert shop.profile("u0", as_of=before).history.events == shop.profile("u0").history.events - 1
    assert shop.profile("u0", as_of_event=day).history.events == then.history.events + 1
    assert shop.profile("u0", as_of=before).consent == {}
    assert shop.profile("u0", as_of_event=day - 1).consent == {}
    assert shop.profile("u0", as_of_event=day).consent == {"train": False}
    assert shop.profile("u0", as_of_event=0).history.events == 0
    assert "household" in shop.profile("u0").attributes
    with pytest.raises(NotKnown):
        shop.profile("nobody")


def test_the_scoring_time_may_be_that_of_the_log(learned: Path, tmp_path: Path) -> None:
    with open_shop(copied(learned, tmp_path), now="log") as shop:
        newest = shop.recommend("u0").now
        assert newest == shop.store.log.newest_time()
        shop.record(bought("u0", grocery(0, 0), NOW + DAY))
        assert shop.recommend("u0").now == NOW + DAY
        shop.record(bought("u0", grocery(0, 0), NOW))
        assert shop.recommend("u0").now == NOW + DAY
        assert shop.recommend("u0", now=NOW).now == NOW


def test_a_time_that_is_no_scoring_time_is_refused_and_nothing_stays_locked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="microseconds"):
        open_shop(tmp_path, now="2024-01-01")
    open_shop(tmp_path).close()


def test_a_fixed_time_leaves_nothing_to_the_clock(learned: Path) -> None:
    surface = Surface(explore=0.4, diversity=0.3)
    found = []
    for _ in range(2):
        with open_shop(learned, write=False) as shop:
            slates = [shop.recommend(f"u{user}", surface=surface) for user in range(4)]
            found.append([(slate.items, slate.now, slate.notes, slate.model_version) for slate in slates])
    assert found[0] == found[1]


def test_another_seed_explores_otherwise(learned: Path) -> None:
    slates = []
    for seed in (0, 1):
        with open_shop(learned, write=False, settings=Settings(seed=seed)) as shop:
            slates.append([shop.recommend(f"u{user}", surface=Surface(explore=0.5)).ids for user in range(6)])
    assert slates[0] != slates[1]


def test_learning_twice_gives_equal_slates(shop: Recommender) -> None:
    before = [shop.recommend(f"u{user}").items for user in range(6)]
    assert shop.learn().version == "000002"
    assert [shop.recommend(f"u{user}").items for user in range(6)] == before


def test_learning_until_a_time_uses_what_was_there_then(shop: Recommender) -> None:
    done = shop.learn(until=START + 7 * DAY)
    assert 0 < done.events < shop.store.log.last_sequence()
    with pytest.raises(NotEnoughData):
        shop.learn(until=START - DAY)
    with pytest.raises(UnknownPart, match="did you mean 'default'"):
        shop.learn("defalt")
    assert shop.recommend("u0").model_version == done.version


def test_learning_compares_candidates_within_a_budget(shop: Recommender) -> None:
    done = shop.learn(budget=60)
    assert done.complete
    assert len(done.trials) >= 2
    assert done.metric == "ndcg@10"
    assert max(trial.value for trial in done.trials) > 0.1


def test_the_settings_name_the_model(learned: Path, tmp_path: Path) -> None:
    settings = Settings(learn=LearnSettings(model="popularity:half_life=7"))
    with open_shop(copied(learned, tmp_path), settings=settings) as shop:
        assert shop.learn().learner.name == "popularity"
        assert len(shop.recommend("u0")) == 10


def test_a_reader_does_not_record_but_learns_beside_the_writer(learned: Path, tmp_path: Path) -> None:
    place = copied(learned, tmp_path)
    with open_shop(place) as writer, open_shop(place, write=False) as shop:
        with pytest.raises(StoreError, match="open for reading"):
            shop.record(bought("u0", grocery(0, 0), NOW))
        with pytest.raises(StoreError, match="open for reading"):
            shop.forget("u0")
        version = shop.learn(budget=0).version
        assert shop.recommend("u0").model_version == version
        assert writer.recommend("u0").model_version == version


def test_closing_twice_is_harmless_and_frees_the_lock(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.close()
    shop.close()
    open_shop(tmp_path).close()


def test_files_are_recorded_into_the_same_slates(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    rows = [f"u{u},item {u % 3},{(START + u * HOUR) // 1_000_000}" for u in range(9)]
    path.write_text("\n".join(["user,item,time", *rows]))
    with open_shop(tmp_path) as shop:
        assert shop.recommend("x").ids == ()
        assert shop.record_file(path).accepted == 9
        assert set(shop.recommend("x").ids) == {"item 0", "item 1", "item 2"}
        assert shop.record_file(path).accepted == 0


def test_evaluation_reads_the_store(shop: Recommender) -> None:
    asked = Options("holdout", "shop", models=("popularity", "frequency"), cutoffs=(5,), budget=0)
    found = shop.evaluate(asked)
    values = {name: found.results[name].metrics["ndcg@5"].value for name in ("popularity", "frequency")}
    assert values["frequency"] > values["popularity"] > 0


def test_the_catalogue_alone_is_no_ground_to_learn_on(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.record(catalogue())
        with pytest.raises(NotEnoughData, match=r"data\.too-few"):
            shop.learn()
        assert shop.recommend("x").ids != ()


def test_items_that_only_the_catalogue_knows_reach_those_who_like_such_items(shop: Recommender) -> None:
    for taste in (0, 1):
        said = {"category": f"book {taste}", "brand": "press", "title": f"Book {taste} sequel"}
        shop.record(upsert(f"{'ab'[taste]}-book-new", said))
    for learned in (False, True):
        if learned:
            shop.learn()
        for user, mine, other in (("u0", "a", "b"), ("u1", "b", "a"), ("u2", "a", "b")):
            slate = shop.recommend(user, 40, surface=Surface(exclude="off"))
            scores = {entry.item: entry.score for entry in slate.items}
            assert scores[f"{mine}-book-new"] > scores.get(f"{other}-book-new", 0.0)
    lent = shop.explain("u0", "a-book-new").reasons
    told = {reason.amount: shop.store.names.items.outer(reason.item) for reason in lent if reason.item >= 0}
    assert str(told[max(told)]).startswith("a-")
