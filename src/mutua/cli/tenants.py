"""`mutua tenants`: who has a store in a folder of stores."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from mutua.cli import exits
from mutua.cli.call import Call, group
from mutua.cli.screen import table
from mutua.core import clock
from mutua.errors import MutuaError, UsageError
from mutua.privacy.removal import remove_tenant
from mutua.serving.security.keys import KeyRing
from mutua.store.disk import disk_error
from mutua.store.sqlite.address import PREFIX
from mutua.store.sqlite.folder import Folder
from mutua.store.sqlite.inspection import count_events

Name = Annotated[str, typer.Argument(help="The tenant: 1 to 63 of a-z, 0-9, _ and -.")]


def list_(call: Call) -> None:
    """List the tenants of the folder."""
    folder = _folder(call)
    rows = [_told(call, folder, name) for name in folder.tenants()]
    made = table("tenant", "events", "model", "keys", "", numbers=0)
    for row in rows:
        made.add_row(row["tenant"], f"{row['events'] or 0:,}", row["model"] or "", str(row["keys"]), row["note"])
    call.screen.answer({"path": folder.path, "tenants": rows}, made if rows else f"{folder.path} has no tenant.")


def create(call: Call, name: Name) -> None:
    """Make the empty store of a new tenant; `keys create --tenant` lets somebody in."""
    folder = _folder(call)
    place = folder.place(name)
    if place.file.exists():
        raise UsageError(f"tenant {name!r}, which exists", "a new name", "name another; `mutua tenants list`")
    try:
        folder.path.mkdir(0o700, exist_ok=True)
    except OSError as reason:
        raise disk_error(reason, str(folder.path)) from reason
    with call.open_store(f"{PREFIX}{place.file}", write=True):
        pass
    call.screen.answer({"tenant": name, "path": place.file}, f"{place.file} is the store of {name}.")


def remove(
    call: Call,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a tenant with all that it has: events, models, slates, notices, keys. This cannot be undone."""
    folder = _folder(call)
    folder.url(name)
    if not yes:
        if call.screen.as_json or not sys.stdin.isatty():
            raise UsageError(f"removing {name} without a confirmation", "--yes", "add --yes; it cannot be undone")
        typer.confirm(f"Remove {name} from {folder.path} with all that it has?", abort=True, err=True)
    with call.screen.stage("removing"):
        done = remove_tenant(folder, name, now=clock.now())
    said = f"Tenant {name} is gone: {done.events or 0:,} events, {len(done.files)} files of {done.bytes:,} bytes."
    left = [f"Still or again there: {', '.join(done.left)}."] if done.left else []
    call.screen.answer(done, said, *left)
    if done.left:
        raise typer.Exit(exits.UNWELL)


def _folder(call: Call) -> Folder:
    url = call.settings.store.url
    folder = Folder.of(url)
    if folder is None:
        raise UsageError(f"{url[:200]}, which is one store", f"a folder: {PREFIX}shops/", "end --store with a slash")
    return folder


def _told(call: Call, folder: Folder, name: str) -> dict[str, Any]:
    keys = len(KeyRing.load(folder.place(name).keys).rows())
    row: dict[str, Any] = {"tenant": name, "events": None, "model": None, "keys": keys, "note": ""}
    try:
        with call.open_store(folder.url(name)) as store:
            return {**row, "events": count_events(store.database), "model": store.models.current()}
    except MutuaError as reason:
        return {**row, "note": f"{reason.came} [{reason.code}]"}


app = group(list_, create, remove, about="The tenants of a folder of stores.")
