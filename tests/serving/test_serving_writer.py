"""The one writer: group commits, batches that fail alone, a bounded queue, an end that writes what was accepted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mutua.errors import InvalidId, Overloaded, StoreLocked
from mutua.events.kinds import Interaction
from mutua.serving import writer as writing
from mutua.serving.writer import Committed, Writer, Written
from mutua.store.sqlite.store import SqliteStore


def opening(folder: Path) -> Callable[[], SqliteStore]:
    return lambda: SqliteStore.open(f"sqlite:///{folder / 'shop.db'}", write=True)


def event(name: str, user: str = "ann") -> Interaction:
    return Interaction(id=name, user=user, item="milk", time=1)


class Commits:
    """Remembers commits, and holds the writer before each until it is let go."""

    def __init__(self) -> None:
        self.done: list[Committed] = []
        self.gate = threading.Semaphore(0)

    def __call__(self, done: Committed) -> None:
        self.done.append(done)
        self.gate.acquire()


def answers(count: int) -> list[asyncio.Future[Written]]:
    loop = asyncio.new_event_loop()
    try:
        return [loop.create_future() for _ in range(count)]
    finally:
        loop.close()


def told(commits: list[Committed]) -> list[Written | Exception]:
    return [answer for done in commits for _, answer in done.answers]


def test_what_queued_during_a_commit_goes_into_the_next(tmp_path: Path) -> None:
    commits = Commits()
    writer = Writer(opening(tmp_path), commits)
    assert writer.start() == 0
    for place, answer in enumerate(answers(5)):
        writer.submit([event(f"e{place}")], answer)
        if place == 0:
            while not commits.done:
                pass
    commits.gate.release(10)
    writer.close()
    assert [len(done.answers) for done in commits.done] == [1, 4]
    assert told(commits.done) == [Written((place,), (True,)) for place in range(1, 6)]
    with SqliteStore.open(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        assert store.log.last_sequence() == 5


def test_a_repeated_id_in_one_group_is_told_as_repeated(tmp_path: Path) -> None:
    commits = Commits()
    commits.gate.release(10)
    writer = Writer(opening(tmp_path), commits)
    writer.start()
    first, second = answers(2)
    writer.submit([event("e1"), event("e1"), event("e2")], first)
    writer.submit([event("e2"), event("e3")], second)
    writer.close()
    assert told(commits.done) == [Written((1, 1, 2), (True, False, True)), Written((2, 3), (False, True))]
    assert [one.id for done in commits.done for one in done.fresh] == ["e1", "e2", "e3"]


def test_one_batch_never_fails_another(tmp_path: Path) -> None:
    commits = Commits()
    writer = Writer(opening(tmp_path), commits)
    writer.start()
    first, good, bad, after = answers(4)
    writer.submit([event("e0")], first)
    while not commits.done:
        pass
    writer.submit([event("e1")], good)
    writer.submit([event("e2", user="\x00")], bad)
    writer.submit([event("e3")], after)
    commits.gate.release(10)
    writer.close()
    outcome = told(commits.done)
    assert isinstance(outcome[2], InvalidId)
    assert [outcome[0], outcome[1], outcome[3]] == [Written((place,), (True,)) for place in (1, 2, 3)]


def test_a_full_queue_refuses_the_whole_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "QUEUE", 3)
    commits = Commits()
    writer = Writer(opening(tmp_path), commits)
    writer.start()
    first, second, third = answers(3)
    writer.submit([event("e0")], first)
    while not commits.done:
        pass
    writer.submit([event("e1"), event("e2")], second)
    with pytest.raises(Overloaded):
        writer.submit([event("e3"), event("e4")], third)
    commits.gate.release(10)
    writer.close()
    with SqliteStore.open(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        assert [row[0] for row in store.database.rows("SELECT id FROM event ORDER BY seq")] == ["e0", "e1", "e2"]


def test_other_work_runs_between_commits_and_its_errors_reach_who_asked(tmp_path: Path) -> None:
    commits = Commits()
    commits.gate.release(10)
    writer = Writer(opening(tmp_path), commits)
    writer.start()
    writer.submit([event("e0")], answers(1)[0])
    assert writer.call(lambda store: store.log.last_sequence()).result(10) == 1
    with pytest.raises(ZeroDivisionError):
        writer.call(lambda store: 1 // (store.log.last_sequence() - 1)).result(10)
    writer.close()
    with pytest.raises(Overloaded):
        writer.submit([event("e1")], answers(1)[0])


def test_a_fault_in_one_batch_reaches_its_sender_and_the_writer_goes_on(tmp_path: Path) -> None:
    commits = Commits()
    commits.gate.release(10)
    writer = Writer(opening(tmp_path), commits)
    writer.start()
    bad, good = answers(2)
    writer.submit([Interaction(id="e1", user="ann", item="milk", time=1 << 70)], bad)
    writer.submit([event("e2")], good)
    writer.close()
    first, second = told(commits.done)
    assert isinstance(first, OverflowError)
    assert second == Written((1,), (True,))
    with pytest.raises(Overloaded):
        writer.call(lambda store: store.log.last_sequence())


def test_a_second_writer_is_refused_at_the_start(tmp_path: Path) -> None:
    with opening(tmp_path)(), pytest.raises(StoreLocked):
        Writer(opening(tmp_path), Commits()).start()
