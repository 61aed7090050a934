"""Between what is sent over the wire and what the library takes: events in, events and outcomes out."""

from __future__ import annotations

from typing import Any

import msgspec

from mutua.core import clock
from mutua.events.kinds import AnyEvent, Interaction
from mutua.events.parsing import Parsed, parse_batch
from mutua.serving.messages import Change, Outcome, Question, Recorded
from mutua.serving.problems import problem
from mutua.serving.writer import Written


def plain(event: AnyEvent) -> dict[str, Any]:
    """Returns an event as `parse_event` reads it: times in seconds."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return {name: value for name, value in fields.items() if value is not None} | {
        "time": fields["time"] / clock.SECOND
    }


def inline(question: Question) -> list[Interaction]:
    """Returns the question's own events; each is of its user, whatever it says.

    Raises:
        DataError: an event that cannot be read.
    """
    user = question.user or "anonymous"
    parsed = parse_batch([{**event, "user": user} for event in question.events], now=clock.now())
    if parsed.refused:
        raise parsed.refused[0].error
    return [event for event in parsed.events if isinstance(event, Interaction)]


def told(parsed: Parsed, done: Written, version: int, changes: list[Change]) -> Recorded:
    """Returns the outcomes in the order of the batch: those refused are put between the others, first places first."""
    given = zip(done.sequences, done.fresh, strict=True)
    results = [Outcome("accepted" if fresh else "duplicate", sequence) for sequence, fresh in given]
    for refused in parsed.refused:
        results.insert(refused.place, Outcome("rejected", problem=problem(refused.error)))
    accepted = sum(done.fresh)
    return Recorded(accepted, len(done.fresh) - accepted, len(parsed.refused), version, results, changes)
