"""`mutua backup`: a copy of the store while others use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.store.sqlite.backup import Copied, back_up


def backup(call: Call, target: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Copy the store, its models and slates to a new file, checked."""
    with call.open_store() as store, call.screen.stage("copying"):
        done = back_up(store, target)
    call.screen.answer(done, told(done))


def told(done: Copied) -> str:
    """Returns what a copy holds in words."""
    left = [f"{done.dropped:,} later events were left out"] if done.dropped else []
    left += [f"damaged parts were left out: {', '.join(done.damaged)}"] if done.damaged else []
    slates = f", {done.slates:,} slates" if done.slates else ""
    said = f"{done.path} holds {done.events:,} events{slates} and {len(done.models)} versions of the model"
    return "; ".join([said, *left]) + "."


app = single(backup)
