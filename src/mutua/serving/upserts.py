"""What sources state of users and items: one at a time, or as lines of a long body, written as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from mutua.errors import InvalidField, MutuaError, TooLarge
from mutua.serving.catalogue import said_by
from mutua.serving.conditions import Condition
from mutua.serving.messages import Attributes, ItemLine, Outcome, Recorded, UserLine
from mutua.serving.problems import problem
from mutua.serving.security.limits import RequestLimits, check_depth
from mutua.serving.service import Service

Noun = Literal["user", "item"]
LINES = 100_000
"""Lines of one body."""
GROUP = 500
"""Lines that are written together: a commit each, between which other requests get their turn."""
LIMITS = RequestLimits()
DECODERS: Mapping[Noun, msgspec.json.Decoder[UserLine] | msgspec.json.Decoder[ItemLine]] = {
    "user": msgspec.json.Decoder(UserLine),
    "item": msgspec.json.Decoder(ItemLine),
}


async def stated(
    service: Service, noun: Noun, outer: str, given: Attributes, whole: bool, only_if: Condition | None = None
) -> Recorded:
    """Writes what a source says of a user or an item.

    Args:
        whole: it says no more than this: what it said before and leaves out now is withdrawn.
        only_if: what must hold when it is written.

    Raises:
        Overtaken: code `version.overtaken`; it does not hold.
    """
    event = {"kind": f"{noun}-upsert", noun: outer, **msgspec.to_builtins(given)}
    return await service.record(_whole(service, noun, [event]) if whole else [event], only_if=only_if)


async def stated_in_lines(service: Service, noun: Noun, lines: AsyncIterable[bytes], whole: bool) -> Recorded:
    """Writes what each line says, as `stated`, and returns one outcome a line; a bad line keeps no good one out.

    Args:
        lines: one JSON object each, none of them empty.

    Raises:
        TooLarge: code `input.too-large`; more lines than `LINES`. Those before are kept.
        Overloaded: code `server.overloaded`, StoreFull: code `store.full`; nothing was kept. Where some lines were
            kept already, the others are told as rejected instead.

    Cost: memory for one group and the outcomes, however long the body.
    """
    results: list[Outcome] = []
    group: list[Any] = []
    named: set[tuple[str, str]] = set()
    async for line in lines:
        if len(results) + len(group) == LINES:
            raise TooLarge(f"more than {LINES:,} lines", f"at most {LINES:,}", "send the rest by themselves")
        event = _read(noun, line)
        name = _name(noun, event)
        if len(group) == GROUP or (whole and name in named):
            results += await _written(service, noun, group, whole, bool(results))
            group, named = [], set()
        group.append(event)
        named.add(name)
    results += await _written(service, noun, group, whole, bool(results))
    counts = {status: sum(1 for one in results if one.status == status) for status in ("accepted", "duplicate")}
    accepted, duplicates = counts["accepted"], counts["duplicate"]
    return Recorded(accepted, duplicates, len(results) - accepted - duplicates, service.version, results)


def _read(noun: Noun, line: bytes) -> dict[str, Any] | MutuaError:
    """The event of a line, or why there is none."""
    try:
        check_depth(LIMITS, line)
        said = msgspec.to_builtins(DECODERS[noun].decode(line))
    except MutuaError as error:
        return error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as reason:
        return InvalidField(f"a line that cannot be read: {reason}", "one object of /docs a line", "correct the line")
    return {"kind": f"{noun}-upsert", **said}


def _name(noun: Noun, event: dict[str, Any] | MutuaError) -> tuple[str, str]:
    return ("", "") if isinstance(event, MutuaError) else (event[noun], event["source"])


async def _written(
    service: Service, noun: Noun, group: Sequence[dict[str, Any] | MutuaError], whole: bool, partly: bool
) -> list[Outcome]:
    """The outcomes of a group; what fails it is told line by line where a part of the body is kept already."""
    events = [one for one in group if not isinstance(one, MutuaError)]
    try:
        done = iter((await service.record(_whole(service, noun, events) if whole else events)).results)
    except MutuaError as error:
        if not partly:
            raise
        done = iter([_rejected(error)] * len(events))
    return [_rejected(one) if isinstance(one, MutuaError) else next(done) for one in group]


def _rejected(error: MutuaError) -> Outcome:
    return Outcome("rejected", problem=problem(error))


def _whole(service: Service, noun: Noun, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events with a withdrawal of all that their sources said before; each user or item comes once."""
    given = list(events)
    before = said_by(service.store, noun, [(event[noun], event["source"]) for event in given])
    return [
        event | {"attributes": dict.fromkeys(names) | event["attributes"]}
        for event, names in zip(given, before, strict=True)
    ]
