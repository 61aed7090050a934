"""`mutua restore`: a store from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mutua.cli.backup import told
from mutua.cli.call import Call, single
from mutua.core.clock import parse_time
from mutua.store.sqlite.backup import restore as restore_backup


def restore(
    call: Call,
    backup: Annotated[Path, typer.Argument(help="The backup.")],
    target: Annotated[Path, typer.Argument(help="A new file.")],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only what was recorded by then.")] = None,
) -> None:
    """Make a new store from a backup, to any record time if wanted."""
    with call.screen.stage("restoring"):
        done = restore_backup(backup, target, until=None if until is None else parse_time(until))
    call.screen.answer(done, told(done))


app = single(restore)
