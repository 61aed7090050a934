"""`mutua live`: the demo's shop over HTTP, with shoppers that come and go."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from mutua.cli.call import LOG, Call, single
from mutua.demo.visits import ToCome, stock, to_come
from mutua.errors import MissingExtra
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.store import SqliteStore

STORE = "sqlite:///mutua-demo.db"
PATIENCE = 120.0
"""Seconds in which the server must be ready."""


def live(
    call: Call,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port of the server.")] = 8000,
    speed: Annotated[
        float, typer.Option(min=0, help="Seconds of the shop's time in one second; 0: nobody comes.")
    ] = 3_600.0,
    users: Annotated[int | None, typer.Option(min=2, help="Households of the shop to keep; default all.")] = None,
) -> None:
    """Serve the demo's shop and let its shoppers walk in, until Ctrl-C; its store is made once and kept."""
    try:
        from mutua.demo.shoppers import open_doors, ready
    except ImportError as reason:
        raise MissingExtra(
            f"{reason.name} is not installed", "the extras `demo`, `server` and `client`", "make install"
        ) from reason
    url = call.common.store or STORE
    coming, screen = _prepared(call, url, users), call.screen
    with _served(url, port) as (server, address):
        ready(address, PATIENCE, server.poll)
        screen.note(f"Serving {url} on {address}, described at /docs. Ctrl-C ends it.")
        if speed and coming.visits:
            with screen.moving() as show:
                board = asyncio.run(open_doors(address, coming, speed, show))
            screen.show(board.table())
        screen.note("Nobody else is to come; the server goes on. Ctrl-C ends it.")
        server.wait()


def _prepared(call: Call, url: str, users: int | None) -> ToCome:
    """The store made where there is none, and what comes after its newest event."""
    if not Address.of(url).file.exists():
        stock(url, users, call.screen.stage, settings=call.settings, now=LOG)
    with call.screen.stage("look up who is to come"), SqliteStore.open(url) as store:
        return to_come(users, store.log.newest_time() or 0)


@contextmanager
def _served(url: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Runs the server in a process of its own, until it ends or Ctrl-C; then it is asked to end, and waited for."""
    command = [sys.executable, "-m", "mutua", "--store", url, "--now", LOG, "serve", "--port", str(port)]
    server = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    before = {one: signal.signal(one, signal.default_int_handler) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield server, f"http://127.0.0.1:{port}"
    except KeyboardInterrupt:
        return
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        server.terminate()
        server.wait()


app = single(live)
