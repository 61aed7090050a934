"""Runs the server of a folder of stores: one process and one loop for all tenants, a service for each."""

from __future__ import annotations

import asyncio
import sys
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
    rules = Rules(TenantKeys(folder), Origins(place.origins))

    def told(tenant: str) -> NoticeSettings | None:
        file = notices / f"{tenant}.toml" if notices is not None else None
        return settings_of(file) if file is not None and file.exists() else None

    log_to(sys.stderr, Pseudonyms())
    uvloop.run(_serve(place, rules, Tenants(folder, Upkeep(place.settings, schedule, told, now), most)))


async def _serve(place: Place, rules: Rules, tenants: Tenants) -> None:
    looking = asyncio.create_task(tenants.keep_looking())
    traffic = Traffic(connections=connections_allowed())
    journal = Journal(RequestLog(sys.stderr), place.log_every)
    end_in_order()
    try:
        await uvicorn.Server(configured(place, application(tenants, rules, traffic, journal), traffic)).serve()
    finally:
        looking.cancel()
        last_checkpoints(await tenants.close())
