"""Runs the server of a folder of stores in several processes: one writes for all tenants, the others answer."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

import uvloop

from mutua.config import tenant_key
from mutua.serving.http.folder import notices_of, rules_of_folder, serve_tenants
from mutua.serving.http.run import Place
from mutua.serving.http.several import in_processes, shared, writing
from mutua.serving.learning import Schedule
from mutua.serving.running import Upkeep
from mutua.serving.security.logs import log_to
from mutua.serving.security.redact import Pseudonyms
from mutua.serving.tenants import MOST, Tenants
from mutua.serving.workers.child import end_with_parent, settle_in
from mutua.serving.workers.desks import Desks
from mutua.serving.workers.room import Room
from mutua.serving.workers.seat import Seat
from mutua.serving.workers.table import Table
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.store import SqliteStore


def run_folder_several(
    folder: Folder,
    place: Place,
    schedule: Schedule,
    workers: int,
    now: int | str | None = None,
    notices: Path | None = None,
    most: int = MOST,
) -> bool:
    """Serves from several processes until SIGINT or SIGTERM; what was accepted is written before it returns.

    Args:
        notices: a folder in which `acme.toml` says what is posted to the webhooks of `acme`.
        most: tenants open at once in each process.

    Returns:
        Whether all ended in order; False after a second signal, which ends them at once.

    Raises:
        ConfigError: code `config.invalid`; a bad origin, or an address that is taken.
        StoreError: code `store.failed`; a file of keys that cannot be read, or that others may write to.
    """
    rules_of_folder(folder, place)
    log_to(sys.stderr, Pseudonyms())
    answers = partial(_answer, folder, schedule, now, notices, most, workers)
    return in_processes(place, workers, partial(_write, folder), answers, partial(_served, folder))


def _served(folder: Folder, room: Room) -> list[str]:
    return [folder.url(tenant) for tenant in room.tenants() if folder.place(tenant).file.exists()]


def _write(folder: Folder, place: Place, room: Room) -> None:
    """The process that writes, for every tenant that a worker has open."""

    def opened(tenant: str) -> SqliteStore:
        url = folder.url(tenant)
        settings = place.settings(url)
        return SqliteStore.open(url, write=True, types=settings.declared_types, key=tenant_key(settings.store))

    writing(room, lambda: Desks(opened, lambda tenant: Table(room.table(tenant))))


def _answer(
    folder: Folder,
    schedule: Schedule,
    now: int | str | None,
    notices: Path | None,
    most: int,
    workers: int,
    place: Place,
    room: Room,
    number: int,
) -> None:
    """A process that answers; whichever opens a tenant first also learns and posts notices for him."""
    settle_in()
    log_to(sys.stderr, Pseudonyms())

    async def answering() -> None:
        end_with_parent()
        seat = Seat(room, number, asyncio.get_running_loop())
        upkeep = Upkeep(place.settings, schedule, partial(notices_of, notices), now, seat=seat)
        tenants = Tenants(folder, upkeep, most)
        await serve_tenants(place, rules_of_folder(folder, place, workers), tenants, lambda: shared(place))

    uvloop.run(answering())
