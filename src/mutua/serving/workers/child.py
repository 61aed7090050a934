"""What every process of the server's does that another has started."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal


def settle_in() -> None:
    """Leaves the parent's process group, so that Ctrl-C is for the parent alone: it tells the others in order."""
    os.setpgid(0, 0)


def end_with_parent() -> None:
    """Tells this process to end when its parent is gone, however that ended. Called on the running loop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(parent.sentinel)
            os.kill(os.getpid(), signal.SIGTERM)

        loop.add_reader(parent.sentinel, gone)
