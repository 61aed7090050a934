"""`mutua forget`: a user or an event, erased, with a receipt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from mutua.cli import exits
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.core.clock import format_time
from mutua.errors import UnreadableFile, UsageError
from mutua.privacy.forgetting import Check, Receipt, verify


def forget(
    call: Call,
    user: Annotated[str | None, typer.Argument(help="The user's id; ids linked to it are forgotten too.")] = None,
    event: Annotated[str | None, typer.Option(help="The id of one event instead.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    receipt: Annotated[
        Path | None, typer.Option("--verify", help="Erase nothing; check a receipt (the JSON of an earlier forget).")
    ] = None,
) -> None:
    """Erase a user or an event from log, profile, names, quarantine; the model forgets at the next learn."""
    if receipt is not None:
        _verified(call, _read(receipt), user or event)
        return
    if (user is None) == (event is None):
        raise UsageError("forget with both or neither", "a user, or --event ID", "name one of them")
    if not yes:
        _confirmed(call, f"user {user!r}" if user is not None else f"event {event!r}")
    with call.open(write=True) as shop, call.screen.stage("forgetting"):
        done = shop.forget(user, event=event)
    erased = ", ".join(f"{count:,} in {place}" for place, count in done.counts.items() if count) or "nothing else"
    remains = [f"Learned before, until the next `mutua learn`: {', '.join(done.models)}."] if done.models else []
    remains += [f"Copies that may still hold it: {', '.join(done.copies)}."] if done.copies else []
    said = f"Forgotten at {format_time(done.erased)}: {erased}."
    call.screen.answer(done, said, _table(done.checks), *remains)


def _confirmed(call: Call, what: str) -> None:
    if call.screen.as_json or not sys.stdin.isatty():
        raise UsageError(f"forgetting {what} without a confirmation", "--yes", "add --yes; it cannot be undone")
    typer.confirm(f"Forget {what} in {call.url}? This cannot be undone.", abort=True, err=True)


def _verified(call: Call, receipt: Receipt, outer: str | None) -> None:
    with call.open_store() as store:
        checks = verify(store, receipt, outer=outer)
    well = all(check.ok for check in checks)
    call.screen.answer({"ok": well, "checks": checks}, _table(checks))
    if not well:
        raise typer.Exit(exits.UNWELL)


def _read(path: Path) -> Receipt:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except (OSError, msgspec.DecodeError) as reason:
        expected = "the JSON that `mutua forget --json` printed"
        raise UnreadableFile(f"{path}: {reason}"[:300], expected, "name that file") from reason


def _table(checks: tuple[Check, ...]) -> Table:
    made = table("check", "", "found")
    for check in checks:
        made.add_row(check.name, "ok" if check.ok else "NOT", check.what)
    return made


app = single(forget)
