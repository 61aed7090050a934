"""`mutua live`: the demo's shop over HTTP, with shoppers that come and go."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from mutua.cli.call import LOG, Call, single
from mutua.cli.screen import Screen
from mutua.demo.visits import ToCome, stock, to_come
from mutua.errors import MissingExtra, MutuaError, Unreachable
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.store import SqliteStore

STORE = "sqlite:///mutua-demo.db"
PATIENCE = 120.0
"""Seconds in which the server must be ready."""


def live(
    call: Call,
    port: Annotated[int, typer.Option(min=1, max_value=65_535, help="The port of the server.")] = 8000,
    speed: Annotated[
        float, typer.Option(min=0, help="Seconds of the shop's time in one second; 0: nobody comes.")
    ] = 3_600.0,
    users: Annotated[int | None, typer.Option(min=2, help="Households of the shop to keep; default all.")] = None,
) -> None:
    """Serve the demo's shop and let its shoppers walk in, until Ctrl-C; its store is made once and kept."""
    try:
        from mutua.demo.shoppers import open_doors
    except ImportError as reason:
        raise MissingExtra(
            f"{reason.name} is not installed", "the extras `demo`, `server` and `client`", "make install"
        ) from reason
    url = call.common.store or STORE
    coming = _prepared(call, url, users)
    with _served(url, port) as address:
        call.screen.note(f"Serving {url} on {address}, described at /docs. Ctrl-C ends it.")
        if speed:
            with Live(console=call.screen.console, auto_refresh=False) as board:

                def show(table: Table) -> None:
                    board.update(table, refresh=True)

                asyncio.run(open_doors(address, coming, speed, show))
            call.screen.note("The shoppers have bought all that they did; the server goes on. Ctrl-C ends it.")
        signal.pause()


def _prepared(call: Call, url: str, users: int | None) -> ToCome:
    """The store made where there is none, and what comes after its newest event."""
    file = Address.of(url).path
    if file is None or not file.exists():
        stock(url, users, call.screen.stage, settings=call.settings, now=LOG)
    with call.screen.stage("look up who is to come"), SqliteStore.open(url) as store:
        return to_come(users, store.log.newest_time() or 0)


@contextmanager
def _served(url: str, port: int) -> Iterator[str]:
    """Runs the server in a process of its own, which outlives no interrupt."""
    command = [sys.executable, "-m", "mutua", "--store", url, "--now", LOG, "serve", "--port", str(port)]
    server = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(server, address)
        yield address
    except KeyboardInterrupt:
        return
    finally:
        server.terminate()
        server.wait()
