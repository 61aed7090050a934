"""A service and what runs beside it: new models and settings are taken up, it learns, and notices are posted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from mutua.config import Settings, defaults, settings_files
from mutua.errors import ConfigError, TenantSettings
from mutua.serving.checkpointing import keep_checkpoints
from mutua.serving.learning import Schedule, keep_learning
from mutua.serving.notices import Notices, NoticeSettings
from mutua.serving.service import Service
from mutua.serving.settings import follow_settings


@dataclass(frozen=True)
class Upkeep:
    """What each service of a server is given.

    Args:
        settings: reads the settings of the store at a URL; called again whenever a file of theirs changes.
        schedule: when to learn.
        notices: what to post to a tenant's webhooks; None, or returning None, for nothing.
        now: fixed scoring time; `log`; None for the wall clock.
        turn: whose turn it is to learn, so that tenants do it one after the other.
    """

    settings: Callable[[str], Settings] = defaults
    schedule: Schedule = field(default_factory=Schedule)
    notices: Callable[[str], NoticeSettings | None] | None = None
    now: int | str | None = None
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))


class Running:
    """One tenant's service, from its opening to its closing. Made by `open` on the loop that it runs on."""

    def __init__(self, service: Service, notices: Notices | None, url: str, upkeep: Upkeep) -> None:
        self.service, self._notices, self._upkeep = service, notices, upkeep
        self.busy = 0
        """Requests, streams and learning under way; while there are any it must not be closed."""
        beside = [
            service.follow_models(),
            follow_settings(service, partial(upkeep.settings, url), settings_files(url)),
            keep_checkpoints(service, url),
        ]
        if notices is not None:
            beside.append(notices.keep_sweeping())
        if upkeep.schedule.wanted:
            beside.append(keep_learning(service, url, upkeep.schedule, self._learning))
        self._beside = [asyncio.create_task(one) for one in beside]

    @classmethod
    async def open(cls, url: str, tenant: str, upkeep: Upkeep) -> Self:
        """Returns the service at a URL, running; others are served while it reads its log. Raises as `Service`."""
        loop = asyncio.get_running_loop()

        def opened() -> tuple[Service, Notices | None]:
            service = Service(url, _settings(url, tenant, upkeep), upkeep.now, loop)
            try:
                told = None if upkeep.notices is None else upkeep.notices(tenant)
                return service, None if told is None else Notices(service, told)
            except BaseException:
                service.close()
                raise

        return cls(*await asyncio.to_thread(opened), url, upkeep)

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
        await asyncio.to_thread(self.service.writer.close)
        try:
            await asyncio.to_thread(self.service.slates.close)
        finally:
            self.service.close()

    @asynccontextmanager
    async def _learning(self) -> AsyncIterator[None]:
        async with self._upkeep.turn:
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
