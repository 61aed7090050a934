"""Runs the server: one process, one loop, until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import uvicorn
import uvloop

from mutua.config import Settings, defaults, settings_files
from mutua.serving.checkpointing import keep_checkpoints, last_checkpoints
from mutua.serving.http.app import application
from mutua.serving.http.arrivals import arrivals, connections_allowed
from mutua.serving.http.exchange import Application
from mutua.serving.http.guard import Rules
from mutua.serving.http.journal import Journal
from mutua.serving.learning import Schedule, keep_learning
from mutua.serving.notices import Notices, NoticeSettings
from mutua.serving.security import key_file
from mutua.serving.security.bounds import check_bind, is_loopback
from mutua.serving.security.keys import KeyRing
from mutua.serving.security.logs import RequestLog, log_to
from mutua.serving.security.origins import Origins
from mutua.serving.security.redact import Pseudonyms
from mutua.serving.service import Service
from mutua.serving.settings import follow_settings
from mutua.serving.traffic import Traffic
from mutua.serving.writing import Writing
from mutua.store.sqlite.address import Address

BACKLOG = 2_048
SAID_BYTES = 4_096
"""Of a message on a WebSocket; none is read."""
SWITCH = 0.001
"""Seconds after which a thread that works gives way to one that waits: a commit gives way a dozen times, and would wait
five times as long for each beside a busy loop."""
GRACE = 10
"""Seconds that requests under way have when the server is told to end."""


@dataclass(frozen=True)
class Place:
    """Where the server listens, what it serves and to whom.

    Args:
        origins: of pages that may ask, such as `https://shop.example`.
        settings: reads the settings of the store at a URL; called again whenever a file of theirs changes.
        notices: what to post to webhooks; None for nothing.
        open: listen beyond loopback though there is no key, so that everybody may do everything.
        log_every: of the good answers of the hot routes one in so many is logged; 0 for none.
    """

    url: str
    host: str = "127.0.0.1"
    port: int = 8000
    origins: tuple[str, ...] = ()
    open: bool = False
    settings: Callable[[str], Settings] = defaults
    notices: NoticeSettings | None = None
    log_every: int = 0


@dataclass(frozen=True)
class Post:
    """What sets one process that answers apart from others of the same server.

    Args:
        through: makes the way to the process that writes; None where this one does.
        leads: whether it learns and posts notices, for all.
        listens: makes the bound sockets once the state is ready; None for the address of the place.
    """

    through: Callable[[Service], Writing] | None = None
    leads: bool = True
    listens: Callable[[], list[socket.socket]] | None = None


ALONE = Post()


def run(place: Place, schedule: Schedule, now: int | str | None = None) -> None:
    """Serves until SIGINT or SIGTERM; what was accepted is written before it returns.

    Raises:
        StoreLocked: code `store.locked`; another process writes to the store.
        ConfigError: code `config.invalid`; others could reach it and there is no key, or a bad origin.
    """
    rules = rules_of(place)
    log_to(sys.stderr, Pseudonyms())
    uvloop.run(serve(place, schedule, rules, now))


def rules_of(place: Place, share: int = 1) -> Rules:
    """Returns who is let in; raises as `run`."""
    ring = KeyRing.load(key_file.place(Address.of(place.url)))
    check_bind(place.host, ring, place.open)
    names = () if is_loopback(place.host) else (place.host,)
    return Rules(ring, Origins(place.origins), names, Address.of(place.url).file.stem, place.open, share)


async def serve(place: Place, schedule: Schedule, rules: Rules, now: int | str | None, post: Post = ALONE) -> None:
    """Answers until it is told to end."""
    read = partial(place.settings, place.url)
    service = Service(place.url, read(), now, through=post.through)
    await service.writer.stands()
    watching = [
        asyncio.create_task(service.follow_models()),
        asyncio.create_task(follow_settings(service, read, settings_files(place.url))),
    ]
    notices = Notices(service, place.notices) if post.leads and place.notices is not None else None
    if notices is not None:
        watching.append(asyncio.create_task(notices.keep_sweeping()))
    if post.leads:
        watching.append(asyncio.create_task(keep_checkpoints(service, place.url)))
    if post.leads and schedule.wanted:
        watching.append(asyncio.create_task(keep_learning(service, place.url, schedule)))
    traffic = Traffic(connections=connections_allowed())
    journal = Journal(RequestLog(sys.stderr), place.log_every)
    server = uvicorn.Server(configured(place, application(service, rules, traffic, journal), traffic))
    end_in_order()
    sys.setswitchinterval(SWITCH)
    gc.freeze()
    try:
        await server.serve(post.listens() if post.listens else None)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        if notices is not None:
            notices.close()
        service.close()
        if post.through is None:
            last_checkpoints([place.url])


def end_in_order() -> None:
    """Lets nothing come of a signal that uvicorn ended by and hands on, so that what is open is closed in order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _heard)


def _heard(number: int, frame: object) -> None:
    """Does nothing about a signal."""


def configured(place: Place, app: Application, traffic: Traffic) -> uvicorn.Config:
    """Returns how uvicorn serves; access logs are off, for they would hold ids of people."""
    return uvicorn.Config(
        app,
        http=arrivals(traffic),
        ws_max_size=SAID_BYTES,
        host=place.host,
        port=place.port,
        access_log=False,
        log_level="warning",
        lifespan="off",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
        proxy_headers=False,
    )
