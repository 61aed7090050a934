"""`mutua predict`: the rating that a user would give an item."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.voice import Voice


def predict(
    call: Call,
    user: Annotated[str, typer.Argument(help="The user's id.")],
    item: Annotated[str, typer.Argument(help="The item's id.")],
) -> None:
    """Foresee a rating, with an interval that holds it in about 80 % of cases."""
    with call.open() as shop:
        found = shop.predict(user, item)
        name = Voice.of(shop).name_of(item)
    document = {"user": user, "item": item, "value": found.value, "low": found.low, "high": found.high}
    said = f"{user} would give {name} {found.value:.2f}, in 80 % of cases between {found.low:.2f} and {found.high:.2f}."
    call.screen.answer(document, said)


app = single(predict)
