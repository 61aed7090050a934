"""`mutua serve`: the store over HTTP, live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mutua.cli import reading
from mutua.cli.call import Call, single
from mutua.errors import MissingExtra


def serve(
    call: Call,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on.")] = 8000,
    origin: Annotated[
        list[str] | None, typer.Option(help="An origin whose pages may ask: https://shop.example.")
    ] = None,
    open_to_all: Annotated[
        bool, typer.Option("--open-to-all", help="Listen beyond loopback though there is no key.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer; with more than one, another writes for them.")
    ] = 1,
    notices: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file that says which notices go to which webhooks; for several tenants a folder of such."
        ),
    ] = None,
    tenants: Annotated[
        int, typer.Option(min=1, help="Tenants of a folder that are open at once in each process.")
    ] = 32,
    log_every: Annotated[
        int, typer.Option(min=0, help="Log one in so many good answers of the hot routes; 0: none.")
    ] = 0,
    learn_every: Annotated[str | None, typer.Option(help="Learn again after this time: 1h, 30min; 0: never.")] = None,
    learn_after: Annotated[int, typer.Option(min=0, help="Learn again after so many new events; 0: never.")] = 0,
    learn_on_drift: Annotated[
        bool, typer.Option("--learn-on-drift", help="Learn again when the model foresees what happens less well.")
    ] = False,
) -> None:
    """Serve until interrupted; every event moves the profile, and the next slate shows it."""
    try:
        from mutua.serving.http.folder import run_folder
        from mutua.serving.http.folder_several import run_folder_several
        from mutua.serving.http.run import Place, run
        from mutua.serving.http.several import run_several
        from mutua.serving.learning import Schedule
        from mutua.serving.notices import settings_of
    except ImportError as reason:
        raise MissingExtra(
            f"{reason.name} is not installed", "the extra `server`", "pip install 'mutua[server]'"
        ) from reason
    schedule = Schedule(reading.seconds(learn_every or "0"), learn_after, learn_on_drift)
    folder = call.folder
    url = call.settings.store.url if folder else call.url
    call.screen.note(f"Serving {url} on http://{host}:{port}, described at /docs. Ctrl-C ends it.")
    told = None if notices is None or folder else settings_of(notices)
    settings = Call(call.common).read_settings
    place = Place(url, host, port, tuple(origin or ()), open_to_all, settings, told, log_every)
    in_order = True
    if folder is not None and workers > 1:
        in_order = run_folder_several(folder, place, schedule, workers, call.now, notices, tenants)
    elif folder is not None:
        run_folder(folder, place, schedule, call.now, notices, tenants)
    elif workers > 1:
        in_order = run_several(place, schedule, call.now, workers)
    else:
        run(place, schedule, call.now)
    if not in_order:
        raise typer.Exit(1)


app = single(serve)
