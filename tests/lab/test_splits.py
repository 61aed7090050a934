"""Splits that the lab adds to those of the search."""

from __future__ import annotations

import numpy as np

from mutua.events.interactions import Interactions
from mutua.lab.splits import given, leave_last_two

LOG = Interactions.of([0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 1, 2], [3, 2, 1, 1, 2, 1])


def test_validation_comes_before_the_test() -> None:
    validation, test = leave_last_two(LOG)
    assert test.test.item.tolist() == [0, 1]
    assert validation.test.item.tolist() == [1]
    assert validation.train.sequence.tolist() == [2, 3, 5]


def test_given_rows_are_held_out() -> None:
    split = given(LOG, np.arange(6) >= 4)
    assert split.train.sequence.tolist() == [2, 1, 0, 3]
    assert split.test.sequence.tolist() == [4, 5]
