"""A new item is recommended at once by what is known of it, and the next learning takes it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from recommender_shop import NOW, bought, built, grocery, open_shop, upsert

NEW = {"category": "book 0", "brand": "press", "title": "Book 0 anew", "price": 12.0}


def test_a_new_item_is_in_the_next_slate_of_who_loves_its_like(tmp_path: Path) -> None:
    with open_shop(built(tmp_path)) as shop:
        assert "anew" not in shop.recommend("u0", 12, explained=True).ids
        shop.record(upsert("anew", NEW))
        slate = shop.recommend("u0", 12, explained=True)
        entry = next(entry for entry in slate.items if entry.item == "anew")
        assert {reason.kind for reason in entry.reasons} == {"content"}
        assert sum(reason.amount for reason in entry.reasons) == pytest.approx(entry.score, abs=1e-5)
        why = shop.explain("u0", "anew")
        assert why.score == pytest.approx(entry.score)
        assert "anew" not in shop.recommend("u1", 5).ids
        assert all(item.startswith("a-") for item in shop.similar("anew", 3).ids)

        shop.record(upsert("anew", {"available": False}) | {"time": NOW / 1e6})
        assert "anew" not in shop.recommend("u0", 12).ids
        shop.record(upsert("anew", {"available": True}) | {"time": NOW / 1e6})
        assert "anew" in shop.recommend("u0", 12).ids

        before = shop.recommend("stranger", 30)
        shop.record(bought("stranger", "anew", NOW))
        after = {entry.item: entry for entry in shop.recommend("stranger", 30, explained=True).items}
        lifted = [one for one in after.values() if any(reason.kind == "content" for reason in one.reasons)]
        assert lifted
        assert "anew" not in after
        assert [one.item for one in before.items] != list(after)
        for one in after.values():
            assert sum(reason.amount for reason in one.reasons) == pytest.approx(one.score, abs=1e-5)

        shop.learn()
        known = shop.explain("u0", "anew")
        assert {reason.kind for reason in known.reasons} <= {"influence", "popularity", "following"}
        assert shop.explain("u0", grocery(0, 1)).score > 0
