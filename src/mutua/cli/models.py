"""`mutua models`: the versions of the model, and the way back to an earlier one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mutua.cli.call import Call, group
from mutua.cli.screen import table
from mutua.store.versions import listed


def list_(call: Call) -> None:
    """List the versions kept, oldest first."""
    with call.open_store() as store:
        current = store.models.current()
        rows = listed(store.models)
    made = table("version", "model", "learned", "up to event", "")
    for row in rows:
        learned, until = row["learned"] or "", "" if row["sequence"] is None else str(row["sequence"])
        made.add_row(row["version"], row["model"], learned, until, row["note"] or _standing(row))
    call.screen.answer({"current": current, "versions": rows}, made if rows else "No model has been learned.")


def rollback(
    call: Call,
    version: Annotated[str | None, typer.Argument(help="The version; default the one before the current.")] = None,
) -> None:
    """Put an earlier version, or the one named, in force; a running server takes it up within a second."""
    with call.open_store() as store:
        before = store.models.current()
        now = store.models.roll_back(version)
    call.screen.answer({"before": before, "current": now}, f"Version {now} is in force; before, it was {before}.")


def pin(
    call: Call,
    version: Annotated[str | None, typer.Argument(help="The version; default the one in force.")] = None,
) -> None:
    """Keep a version in force, whatever is learned meanwhile."""
    with call.open_store() as store:
        current = store.models.roll_back(version) if version else store.models.load().version
        store.models.standing.pin()
    call.screen.answer({"current": current, "pinned": True}, f"Version {current} stays in force until it is unpinned.")


def unpin(call: Call) -> None:
    """Let the next learning put its model in force again."""
    with call.open_store() as store:
        store.models.standing.unpin()
        current = store.models.current()
    call.screen.answer({"current": current, "pinned": False}, "The next learning may put its model in force.")


def _standing(row: dict[str, Any]) -> str:
    if row["current"]:
        return "in force, pinned" if row["pinned"] else "in force"
    judged = row["verdict"]["decision"] if row["verdict"] else ""
    return f"rejected{': worse' if judged == 'worse' else ''}" if row["rejected"] else ""


app = group(list_, rollback, pin, unpin, about="The versions of the model.")
