"""Runs the server of a folder of stores: one process and one loop for all tenants, a service for each."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvicorn
import uvloop

from mutua.serving.checkpointing import last_checkpoints
from mutua.serving.http.app import application
from mutua.serving.http.arrivals import connections_allowed
from mutua.serving.http.guard import Rules
from mutua.serving.http.journal import Journal
from mutua.serving.http.run import Place, configured, end_in_order
from mutua.serving.learning import Schedule
from mutua.serving.notices import NoticeSettings, settings_of
from mutua.serving.running import Upkeep
from mutua.serving.security.logs import RequestLog, log_to
from mutua.serving.security.origins import Origins
from mutua.serving.security.redact import Pseudonyms
from mutua.serving.security.tenant_keys import TenantKeys
from mutua.serving.tenants import MOST, Tenants
from mutua.serving.traffic import Traffic
from mutua.store.sqlite.folder import Folder


def run_folder(
    folder: Folder,
    place: Place,
    schedule: Schedule,
    now: int | str | None = None,
    notices: Path | None = None,
    most: int = MOST,
) -> None:
    """Serves until SIGINT or SIGTERM; what was accepted is written before it returns.

    It listens wherever it is told to: without a key nobody enters, on this machine neither.

    Args:
        notices: a folder in which `acme.toml` says what is posted to the webhooks of `acme`.
        most: tenants open at once.

    Raises:
        ConfigError: code `config.invalid`; a bad origin.
        StoreError: code `store.failed`; a file of keys that cannot be read, or that others may write to.
    """
    rules = rules_of_folder(folder, place)
    log_to(sys.stderr, Pseudonyms())
    upkeep = Upkeep(place.settings, schedule, partial(notices_of, notices), now)
    uvloop.run(_serve_alone(place, rules, Tenants(folder, upkeep, most)))


def rules_of_folder(folder: Folder, place: Place, share: int = 1) -> Rules:
    """Returns who is let in; raises as `run_folder`."""
    return Rules(TenantKeys(folder), Origins(place.origins), share=share)


def notices_of(notices: Path | None, tenant: str) -> NoticeSettings | None:
    """Returns what is posted to the webhooks of a tenant, None for nothing."""
    file = notices / f"{tenant}.toml" if notices is not None else None
    return settings_of(file) if file is not None and file.exists() else None


async def _serve_alone(place: Place, rules: Rules, tenants: Tenants) -> None:
    last_checkpoints(await serve_tenants(place, rules, tenants))


async def serve_tenants(
    place: Place, rules: Rules, tenants: Tenants, listens: Callable[[], list[socket.socket]] | None = None
) -> tuple[str, ...]:
    """Answers until it is told to end, and returns the URLs of the stores that were open then.

    Args:
        listens: makes the bound sockets; None for the address of the place.
    """
    looking = asyncio.create_task(tenants.keep_looking())
    traffic = Traffic(connections=connections_allowed())
    journal = Journal(RequestLog(sys.stderr), place.log_every)
    server = uvicorn.Server(configured(place, application(tenants, rules, traffic, journal), traffic))
    end_in_order()
    try:
        await server.serve(listens() if listens else None)
    finally:
        looking.cancel()
        closed = await tenants.close()
    return closed
