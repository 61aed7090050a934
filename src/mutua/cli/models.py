"""`mutua models`: the versions of the model, and the way back to an earlier one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mutua.cli.call import Call, group
from mutua.cli.screen import table
from mutua.core.clock import format_time
from mutua.errors import DamagedModel
from mutua.store.models import ModelFolders


def list_(call: Call) -> None:
    """List the versions kept, oldest first."""
    with call.open_store() as store:
        current = store.models.current()
        rows = [_row(store.models, version, current) for version in store.models.versions()]
    made = table("version", "model", "learned", "up to event", "")
    for row in rows:
        learned, until = row["learned"] or "", "" if row["sequence"] is None else str(row["sequence"])
        made.add_row(
            row["version"], row["model"], learned, until, row["note"] or ("in force" if row["current"] else "")
        )
    call.screen.answer({"current": current, "versions": rows}, made if rows else "No model has been learned.")


def rollback(
    call: Call,
    version: Annotated[str | None, typer.Argument(help="The version; default the one before the current.")] = None,
) -> None:
    """Put an earlier version in force."""
    with call.open_store(write=True) as store:
        before = store.models.current()
        now = store.models.roll_back(version)
    call.screen.answer({"before": before, "current": now}, f"Version {now} is in force; before, it was {before}.")


def _row(folders: ModelFolders, version: str, current: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {"version": version, "current": version == current}
    try:
        manifest = folders.manifest(version)
    except DamagedModel as reason:
        return {**row, "model": "", "learned": None, "sequence": None, "note": f"damaged: {reason.came}"}
    about = manifest.meta["about"]
    learned = format_time(about["learned"]) if "learned" in about else None
    return {**row, "model": manifest.kind, "learned": learned, "sequence": about["sequence"], "note": ""}


app = group(list_, rollback, about="The versions of the model.")
