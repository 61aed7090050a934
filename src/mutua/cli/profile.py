"""`mutua profile`: everything known of a user."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.core.clock import parse_time
from mutua.profiles.words import text, words
from mutua.voice import Voice


def profile(
    call: Call,
    user: Annotated[str, typer.Argument(help="The user's id.")],
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="As it was known at this record time.")] = None,
    as_of_event: Annotated[
        str | None, typer.Option(metavar="TIME", help="At this event time, with today's knowledge.")
    ] = None,
) -> None:
    """Show attributes, interests, life-cycle, segment, anomalies, consent and linked ids."""
    with call.open() as shop, call.screen.stage("gathering"):
        found = shop.profile(user, as_of=_time(as_of), as_of_event=_time(as_of_event))
        voice = Voice.of(shop)
        shown = text(words(found, voice.name_of))
    call.screen.answer(found.as_dict(), shown)


def _time(given: str | None) -> int | None:
    return None if given is None else parse_time(given)


app = single(profile)
