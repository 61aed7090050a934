"""Notices: the watch finds triggers in what is recorded, the courier posts them; a file of their own says where to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mutua.errors import ConfigError
from mutua.events.kinds import AnyEvent
from mutua.serving.push.courier import Courier
from mutua.serving.push.outbox import Outbox, beside
from mutua.serving.push.triggers import TriggerSettings
from mutua.serving.push.watch import Watch
from mutua.serving.push.webhooks import WebhookSettings
from mutua.serving.service import Service

SWEEP = 60.0
"""Seconds between looks for abandoned carts."""


class NoticeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of notices: what triggers one (`[triggers]`), and where and how it is delivered (`[webhooks]`)."""

    triggers: TriggerSettings = TriggerSettings()
    webhooks: WebhookSettings = WebhookSettings()


def settings_of(file: Path) -> NoticeSettings:
    """Returns the settings in a TOML file.

    Raises:
        ConfigError: code `config.invalid`; unreadable, not TOML, an unknown key, a value out of range.
    """
    try:
        found = msgspec.toml.decode(file.read_bytes(), type=NoticeSettings)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise ConfigError(f"{file}: {reason}"[:300], "the keys of docs/push.md", "correct it") from reason
    found.webhooks.checked()
    return found


class Notices:
    """The watch and the courier of one service, from start to close.

    Raises:
        ConfigError: code `config.invalid`; a hook that cannot be posted to.
    """

    def __init__(self, service: Service, settings: NoticeSettings) -> None:
        place = beside(service.store.address.path)
        self._courier = Courier(lambda: Outbox(place), settings.webhooks)
        self._watch = Watch(service.store, settings.triggers, service.state.now)
        seen = self._courier.start()
        with service.store.database.reading():
            self._version = service.store.log.last_sequence()
            self._courier.offer(self._watch.resume(seen), self._version)
        service.listeners.append(self.moved)
        service.forgetters.append(self.forget)
        service.posted = lambda: self._courier.latest

    def moved(self, events: Iterable[AnyEvent], version: int) -> None:
        """Takes the events of one commit; what they trigger is delivered from another thread."""
        if version > self._version:
            self._version = version
            self._courier.offer(self._watch.moved(events, version), version)

    def forget(self, user: str) -> None:
        """Erases what is kept of a user, his pending notices included."""
        self._watch.forget(user)
        self._courier.call(lambda outbox: outbox.forget(user)).result()

    async def keep_sweeping(self) -> None:
        """Looks for abandoned carts again and again, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            self._courier.offer(self._watch.sweep(), self._version)

    def close(self) -> None:
        """Ends deliveries; what is pending is delivered after the next start."""
        self._courier.close()
