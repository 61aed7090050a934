"""Whatever is sent as an event is read or refused with a code."""

from __future__ import annotations

import random

import pytest
from tests.events import fuzz


def test_a_few_thousand_inputs() -> None:
    assert 200 < fuzz.fuzz(5_000, seed=1) < 4_900


@pytest.mark.slow
def test_a_hundred_thousand_inputs() -> None:
    assert fuzz.fuzz(100_000, seed=2) > 5_000


def test_a_fault_is_told_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: random.Random) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(fuzz, "try_group", broken)
    with pytest.raises(AssertionError, match="seed 3000000000"):
        fuzz.fuzz(fuzz.GROUP, seed=3)
