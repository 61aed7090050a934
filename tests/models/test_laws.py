"""Every registered model keeps every law."""

from __future__ import annotations

import pytest

from mutua.models.registry import learner, models
from mutua.testing.models import LAWS, Law, planted


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", models())
def test_law(name: str, law: Law) -> None:
    law(learner(name), planted())
