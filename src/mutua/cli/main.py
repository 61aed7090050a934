"""The command `mutua`: finds the command's file, runs it, and turns every outcome into an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from mutua.cli import exits
from mutua.cli.options import DebugOption, JsonOption, NowOption, SeedOption, StoreOption, TenantOption, options
from mutua.cli.problems import tell, unexpected, usage
from mutua.errors import MutuaError

COMMANDS = {
    "demo": "The main job on a real shop's data, or on a file of yours.",
    "live": "The demo's shop over HTTP, with shoppers that come and go.",
    "record": "Record files of events, users or items, cleaned.",
    "recommend": "What a user should see now.",
    "explain": "Why an item has its score for a user.",
    "learn": "Learn a model from the log and put it in force.",
    "tune": "Search for a model's settings within a budget; goes on where it was broken off.",
    "evaluate": "How well models foresee held-out events of the store.",
    "forget": "Erase a user or an event, with a receipt.",
    "profile": "Everything known of a user.",
    "similar": "The items most like an item.",
    "predict": "The rating that a user would give an item.",
    "lab": "Experiments on files: `lab run`.",
    "serve": "Serve the store over HTTP, live.",
    "keys": "Who may call the server: `keys create`, `keys list`, `keys revoke`.",
    "tenants": "Who has a store in a folder: `tenants list`, `tenants create`, `tenants remove`.",
    "notices": "Notices that no receiver took: `notices list`, `notices retry`, `notices drop`.",
    "models": "The versions of the model: `models list`, `models rollback`.",
    "quarantine": "The rows that could not be read.",
    "doctor": "What is wrong with the environment or the store.",
    "backup": "Copy the store while others use it.",
    "restore": "Make a store from a backup.",
}
"""Every command, and what it does; `mutua.cli.NAME` holds it."""

CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""What the parser of the command line raises; it has no public name of its own."""


class Commands(TyperGroup):
    """The commands, each imported when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Returns the names in the order in which the help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Returns a command, None for an unknown one."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"mutua.cli.{cmd_name}")
        return typer.main.get_command(module.app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Writes the list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(cls=Commands, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def root(
    context: typer.Context,
    store: StoreOption = None,
    tenant: TenantOption = None,
    json: JsonOption = None,
    seed: SeedOption = None,
    now: NowOption = None,
    debug: DebugOption = None,
) -> None:
    """Recommendations in which user profiles and the recommender are optimised together, live."""
    context.obj = options(store, tenant, json, seed, now, debug)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit status (`mutua.cli.exits`).

    Args:
        arguments: default those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json, debug = "--json" in given, "--debug" in given
    try:
        status = typer.main.get_command(app)(given or ["--help"], prog_name="mutua", standalone_mode=False)
        sys.stdout.flush()
    except MutuaError as error:
        return tell(error, as_json)
    except (KeyboardInterrupt, typer.Abort):
        status = exits.INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the latter is how typer ends where its output was cut off
        return _cut_off()
    except CLICK_ERROR as error:
        return tell(usage(error, given, COMMANDS), as_json)
    except Exception as error:  # noqa: BLE001
        return unexpected(error, as_json, debug)
    if status == exits.INTERRUPTED:
        print("mutua: interrupted", file=sys.stderr)
    return status if isinstance(status, int) else exits.OK


def run() -> None:
    """Runs the command line of the process and ends it."""
    sys.exit(main())


def _cut_off() -> int:
    """Turns stdout away from the pipe that was closed, so that the end of the process does not write to it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exits.CUT_OFF
