"""Ways to cut a log in two: by time, by user, at random, or as files say."""

from __future__ import annotations

from mutua.events.interactions import Interactions
from mutua.learning.split import (
    Mask,
    Questions,
    Split,
    by_share_of_time,
    by_share_of_user,
    by_time,
    k_fold,
    leave_last,
    questions,
    separate,
)

__all__ = [
    "Questions",
    "Split",
    "by_share_of_time",
    "by_share_of_user",
    "by_time",
    "given",
    "k_fold",
    "leave_last",
    "leave_last_two",
    "questions",
]


def given(rows: Interactions, test: Mask, name: str = "given files") -> Split:
    """Returns the split that someone else made.

    Args:
        test: bool [n], the rows to hold out.
    """
    return separate(rows, test, name)


def leave_last_two(rows: Interactions) -> tuple[Split, Split]:
    """Returns (validation, test): each user's newest target row is the test, the one before it the validation.

    The validation split learns from neither of the two.
    """
    test = leave_last(rows)
    return leave_last(test.train), test
