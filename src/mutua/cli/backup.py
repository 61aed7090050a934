"""`mutua backup`: a copy of the store while others use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.errors import UsageError
from mutua.store.disk import disk_error
from mutua.store.sqlite.backup import Copied, back_up
from mutua.store.sqlite.folder import Folder


def backup(call: Call, target: Annotated[Path, typer.Argument(help="A new file; of a folder a new folder.")]) -> None:
    """Copy the store, its models and slates to a new file, checked; of a folder each tenant's, to a new folder."""
    if call.folder is not None:
        done = _each(call, target)
        call.screen.answer({"tenants": done}, *(told(one) for one in done.values()))
        return
    copied = _copied(call, call.url, target)
    call.screen.answer(copied, told(copied))


def _each(call: Call, target: Path) -> dict[str, Copied]:
    try:
        target.mkdir(0o700)
    except FileExistsError as reason:
        raise UsageError(f"{target} exists", "a new place", "name another, or move the old one away") from reason
    except OSError as reason:
        raise disk_error(reason, str(target)) from reason
    copies = Folder(target)
    return {tenant: _copied(call, url, copies.place(tenant).file) for tenant, url in call.urls.items()}


def _copied(call: Call, url: str, target: Path) -> Copied:
    with call.open_store(url) as store, call.screen.stage("copying"):
        return back_up(store, target)


def told(done: Copied) -> str:
    """Returns what a copy holds in words."""
    left = [f"{done.dropped:,} later events were left out"] if done.dropped else []
    left += [f"damaged parts were left out: {', '.join(done.damaged)}"] if done.damaged else []
    slates = f", {done.slates:,} slates" if done.slates else ""
    said = f"{done.path} holds {done.events:,} events{slates} and {len(done.models)} versions of the model"
    return "; ".join([said, *left]) + "."


app = single(backup)
