"""`mutua keys`: who may call the server, and what for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mutua.cli.call import Call, group
from mutua.cli.screen import table
from mutua.errors import NotKnown, UsageError
from mutua.serving.security import key_file
from mutua.serving.security.key_file import Row
from mutua.serving.security.keys import KeyRing
from mutua.store.sqlite.address import Address
from mutua.store.sqlite.folder import TENANT, Folder


def create(
    call: Call,
    scope: Annotated[list[str], typer.Option(help="What the key may do: write, read or admin; may be repeated.")],
    label: Annotated[str, typer.Option(help="Whom it is for.")] = "",
) -> None:
    """Make a key and show it, this once; only its hash is kept."""
    address, tenant = _named(call)
    ring = KeyRing.load(key_file.place(address))
    key = ring.create(tenant, scope, label)
    access = ring.check(key)
    made = next(row for row in ring.rows() if access is not None and row.id == access.key_id)
    text = f"Key {made.id} of {made.tenant}, which may {', '.join(made.scopes)}. It is not shown again:"
    call.screen.answer({**_told(made), "key": key}, text, key)


def list_(call: Call) -> None:
    """List the keys, oldest first, without their secrets; those of all tenants of a folder where none is named."""
    rings = _rings(call)
    rows = [row for ring in rings for row in ring.rows()]
    made = table("id", "tenant", "may", "label", "made")
    for row in rows:
        made.add_row(row.id, row.tenant, ", ".join(row.scopes), row.label, row.created)
    nobody = "nobody enters" if call.folder else "the server serves this machine alone"
    call.screen.answer(
        {"path": call.folder.path if call.folder else rings[0].path, "keys": [_told(row) for row in rows]},
        made if rows else f"No key was made: {nobody}.",
    )


def revoke(
    call: Call, key_id: Annotated[str, typer.Argument(help="The id of the key, as `keys list` shows it.")]
) -> None:
    """Take a key back; a running server refuses it from the next request on."""
    rings = _rings(call)
    ring = next((ring for ring in rings if any(row.id == key_id for row in ring.rows())), None)
    if ring is None:
        raise NotKnown(f"key {key_id[:40]!r}", "the id of a key", "see `mutua keys list`")
    gone = ring.revoke(key_id)
    call.screen.answer({"revoked": _told(gone), "left": len(ring.rows())}, f"Key {gone.id} ({gone.label}) is void.")


def _rings(call: Call) -> list[KeyRing]:
    if call.folder is not None:
        return [KeyRing.load(key_file.place(Address.of(url))) for url in call.urls.values()]
    return [KeyRing.load(key_file.place(_named(call)[0]))]


def _named(call: Call) -> tuple[Address, str]:
    """The place of the one store that is meant, and its tenant: for one file any name that may stand in a key."""
    store = call.settings.store
    if Folder.of(store.url) is not None:
        return Address.of(call.url), store.tenant
    address = Address.of(store.url)
    if not store.tenant and TENANT.fullmatch(address.file.stem) is None:
        came = f"a store named {address.file.stem[:80]!r}"
        raise UsageError(came, "a name that may stand in a key", "give one with --tenant")
    return address, store.tenant or address.file.stem


def _told(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "tenant": row.tenant,
        "scopes": row.scopes,
        "label": row.label,
        "created": row.created,
    }


app = group(create, list_, revoke, about="Keys for the server.")
