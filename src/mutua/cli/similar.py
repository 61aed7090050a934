"""`mutua similar`: the items most like an item."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.cli.recommend import shown
from mutua.voice import Voice


def similar(
    call: Call,
    item: Annotated[str, typer.Argument(help="The item's id.")],
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="Length of the list.")] = 10,
) -> None:
    """List the items most like an item, best first."""
    with call.open() as shop:
        slate = shop.similar(item, n)
        voice = Voice.of(shop)
        document = {"item": item, "name": voice.name_of(item), **voice.slate(slate)}
        call.screen.answer(document, f"Like {document['name']}:", *shown(voice, slate))


app = single(similar)
