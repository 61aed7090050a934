"""Options that every command has, before its name or after it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="The store; default MUTUA_STORE, else sqlite:///mutua.db."),
]
TenantOption = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", help="Whose store, where --store is a folder; default MUTUA_TENANT."),
]
JsonOption = Annotated[bool | None, typer.Option("--json", help="One JSON document on stdout and nothing else.")]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed of every random draw; default MUTUA_SEED, else 0.")
]
NowOption = Annotated[
    str | None,
    typer.Option("--now", metavar="TIME|log", help="Scoring time; `log` is the newest event's. Default: the clock."),
]
DebugOption = Annotated[bool | None, typer.Option("--debug", help="Show the traceback of an unexpected error.")]


@dataclass(frozen=True)
class Common:
    """What was given of the options that every command has; None where nothing was."""

    store: str | None = None
    tenant: str | None = None
    json: bool | None = None
    seed: int | None = None
    now: str | None = None
    debug: bool | None = None

    def over(self, below: Common) -> Common:
        """Returns these options, and those of `below` where these say nothing."""
        chosen: dict[str, Any] = {
            field.name: getattr(below, field.name) if getattr(self, field.name) is None else getattr(self, field.name)
            for field in fields(self)
        }
        return Common(**chosen)


def options(
    store: StoreOption = None,
    tenant: TenantOption = None,
    json: JsonOption = None,
    seed: SeedOption = None,
    now: NowOption = None,
    debug: DebugOption = None,
) -> Common:
    """Returns the options; its signature is what the command line offers."""
    return Common(store, tenant, json, seed, now, debug)
