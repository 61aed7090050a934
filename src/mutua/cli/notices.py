"""`mutua notices`: the dead letters, which no receiver took; sent again, or dropped. A server may run meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from mutua.cli.call import Call, group
from mutua.cli.screen import table
from mutua.core import clock
from mutua.errors import NotKnown
from mutua.serving.push.letters import DeadLetter
from mutua.serving.push.outbox import Outbox, beside
from mutua.store.sqlite.address import Address

Letters = Annotated[list[int] | None, typer.Argument(help="The numbers of dead letters; default all.")]


def list_(
    call: Call, limit: Annotated[int, typer.Option(min=1, help="Letters shown at most, the oldest first.")] = 50
) -> None:
    """List the dead letters and what else the outbox holds."""
    with _outbox(call) as outbox:
        letters, counts = outbox.dead(limit), outbox.counts()
    made = table("number", "hook", "kind", "attempts", "error")
    for letter in letters:
        made.add_row(str(letter.id), letter.hook, letter.kind, str(letter.attempts), letter.error)
    call.screen.answer(
        {"outbox": counts, "letters": [_row(letter) for letter in letters]},
        made if letters else "No dead letters.",
        f"{counts.dead} dead, {counts.pending} pending, {counts.waiting} waiting, {counts.done} delivered.",
    )


def retry(call: Call, letters: Letters = None) -> None:
    """Send dead letters on their way again; a running server tries them within a second."""
    with _outbox(call) as outbox:
        sent = outbox.redeliver(clock.now(), letters)
    call.screen.answer({"retried": sent}, f"{sent} dead letters are on their way again.")


def drop(call: Call, letters: Letters = None) -> None:
    """Drop dead letters; nobody is told."""
    with _outbox(call) as outbox:
        gone = outbox.drop(letters)
    call.screen.answer({"dropped": gone}, f"{gone} dead letters were dropped.")


@contextmanager
def _outbox(call: Call) -> Iterator[Outbox]:
    place = beside(Address.of(call.url).path)
    if place is None or not place.exists():
        raise NotKnown(
            f"a store without an outbox {'' if place is None else place.name}".rstrip(),
            "one whose server has posted notices",
            "serve it with --notices",
        )
    with Outbox(place) as outbox:
        yield outbox


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "hook": letter.hook,
        "user": letter.user,
        "kind": letter.kind,
        "attempts": letter.attempts,
        "error": letter.error,
        "body": letter.body,
    }


app = group(list_, retry, drop, about="Notices that no receiver took.")
