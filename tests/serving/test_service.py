"""The service: whatever comes in whatever order, its state is that of a fresh start on the same log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mutua.core.clock import HOUR
from mutua.serving.messages import Question
from mutua.serving.service import Service
from recommender_shop import BY_SCORE, NOW, book, built, copied, grocery, open_shop

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["u0", "u1", "new", "other"]),
        st.sampled_from([grocery(0, 1), grocery(1, 2), book(0, 4), "unheard-of"]),
        st.sampled_from(["view", "purchase"]),
        st.integers(0, 90 * 24),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("service"))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(EVENTS, max_size=4), link=st.booleans())
def test_the_state_is_that_of_a_fresh_start(
    stocked: Path, tmp_path_factory: pytest.TempPathFactory, batches: list, link: bool
) -> None:
    folder = copied(stocked, tmp_path_factory.mktemp("state"))
    users = ("u0", "u1", "new", "other")

    async def scenario() -> list:
        service = Service(f"sqlite:///{folder / 'shop.db'}", BY_SCORE, NOW)
        try:
            for batch in batches:
                for user in users:
                    service.slate(Question(user=user))
                said = [
                    {"user": user, "item": item, "type": kind, "time": (NOW - hours * HOUR) / 1e6}
                    for user, item, kind, hours in batch
                ]
                await asyncio.gather(*(service.record([one]) for one in said))
            if link:
                await service.record([{"kind": "identity-link", "user": "u0", "other": "new"}])
            slates = [service.slate(Question(user=user)) for user in users]
            return [(slate.ids, [entry.score for entry in slate.items], slate.profile_version) for slate in slates]
        finally:
            service.close()

    live = asyncio.run(scenario())
    with open_shop(folder, write=False) as fresh:
        slates = [fresh.recommend(user) for user in users]
    for (ids, scores, version), slate in zip(live, slates, strict=True):
        assert ids == slate.ids
        assert scores == pytest.approx([entry.score for entry in slate.items], rel=1e-5)
        assert version == slate.profile_version
