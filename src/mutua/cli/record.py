"""`mutua record`: files into the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Annotated, Any

import typer

from mutua.cli.call import Call, single
from mutua.cli.screen import Step
from mutua.errors import UsageError
from mutua.store.recording import Progress, Recorded
from mutua.store.retrying import record_quarantined

QUARANTINE = "quarantine"


def record(
    call: Call,
    files: Annotated[list[Path] | None, typer.Argument(help="Files, or MovieLens and RecBole folders.")] = None,
    mapping: Annotated[
        str, typer.Option("--map", help="user=visitorid,item=itemid,time=ts; guessed if left out.")
    ] = "",
    role: Annotated[str, typer.Option(help="interactions, users, items or events; told by the columns.")] = "",
    source: Annotated[str, typer.Option(help="Who says so.")] = "file",
    from_quarantine: Annotated[
        bool, typer.Option("--from-quarantine", help="Try the rows again that could not be read.")
    ] = False,
) -> None:
    """Record files of events, users or items, cleaned; the same file twice changes nothing."""
    if bool(files) == from_quarantine:
        raise UsageError(
            "record without a file" if not files else "files and --from-quarantine", "one of both", "choose"
        )
    found = _retried(call, mapping) if from_quarantine else _recorded(call, files or [], mapping, role, source)
    total = reduce(Recorded.plus, found.values(), Recorded())
    rows = [{"path": path, **as_json(one)} for path, one in found.items()]
    call.screen.answer({"files": rows, "total": as_json(total)}, *(told(path, one) for path, one in found.items()))


def as_json(recorded: Recorded) -> dict[str, Any]:
    """Returns what became of a file as JSON values."""
    return {
        "accepted": recorded.accepted,
        "duplicates": recorded.duplicates,
        "quarantined": recorded.quarantined,
        "marked": recorded.marked,
        "mapping": recorded.mapping,
        "notes": recorded.notes,
        "seconds": recorded.seconds,
    }


def told(path: str, recorded: Recorded) -> str:
    """Returns what became of a file in words."""
    lines = [f"{path}: {recorded.accepted:,} events recorded, {recorded.duplicates:,} known already"]
    lines += [f"  marked by {rule}: {count:,}" for rule, count in recorded.marked.items()]
    lines += [f"  quarantined with {code}: {count:,}" for code, count in recorded.quarantined.items()]
    return "\n".join([*lines, *(f"  {note}" for note in recorded.notes)])


def progress_of(step: Step) -> Callable[[Progress], None]:
    """Returns what a recording tells its progress to."""
    return lambda progress: step(progress.read, progress.size)


def _recorded(call: Call, files: list[Path], mapping: str, role: str, source: str) -> dict[str, Recorded]:
    found = {}
    with call.open(write=True) as shop:
        for path in files:
            with call.screen.stage(f"recording {path.name}") as step:
                found[str(path)] = shop.record_file(
                    path, mapping=mapping, role=role, source=source, progress=progress_of(step)
                )
    return found


def _retried(call: Call, mapping: str) -> dict[str, Recorded]:
    with call.open_store(write=True) as store, call.screen.stage("recording from quarantine"):
        rules = call.settings.cleaning
        return {QUARANTINE: record_quarantined(store.log, store.quarantine, mapping=mapping, rules=rules)}


app = single(record)
