"""Runs the server in several processes: a parent that only keeps them, one that writes, and those that answer."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvloop

from mutua.config import Settings, tenant_key
from mutua.errors import ConfigError
from mutua.serving.checkpointing import last_checkpoints
from mutua.serving.http.run import Place, Post, rules_of, serve
from mutua.serving.learning import Schedule
from mutua.serving.security.logs import log_to
from mutua.serving.security.redact import Pseudonyms
from mutua.serving.service import Service
from mutua.serving.workers.child import end_with_parent, settle_in
from mutua.serving.workers.desk import Desk, Welcoming, write
from mutua.serving.workers.link import Link
from mutua.serving.workers.room import Room
from mutua.serving.workers.supervisor import Supervisor
from mutua.serving.workers.table import Table
from mutua.store.sqlite.store import SqliteStore

FRESH = multiprocessing.get_context("spawn")
"""Processes that begin anew: no thread or lock of the parent's is copied into them."""


Writes = Callable[[Place, Room], None]
"""What the process that writes does."""
Answers = Callable[[Place, Room, int], None]
"""What a process that answers does, by its number."""


def run_several(place: Place, schedule: Schedule, now: int | str | None, workers: int) -> bool:
    """Serves from several processes until SIGINT or SIGTERM.

    Returns:
        Whether all ended in order; False after a second signal, which ends them at once.

    Raises:
        StoreLocked: code `store.locked`; another process writes to the store.
        ConfigError: code `config.invalid`; as `run`, or an address that is taken.
    """
    rules_of(place)
    log_to(sys.stderr, Pseudonyms())
    _opened(place.url, place.settings(place.url)).close()
    answers = partial(_answer, schedule, now, workers)
    return in_processes(place, workers, _write, answers, lambda _: [place.url])


def in_processes(
    place: Place, workers: int, writes: Writes, answers: Answers, served: Callable[[Room], Iterable[str]]
) -> bool:
    """Runs one process that writes and several that answer until SIGINT or SIGTERM.

    Args:
        writes, answers: functions of a module, for they are called in processes that begin anew.
        served: returns the URLs of the stores that were served, at the end.

    Returns:
        Whether all ended in order.

    Raises:
        ConfigError: code `config.invalid`; an address that is taken.
    """
    with _held(place) as held, tempfile.TemporaryDirectory(prefix="mutua-") as folder:
        room, settled = Room(Path(folder)), replace(place, port=held.getsockname()[1])
        starts = [
            _started("the writer", writes, settled, room),
            *(_started(f"worker {number}", answers, settled, room, number) for number in range(workers)),
        ]
        in_order = asyncio.run(_kept(starts))
        urls = list(served(room))
    if in_order:
        last_checkpoints(urls)
    return in_order


async def _kept(starts: list[Callable[[], BaseProcess]]) -> bool:
    supervisor = Supervisor()
    await supervisor.run(starts)
    return not supervisor.killed


def _started(name: str, work: Callable[..., None], *given: Any) -> Callable[[], BaseProcess]:
    def start() -> BaseProcess:
        process = FRESH.Process(target=work, name=name, args=given)
        process.start()
        return process

    return start


def _opened(url: str, settings: Settings) -> SqliteStore:
    return SqliteStore.open(url, write=True, types=settings.declared_types, key=tenant_key(settings.store))


def _write(place: Place, room: Room) -> None:
    """The process that writes."""
    opened = partial(_opened, place.url, place.settings(place.url))
    writing(room, lambda: Desk(opened, Table(room.table())))


def writing(room: Room, made: Callable[[], Welcoming]) -> None:
    """Writes in this process, until it is told to end; the room goes with the last of the server's processes."""
    settle_in()
    log_to(sys.stderr, Pseudonyms())
    write(made, room.socket)
    if not multiprocessing.parent_process().is_alive():  # type: ignore[union-attr]
        shutil.rmtree(room.folder, ignore_errors=True)


def _answer(schedule: Schedule, now: int | str | None, workers: int, place: Place, room: Room, number: int) -> None:
    """A process that answers; the first one also learns and posts notices."""
    settle_in()
    log_to(sys.stderr, Pseudonyms())

    def through(service: Service) -> Link:
        return Link(room.socket, Table(room.table()), number, service)

    async def answering() -> None:
        end_with_parent()
        await serve(place, schedule, rules_of(place, workers), now, post)

    post = Post(through, leads=number == 0, listens=lambda: shared(place))
    uvloop.run(answering())


def shared(place: Place) -> list[socket.socket]:
    """Returns a socket at the place, not listening yet; the system spreads connections over those of all workers."""
    return [_bound(place.host, place.port, shared=True)]


def _held(place: Place) -> socket.socket:
    """Returns a socket that holds the address for the workers without listening.

    Raises:
        ConfigError: code `config.invalid`; another server has it.
    """
    try:
        alone = _bound(place.host, place.port, shared=False)
        port = alone.getsockname()[1]
        alone.close()
        return _bound(place.host, port, shared=True)
    except OSError as reason:
        raise ConfigError(
            f"{place.host}:{place.port}: {reason.strerror}", "an address that is free", "choose another port"
        ) from reason


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """Returns a socket that is bound and does not listen; the system spreads connections over those that share."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
    except OSError:
        found.close()
        raise
    return found
