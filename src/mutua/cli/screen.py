"""What a command writes: one JSON document, or text and tables for a person; and on stderr, how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_WIDTH = 110
"""Columns where the output is no terminal."""
PLAIN_EVERY = 10.0
"""Seconds between two pictures of what moves, where the output is no terminal."""
Step = Callable[[float, float], None]
"""Called with how much is done and how much there is."""


class Screen:
    """The two streams of one command.

    Args:
        as_json: whether stdout gets one JSON document and stderr nothing but errors.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.seconds: dict[str, float] = {}
        self._out = _console(sys.stdout)
        self._err = _console(sys.stderr)

    def answer(self, document: object, *shown: RenderableType) -> None:
        """Writes the answer: the document as JSON, or what a person is shown."""
        if self.as_json:
            sys.stdout.write(json_text(document) + "\n")
        else:
            self.show(*shown)

    def show(self, *shown: RenderableType) -> None:
        """Writes for a person; nothing where JSON was asked for."""
        if not self.as_json:
            for one in shown:
                self._out.print(one)

    def copied(self, line: str) -> None:
        """Writes a line that is there to be copied, in one piece however long; nothing where JSON was asked for."""
        if not self.as_json:
            self._out.print(line, soft_wrap=True)

    def note(self, text: str) -> None:
        """Writes a remark to stderr; nothing where JSON was asked for."""
        if not self.as_json:
            self._err.print(text, markup=False)

    @contextmanager
    def moving(self) -> Iterator[Callable[[RenderableType], None]]:
        """Yields what to call with what is to be seen now; on no terminal it is written once in some seconds."""
        if self._out.is_terminal:
            with Live(console=self._out, auto_refresh=False) as shown:
                yield lambda now: shown.update(now, refresh=True)
            return
        last = -PLAIN_EVERY

        def write(now: RenderableType) -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_EVERY:
                last = time.monotonic()
                self.show(now, "")

        yield write

    @contextmanager
    def stage(self, title: str) -> Iterator[Step]:
        """Shows on stderr that `title` is under way, and adds what it took to `seconds`.

        Yields:
            What to call with progress; a stage that never calls it shows a moving bar.
        """
        began = time.perf_counter()
        if self.as_json:
            yield _silent
        elif self._err.is_terminal:
            with _bar(self._err) as progress:
                task = progress.add_task(title, total=None)
                yield lambda done, total: progress.update(task, completed=done, total=total)
        else:
            yield _silent
        self.seconds[title] = self.seconds.get(title, 0.0) + time.perf_counter() - began
        if not self._err.is_terminal:
            self.note(f"{title}: {self.seconds[title]:.1f} s")


def json_text(document: object) -> str:
    """Returns a document as JSON; what is not a number is null."""
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=_plain), indent=1).decode()


def table(*columns: str, numbers: int = 0) -> Table:
    """Returns an empty table; its last `numbers` columns are aligned right."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for place, name in enumerate(columns):
        made.add_column(name, justify="right" if place >= len(columns) - numbers else "left", overflow="fold")
    return made


def _console(stream: Any) -> Console:
    terminal = stream.isatty()
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=None if terminal else PLAIN_WIDTH)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _silent(done: float, total: float) -> None:
    """Progress that nobody wants to see."""


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} in a document")
