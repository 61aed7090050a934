"""`mutua recommend`: what a user should see now."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from mutua.cli import reading
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.slates import Slate
from mutua.voice import Voice

ANONYMOUS = "anonymous"


def recommend(
    call: Call,
    user: Annotated[str | None, typer.Argument(help="The user's id; left out for an anonymous visitor.")] = None,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="Length of the list.")] = 10,
    event: Annotated[
        list[str] | None, typer.Option(help="An event that is not recorded: item=milk,type=cart,value=2.")
    ] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="An attribute instead of those recorded: age=35.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="A rule: category=dairy|bakery, price<=5, available.")] = None,
    exclude: Annotated[str | None, typer.Option(help="Items seen already: auto, on or off.")] = None,
    diversity: Annotated[float | None, typer.Option(help="0 by relevance alone, 1 by novelty.")] = None,
    cap: Annotated[list[str] | None, typer.Option(help="Most items of one label: brand=2.")] = None,
    pin: Annotated[list[str] | None, typer.Option(help="An item at a position: 1=milk.")] = None,
    boost: Annotated[list[str] | None, typer.Option(help="A rule and a factor: category=dairy*2.")] = None,
    surface: Annotated[str, typer.Option(help="A surface of mutua.toml.")] = "default",
    about: Annotated[
        list[str] | None,
        typer.Option("--context", help="What the request is about: item=milk, cart=milk|tea, store=north."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="With the reasons of every item.")] = False,
) -> None:
    """Recommend items; an unknown user gets a sensible list, not an error."""
    changes = any(option not in (None, []) for option in (where, exclude, diversity, cap, pin, boost))
    named = call.settings.surface(surface)
    chosen = reading.surface(
        named,
        where=where or (),
        exclude=exclude,
        diversity=diversity,
        caps=cap or (),
        pins=pin or (),
        boosts=boost or (),
    )
    with call.open() as shop:
        slate = shop.recommend(
            user,
            n,
            events=[reading.event(text, user or ANONYMOUS) for text in event or ()],
            attributes=reading.attributes(attribute or ()),
            surface=chosen if changes else surface,
            context=reading.context(about or ()),
            explained=explain,
        )
        voice = Voice.of(shop, user)
        call.screen.answer(voice.slate(slate), *shown(voice, slate))


def shown(voice: Voice, slate: Slate) -> list[RenderableType]:
    """Returns a slate as a table, with what its notes say below."""
    explained = any(entry.reasons for entry in slate.items)
    made = table("", "item", "name", "score", *(["why"] if explained else []))
    for place, entry in enumerate(slate.items, 1):
        why = ["\n".join(map(str, voice.spoken(entry, slate.now)))] if explained else []
        made.add_row(str(place), entry.item, voice.name_of(entry.item), f"{entry.score:.4g}", *why)
    return [made, *slate.notes]


app = single(recommend)
