"""`mutua explain`: why an item has its score for a user."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.core.clock import format_time
from mutua.voice import Voice


def explain(
    call: Call,
    user: Annotated[str, typer.Argument(help="The user's id.")],
    item: Annotated[str, typer.Argument(help="The item's id.")],
) -> None:
    """Take a score apart: reasons that sum to it, in words."""
    with call.open() as shop:
        found = shop.explain(user, item)
        voice = Voice.of(shop, user)
        spoken = voice.sentences(found)
        made = table("share", "amount", "reason")
        for sentence in spoken:
            made.add_row(f"{sentence.share:.0%}", f"{sentence.amount:+.4g}", sentence.text)
        document = {
            "user": user,
            "item": item,
            "name": voice.name(found.item),
            "score": found.score,
            "exact": found.exact,
            "now": format_time(found.now),
            "reasons": voice.reasons(found.reasons),
            "words": [str(sentence) for sentence in spoken],
        }
        exact = "the reasons sum to it exactly" if found.exact else "the reasons are attributions that sum to it"
        call.screen.answer(document, f"{document['name']} for {user}: score {found.score:.4g}; {exact}", made)


app = single(explain)
