"""What is worth trying of every model's settings: all of it is accepted, and the model's own candidates lie within."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from mutua.models.registry import described, learner, learner_class, models
from mutua.models.space import Among, Range, Span, space_of
from mutua.testing.planted import planted
from mutua.tuning.tune import within


def edges(kind: type, what: Range) -> tuple[Any, ...]:
    return what.values if isinstance(what, Among) else (kind(what.low), kind(what.high))


@pytest.mark.parametrize("name", models())
def test_every_edge_is_a_setting_that_the_model_takes(name: str) -> None:
    kind = learner_class(name)
    for setting, (type_of, what) in space_of(kind).items():
        for edge in edges(type_of, what):
            assert getattr(replace(cast(Any, kind()), **{setting: edge}), setting) == edge


@pytest.mark.parametrize("name", models())
def test_the_first_candidate_lies_within(name: str) -> None:
    kind = learner_class(name)
    first = kind().candidates(planted())[0]
    assert all(within(getattr(first, setting), what) for setting, (_, what) in space_of(kind).items())


def test_spans_are_true_to_their_setting() -> None:
    space = space_of(learner_class("ease"))
    assert space["ridge"] == (float, Span(1, 10_000, even=True))
    assert space["transform"] == (str, Among(("binary", "log", "linear")))


@pytest.mark.parametrize("text", ["ease:ridge=20.0,neighbours=7", "default:memory=fading,popular=0.01", "popularity"])
def test_a_described_learner_is_read_back(text: str) -> None:
    assert described(learner(text)) == text
