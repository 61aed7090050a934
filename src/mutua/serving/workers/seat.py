"""What a worker among several has for each tenant: a link to the writer, and perhaps the lead."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from mutua.serving.workers.baton import Baton
from mutua.serving.workers.link import Heard, Link
from mutua.serving.workers.room import Room
from mutua.serving.workers.table import Table


@dataclass(frozen=True)
class Seat:
    """One worker's place in the room.

    Args:
        number: of the worker.
        loop: where its services live.
    """

    room: Room
    number: int
    loop: asyncio.AbstractEventLoop

    def link(self, tenant: str, heard: Heard) -> Link:
        """Returns the way to the writer of a tenant."""
        return Link(self.room.socket, Table(self.room.table(tenant)), self.number, heard, tenant, self.loop)

    def lead(self, tenant: str) -> Baton:
        """Returns what the one worker holds that learns, posts notices and writes checkpoints for a tenant."""
        return Baton(self.room.lead(tenant))

    def turn(self) -> Baton:
        """Returns what is held by who learns, so that tenants do it one after the other in all workers."""
        return Baton(self.room.turn)
