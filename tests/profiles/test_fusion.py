"""Facts of several sources: the last words that stand, the rules that choose, and the trust that is learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.core.seeds import stream
from mutua.profiles.facts import Fact, facts_of, standing
from mutua.profiles.fusion import ByAttribute, ByContext, Majority, MostTrusted, Newest, Rule, fuse
from mutua.profiles.truth import LearnedTrust, learn_trust

facts = st.builds(
    Fact,
    name=st.sampled_from(["age", "city"]),
    value=st.none() | st.sampled_from(["a", "b", 1, 1.0, True]),
    source=st.sampled_from(["crm", "app", "web"]),
    time=st.integers(0, 5),
    sequence=st.integers(0, 10**6),
)
fact_lists = st.lists(facts, unique_by=lambda fact: fact.sequence)
TRUST = LearnedTrust({"crm": 0.9, "app": 0.6}, {"crm": 0.1}, {"age": 3.0}, {"city": 4})
RULES: list[Rule] = [
    Newest(),
    Majority(),
    MostTrusted({"crm": 0.9, "app": 0.4}),
    ByContext("channel", {"shop": "app"}),
    ByAttribute({"age": Newest()}, Majority()),
    TRUST,
]


def fact(value: object, source: str, time: int = 0, name: str = "city") -> Fact:
    return facts_of({name: value}, source, time, time)[0]


@given(fact_lists, st.randoms())
def test_standing_words_do_not_depend_on_the_order_of_arrival(said: list[Fact], random: object) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing(shuffled) == standing(said)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
@given(said=fact_lists)
def test_every_rule_chooses_one_claim_and_accounts_for_all(rule: Rule, said: list[Fact]) -> None:
    claims = standing(said)
    fused = fuse(said, rule, {"channel": "shop"})
    assert fused.keys() == claims.keys()
    for name, result in fused.items():
        told = [result.winner, *result.supporting, *result.losing]
        assert sorted(told, key=id) == sorted(claims[name], key=id)
        assert 0.0 <= result.confidence <= 1.0 + 1e-12
        assert all(claim.value == result.value for claim in result.supporting)
        assert all(type(claim.value) is not bool or claim.value is not result.value for claim in result.losing)
        if not isinstance(rule, LearnedTrust) and not result.losing:
            assert result.confidence == 1.0


def test_a_source_withdraws_its_word() -> None:
    said = [fact("Bern", "crm", 1), fact("Basel", "app", 2), fact(None, "app", 3)]
    assert fuse(said)["city"].value == "Bern"
    assert fuse([*said, fact(None, "crm", 4)]) == {}


def test_true_and_one_are_different_values() -> None:
    fused = fuse([fact(1, "crm", 1), fact(True, "app", 2)], MostTrusted({"crm": 1.0}))["city"]
    assert fused.value is not True
    assert [claim.source for claim in fused.losing] == ["app"]


def test_newest_wins_against_any_number_of_older_ones() -> None:
    said = [fact("old", f"s{i}", i) for i in range(20)] + [fact("new", "last", 99)]
    assert fuse(said, Newest())["city"].value == "new"
    assert fuse(said, Majority())["city"].value == "old"


def test_the_most_trusted_is_never_outvoted_and_equals_vote() -> None:
    said = [fact("right", "crm", 0)] + [fact("wrong", f"s{i}", 5) for i in range(9)]
    assert fuse(said, MostTrusted({"crm": 0.9}))["city"].value == "right"
    assert fuse(said, MostTrusted({}))["city"].value == "wrong"


def test_context_prefers_a_source_only_while_it_holds() -> None:
    said = [fact("Bern", "till", 1), fact("Basel", "app", 2)]
    rule = ByContext("channel", {"shop": "till"})
    assert fuse(said, rule, {"channel": "shop"})["city"].winner.source == "till"
    assert fuse(said, rule, {"channel": "web"})["city"].winner.source == "app"
    assert fuse([fact("Basel", "app")], rule, {"channel": "shop"})["city"].value == "Basel"


def test_each_attribute_has_its_rule() -> None:
    said = [fact("a", "crm", 1), fact("b", "app", 2), fact(30, "crm", 1, "age"), fact(31, "app", 2, "age")]
    fused = fuse(said, ByAttribute({"city": MostTrusted({"crm": 1.0})}, Newest()))
    assert (fused["city"].value, fused["age"].value) == ("a", 31)


RELIABILITY = {"registry": 0.95, "survey": 0.70, "guess": 0.40}


def planted(n_people: int, n_values: int, seed: int) -> tuple[list[list[Fact]], list[str]]:
    """People of whom three sources of known reliability speak, in an order of time that says nothing."""
    rng = stream(seed, "planted")
    people, truths = [], []
    for _ in range(n_people):
        truth = int(rng.integers(n_values))
        said = []
        for source, reliability in RELIABILITY.items():
            wrong = (truth + 1 + int(rng.integers(n_values - 1))) % n_values
            value = truth if rng.random() < reliability else wrong
            said.append(Fact("segment", f"v{value}", source, int(rng.integers(1_000)), len(said)))
        people.append(said)
        truths.append(f"v{truth}")
    return people, truths


def accuracy(people: list[list[Fact]], truths: list[str], rule: Rule) -> float:
    hits = [fuse(said, rule)["segment"].value == truth for said, truth in zip(people, truths, strict=True)]
    return float(np.mean(hits))


@pytest.mark.parametrize("n_values", [2, 6])
def test_learned_trust_finds_planted_reliabilities_and_beats_other_rules(n_values: int) -> None:
    people, truths = planted(2_000, n_values, seed=n_values)
    trust = learn_trust(people)
    assert sorted(trust.accuracy, key=trust.accuracy.__getitem__, reverse=True) == list(RELIABILITY)
    learned = accuracy(people, truths, trust)
    assert learned >= 0.93
    assert learned > accuracy(people, truths, Majority()) + 0.05
    assert learned > accuracy(people, truths, Newest()) + 0.15
    if n_values > 2:
        for source, reliability in RELIABILITY.items():
            assert trust.accuracy[source] == pytest.approx(reliability, abs=0.05)


def test_its_confidence_is_how_often_it_is_right() -> None:
    people, truths = planted(3_000, 5, seed=11)
    trust = learn_trust(people)
    fused = [fuse(said, trust)["segment"] for said in people]
    right = np.array([result.value == truth for result, truth in zip(fused, truths, strict=True)])
    confidence = np.array([result.confidence for result in fused])
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.03)
    doubtful = confidence < np.quantile(confidence, 0.2)
    assert right[doubtful].mean() < right[~doubtful].mean()


def test_learned_spread_orders_sources_of_numbers_and_beats_the_mean() -> None:
    rng = stream(3, "numbers")
    noise = {"meter": 1.0, "form": 5.0, "guess": 20.0}
    truths = rng.normal(50, 15, 1_000)
    people = [
        [
            Fact("age", truth + rng.normal(0, spread), source, int(rng.integers(99)), 0)
            for source, spread in noise.items()
        ]
        for truth in truths
    ]
    trust = learn_trust(people)
    assert sorted(trust.spread, key=trust.spread.__getitem__) == list(noise)
    unit = trust.scale["age"]
    assert trust.spread["form"] * unit == pytest.approx(5.0, rel=0.2)

    def error(values: list[object]) -> float:
        return float(np.mean(np.abs(np.array(values, np.float64) - truths)))

    learned = error([fuse(said, trust)["age"].value for said in people])
    newest = error([fuse(said, Newest())["age"].value for said in people])
    mean = error([np.mean([float(claim.value) for claim in said]) for said in people])  # type: ignore[arg-type]
    assert learned < 1.5
    assert learned < mean / 2
    assert learned < newest / 4


def test_numbers_that_nearly_agree_support_each_other() -> None:
    trust = LearnedTrust({}, {"a": 1.0, "b": 1.0, "c": 1.0}, {"age": 1.0}, {})
    fused = fuse([fact(30.0, "a", 1, "age"), fact(30.1, "b", 2, "age"), fact(60.0, "c", 3, "age")], trust)["age"]
    assert fused.value in (30.0, 30.1)
    assert fused.confidence == pytest.approx(2 / 3, abs=0.01)


def test_trust_learned_from_nothing_still_chooses() -> None:
    trust = learn_trust([])
    fused = fuse([fact("x", "a", 1)], trust)["city"]
    assert fused.value == "x"
    assert fused.confidence == pytest.approx(0.5)
