"""Several workers over one writer: what one acknowledged all show at once, whatever it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mutua.errors import Interrupted, NotKnown, Overloaded
from mutua.events.kinds import AnyEvent, Interaction
from mutua.serving.messages import Question
from mutua.serving.operations import ForgetUser, PurgeModels
from mutua.serving.workers import desk as desks
from mutua.serving.workers import link as links
from serving.workers.several import Site, run


def bought(user: str, item: str = "milk", **more: object) -> dict[str, object]:
    return {"user": user, "item": item, "type": "purchase", **more}


def test_what_one_acknowledged_the_other_shows_at_once(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        for number in range(100):
            done = await here.record([bought("ann", f"item-{number}")])
            slate = await there.recommend(Question(user="ann"))
            assert slate.profile_version == done.version == number + 1
            here, there = there, here

    run(tmp_path, scenario)


def test_a_linked_id_shows_what_the_other_did(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("phone"), bought("ann", "tea")])
        linked = await here.record([{"kind": "identity-link", "user": "ann", "other": "phone"}])
        assert len((await there.recommend(Question(user="ann"))).ids) >= 0
        assert there.version == linked.version
        done = await here.record([bought("phone", "bread")])
        assert (await there.recommend(Question(user="ann"))).profile_version == done.version

    run(tmp_path, scenario)


def test_a_changed_item_counts_for_everybody(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("ann", "milk"), bought("ann", "tea")])
        assert set((await there.recommend(Question(user="bob"))).ids) == {"milk", "tea"}
        await here.record([{"kind": "item-upsert", "item": "milk", "attributes": {"available": False}}])
        for user in ("bob", None):
            assert (await there.recommend(Question(user=user))).ids == ("tea",)

    run(tmp_path, scenario)


def test_a_version_can_be_waited_for_on_every_worker(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        asked = asyncio.create_task(there.recommend(Question(user="bob", min_version=2, wait=20)))
        await here.record([bought("ann")])
        await here.record([bought("ann")])
        assert not any("ended" in note for note in (await asked).notes)
        assert there.version == 2

    run(tmp_path, scenario)


def test_many_senders_on_all_workers_share_commits_and_lose_nothing(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        async def send(number: int) -> int:
            service = site.workers[number % 2]
            found = await asyncio.gather(
                *(service.record([bought(f"u{number}", id=f"{number}-{n}")]) for n in range(20))
            )
            return sum(one.accepted for one in found)

        assert sum(await asyncio.gather(*map(send, range(20)))) == 400
        for service in site.workers:
            await service.current()
            assert service.version == 400
            assert len(service.export("u7")) == 20

    run(tmp_path, scenario)


def test_forgetting_reaches_every_worker_before_the_receipt(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("ann")])
        slate = await there.recommend(Question(user="ann"))
        told: list[str] = []
        there.forgetters.append(told.append)
        receipt = await here.forget("ann")
        assert receipt.complete
        assert told == ["ann"]
        assert there.slates.get(slate.id) is None
        with pytest.raises(NotKnown):
            there.known("ann")
        with pytest.raises(NotKnown):
            await there.forget("ann")
        assert (await there.recommend(Question(user="ann"))).profile_version == 0

    run(tmp_path, scenario)


def test_what_is_pushed_on_one_worker_follows_events_on_another(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("bob", f"item-{number}") for number in range(5)])
        await there.current()
        reader = there.hub.subscribe("ann")
        async with reader:
            first = await anext(reader)
            await here.record([bought("ann", "item-0"), bought("ann", "item-1")])
            following = await anext(reader)
        assert set(following.slate.ids) < set(first.slate.ids)

    run(tmp_path, scenario)


def test_figures_are_those_of_all_workers(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("ann")])
        text = (await there.reports()).decode()
        assert 'mutua_events_total{outcome="accepted",worker="0"} 1.0' in text
        assert 'mutua_events_total{outcome="accepted",worker="1"} 0.0' in text

    run(tmp_path, scenario)


def test_a_writer_that_comes_back_finds_every_worker_and_writes_what_was_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("ann", id="before")])
        came = asyncio.Event()
        monkeypatch.setattr(site.desk, "_take", lambda *_: came.set())
        under_way = asyncio.create_task(here.record([bought("ann", id="under-way")]))
        await came.wait()
        await site.close()
        while here.writer.ready or there.writer.ready:
            await asyncio.sleep(0.001)
        with pytest.raises(Overloaded):
            await there.record([bought("ann", id="refused")])
        await site.open()
        outcome = await under_way
        await there.writer.stands()
        assert (outcome.accepted, outcome.version) == (1, 2)
        assert (await there.recommend(Question(user="ann"))).profile_version == 2
        assert [one["id"] for one in there.export("ann")] == ["before", "under-way"]

    run(tmp_path, scenario)


def test_a_worker_that_missed_commits_reads_them_in_the_log(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("ann")])
        for link in tuple(site.desk._links):
            link.close()
        await here.writer.stands()
        seen: list[tuple[list[AnyEvent], int]] = []
        there.listeners.append(lambda events, version: seen.append((list(events), version)))
        done = await here.record([bought("ann", "tea"), bought("bob", "tea")])
        assert (await there.recommend(Question(user="ann"))).profile_version == done.version - 1
        assert there.version == done.version
        assert [event.item for events, _ in seen for event in events if isinstance(event, Interaction)] == [
            "tea",
            "tea",
        ]

    run(tmp_path, scenario)


def test_who_waits_too_long_for_the_writer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "PATIENCE", 0.0)

    async def scenario(site: Site) -> None:
        here, _ = site.workers
        held = asyncio.Event()
        monkeypatch.setattr(site.desk, "_take", lambda *_: held.set())
        sent = asyncio.create_task(here.record([bought("ann")]))
        asked = asyncio.create_task(here.call(PurgeModels()))
        await held.wait()
        for link in tuple(site.desk._links):
            link.close()
        with pytest.raises(Interrupted):
            await asked
        with pytest.raises(Interrupted):
            await sent
        assert here.writer.waiting == 0

    run(tmp_path, scenario)


def test_errors_of_the_writer_reach_who_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(site: Site) -> None:
        here, there = site.workers
        with pytest.raises(NotKnown) as told:
            await here.call(ForgetUser("nobody", 1))
        assert "nobody" in told.value.came
        monkeypatch.setattr("mutua.serving.writer.QUEUE", 0)
        with pytest.raises(Overloaded):
            await there.record([bought("ann")])
        with pytest.raises(TypeError, match="operations"):
            await here.call(lambda store: store.log.last_sequence())

    run(tmp_path, scenario)


def test_a_worker_that_answers_nobody_does_not_hold_up_forgetting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "REPLIES", 0.05)

    async def scenario(site: Site) -> None:
        here, there = site.workers
        await here.record([bought("ann")])
        monkeypatch.setattr(there.writer, "_hear", lambda *_: None)
        assert (await here.forget("ann")).complete

    run(tmp_path, scenario)
