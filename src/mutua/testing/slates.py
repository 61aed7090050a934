"""Slates as they are logged, for tests."""

from __future__ import annotations

import numpy as np

from mutua.store.logged import ANONYMOUS, ENTRY, LoggedSlate


def logged(
    name: str,
    items: int = 3,
    *,
    user: int = ANONYMOUS,
    time: int = 1_000_000,
    surface: str = "default",
    variant: str = "",
) -> LoggedSlate:
    """Returns a slate of the items 0, 1, 2 … with scores that fall from 1."""
    entries = np.zeros(items, ENTRY)
    entries["item"] = np.arange(items)
    entries["propensity"] = 0.5
    entries["score"] = 1 - np.arange(items) / 100
    return LoggedSlate(name, user, time, entries.tobytes(), surface, variant, "000001", 7, 42)
