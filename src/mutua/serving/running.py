"""A service and what runs beside it: new models and settings are taken up, it learns, and notices are posted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from mutua.config import Settings, defaults, settings_files
from mutua.errors import ConfigError, MutuaError, Overloaded, TenantSettings
from mutua.serving.checkpointing import keep_checkpoints
from mutua.serving.learning import Schedule, keep_learning
from mutua.serving.notices import Notices, NoticeSettings
from mutua.serving.service import Service
from mutua.serving.settings import follow_settings
from mutua.serving.workers.baton import Baton
from mutua.serving.workers.seat import Seat

PATIENCE = 10.0
"""Seconds for which the opening of a tenant waits for a writer that is away."""


@dataclass(frozen=True)
class Upkeep:
    """What each service of a server is given.

    Args:
        settings: reads the settings of the store at a URL; called again whenever a file of theirs changes.
        schedule: when to learn.
        notices: what to post to a tenant's webhooks; None, or returning None, for nothing.
        now: fixed scoring time; `log`; None for the wall clock.
        turn: whose turn it is to learn, so that tenants do it one after the other.
        seat: this worker's among several; None where this process writes itself.
    """

    settings: Callable[[str], Settings] = defaults
    schedule: Schedule = field(default_factory=Schedule)
    notices: Callable[[str], NoticeSettings | None] | None = None
    now: int | str | None = None
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    seat: Seat | None = None


class Running:
    """One tenant's service, from its opening to its closing. Made by `open` on the loop that it runs on."""

    def __init__(
        self, service: Service, lead: Baton | None, notices: Notices | None, url: str, tenant: str, upkeep: Upkeep
    ) -> None:
        self.service, self._lead, self._notices = service, lead, notices
        self._url, self._tenant, self._upkeep = url, tenant, upkeep
        self.busy = 0
        """Requests, streams and learning under way; while there are any it must not be closed."""
        beside = (
            service.follow_models(),
            follow_settings(service, partial(upkeep.settings, url), settings_files(url)),
            self._keep_leading(),
        )
        self._beside = [asyncio.create_task(one) for one in beside]

    @classmethod
    async def open(cls, url: str, tenant: str, upkeep: Upkeep) -> Self:
        """Returns the service at a URL, running; others are served while it reads its log.

        Raises:
            TenantSettings: code `tenant.settings`.
            Overloaded: code `server.overloaded`; the process that writes is away.
            StoreLocked: code `store.locked`, as do the other errors of opening a store.
        """
        loop, seat = asyncio.get_running_loop(), upkeep.seat
        through = None if seat is None else partial(seat.link, tenant)
        lead = None if seat is None else seat.lead(tenant)

        def opened() -> tuple[Service, Notices | None]:
            service = Service(url, _settings(url, tenant, upkeep), upkeep.now, loop, through)
            service.tenant = tenant
            try:
                return service, _notices(service, tenant, upkeep) if lead is None or lead.take() else None
            except BaseException:
                if lead is not None:
                    lead.drop()
                service.close()
                raise

        service, notices = await asyncio.to_thread(opened)
        running = cls(service, lead, notices, url, tenant, upkeep)
        try:
            async with asyncio.timeout(PATIENCE):
                await service.writer.stands()
        except TimeoutError as reason:
            await running.close()
            raise Overloaded("a writer that is away", "one that runs", "send the same again after a second") from reason
        except MutuaError:
            await running.close()
            raise
        return running

    async def close(self) -> None:
        """Ends the streams, writes what is queued and closes the store; others are served meanwhile.

        Raises:
            StoreError: slates that waited could not be written; all else is closed.
        """
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self.service.hub.close()
        if self._notices is not None:
            await asyncio.to_thread(self._notices.close)
        if self._lead is not None:
            self._lead.drop()
        else:
            await asyncio.to_thread(self.service.writer.close)
        try:
            await asyncio.to_thread(self.service.slates.close)
        finally:
            self.service.close()

    async def _keep_leading(self) -> None:
        """Learns, posts notices and writes checkpoints; of several workers the one does that leads."""
        if self._lead is not None and not self._lead.held:
            await self._lead.taken()
            self._notices = _notices(self.service, self._tenant, self._upkeep)
        beside = [keep_checkpoints(self.service, self._url)]
        if self._notices is not None:
            beside.append(self._notices.keep_sweeping())
        if self._upkeep.schedule.wanted:
            beside.append(keep_learning(self.service, self._url, self._upkeep.schedule, self._learning))
        await asyncio.gather(*beside)

    @asynccontextmanager
    async def _learning(self) -> AsyncIterator[None]:
        seat = self._upkeep.seat
        async with self._upkeep.turn, nullcontext() if seat is None else seat.turn():
            self.busy += 1
            try:
                yield
            finally:
                self.busy -= 1


def _settings(url: str, tenant: str, upkeep: Upkeep) -> Settings:
    """The tenant's settings; whoever asks can do nothing about one that is wrong, so it is no fault of his request."""
    try:
        return upkeep.settings(url)
    except ConfigError as reason:
        raise TenantSettings(f"tenant {tenant!r}: {reason.came}", reason.expected, reason.do) from reason


def _notices(service: Service, tenant: str, upkeep: Upkeep) -> Notices | None:
    told = None if upkeep.notices is None else upkeep.notices(tenant)
    return None if told is None else Notices(service, told)
