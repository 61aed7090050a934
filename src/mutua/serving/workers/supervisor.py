"""The parent: starts the writer and the workers, starts again what dies, and ends them in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess

LOG = logging.getLogger("mutua.server")
SOON, LATEST = 0.1, 5.0
"""Seconds before a process that died is started again: at first, and at most where it dies again and again."""
LIVED = 10.0
"""Seconds of life after which a death counts as the first."""
Start = Callable[[], BaseProcess]
"""Makes and starts a process."""


class Supervisor:
    """Keeps processes running until SIGINT or SIGTERM. Made and used on one loop, of the main thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._running: set[BaseProcess] = set()
        self._ending, self.killed = asyncio.Event(), False
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._signalled)

    async def run(self, starts: Sequence[Start]) -> None:
        """Runs processes until the first signal, which each of them is told of, and returns when all have ended.

        A second signal ends them at once, and sets `killed`.
        """
        await asyncio.gather(*(self._keep(start) for start in starts))

    def _signalled(self) -> None:
        self.killed = self._ending.is_set()
        self._ending.set()
        for process in self._running:
            if self.killed:
                process.kill()
            else:
                process.terminate()

    async def _keep(self, start: Start) -> None:
        pause = SOON
        while not self._ending.is_set():
            began = self._loop.time()
            process = start()
            self._running.add(process)
            await self._ended(process)
            self._running.discard(process)
            if self._ending.is_set():
                return
            pause = SOON if self._loop.time() - began > LIVED else min(2 * pause, LATEST)
            LOG.error("%s ended with status %s, it is started again", process.name, process.exitcode)
            await self._pause(pause)

    async def _ended(self, process: BaseProcess) -> None:
        ended = self._loop.create_future()
        self._loop.add_reader(process.sentinel, ended.set_result, None)
        await ended
        self._loop.remove_reader(process.sentinel)
        process.join()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return
