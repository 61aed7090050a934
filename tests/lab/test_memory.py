"""The peak of memory over a stretch of work."""

from __future__ import annotations

import numpy as np

from mutua.lab.memory import peak


def test_sees_what_was_held_and_given_back() -> None:
    with peak() as idle:
        pass
    with peak() as busy:
        held = np.ones(25 << 20)
        assert held[-1] == 1
        del held
    assert busy.mib > idle.mib + 150
