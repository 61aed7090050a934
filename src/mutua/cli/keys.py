"""`mutua keys`: who may call the server, and what for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mutua.cli.call import Call, group
from mutua.cli.screen import table
from mutua.errors import UsageError
from mutua.serving.security import key_file
from mutua.serving.security.key_file import Row
from mutua.serving.security.keys import TENANT, KeyRing
from mutua.store.sqlite.address import Address


def create(
    call: Call,
    scope: Annotated[list[str], typer.Option(help="What the key may do: write, read or admin; may be repeated.")],
    label: Annotated[str, typer.Option(help="Whom it is for.")] = "",
    tenant: Annotated[str | None, typer.Option(help="Whose store it opens; default the name of the file.")] = None,
) -> None:
    """Make a key and show it, this once; only its hash is kept."""
    address = Address.of(call.url)
    ring = KeyRing.load(key_file.place(address))
    key = ring.create(_tenant(address) if tenant is None else tenant, scope, label)
    access = ring.check(key)
    made = next(row for row in ring.rows() if access is not None and row.id == access.key_id)
    text = f"Key {made.id} of {made.tenant}, which may {', '.join(made.scopes)}. It is not shown again:"
    call.screen.answer({**_told(made), "key": key}, text, key)


def list_(call: Call) -> None:
    """List the keys, oldest first, without their secrets."""
    ring = KeyRing.load(key_file.place(Address.of(call.url)))
    rows = ring.rows()
    made = table("id", "tenant", "may", "label", "made")
    for row in rows:
        made.add_row(row.id, row.tenant, ", ".join(row.scopes), row.label, row.created)
    call.screen.answer(
        {"path": ring.path, "keys": [_told(row) for row in rows]},
        made if rows else "No key was made: the server serves this machine alone.",
    )


def revoke(
    call: Call, key_id: Annotated[str, typer.Argument(help="The id of the key, as `keys list` shows it.")]
) -> None:
    """Take a key back; a running server refuses it from the next request on."""
    ring = KeyRing.load(key_file.place(Address.of(call.url)))
    gone = ring.revoke(key_id)
    call.screen.answer({"revoked": _told(gone), "left": len(ring.rows())}, f"Key {gone.id} ({gone.label}) is void.")


def _tenant(address: Address) -> str:
    name = address.file.stem
    if TENANT.fullmatch(name) is None:
        raise UsageError(f"a store named {name[:80]!r}", "a name that may stand in a key", "give one with --tenant")
    return name


def _told(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "tenant": row.tenant,
        "scopes": row.scopes,
        "label": row.label,
        "created": row.created,
    }


app = group(create, list_, revoke, about="Keys for the server.")
