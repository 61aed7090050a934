"""One decoded JSON object → one event, or one coded error that says what came, what was expected and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mutua.core import clock
from mutua.core.ids import checked_id
from mutua.errors import FutureTime, InvalidField, InvalidTime, InvalidValue, MutuaError, TooLarge
from mutua.events.kinds import KINDS, AnyEvent, Event, Interaction
from mutua.events.limits import BATCH_EVENTS, CONTEXT_DEPTH, CONTEXT_KEYS, LARGEST_VALUE, LIST_LENGTH, TEXT_BYTES

_KINDS: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in KINDS}
_FIELDS = {kind: frozenset(kind.__struct_fields__) for kind in KINDS}
_IDS = frozenset(
    "id user item type source session device slate surface other subject field action purpose".split()  # noqa: SIM905
)
_INTEGERS = {"position": (0, 2**31), "erased": (0, 2**53)}
_LIST_OF_IDS = "items"


@dataclass(frozen=True)
class Refused:
    """An event of a batch that was refused: its 0-based place and why."""

    place: int
    error: MutuaError


@dataclass(frozen=True)
class Parsed:
    """A parsed batch: the good events in order with their places, and those refused."""

    events: tuple[AnyEvent, ...]
    places: Sequence[int]
    refused: tuple[Refused, ...]


def parse_event(given: object, *, now: int) -> AnyEvent:
    """Returns the event that a decoded JSON object states.

    Args:
        given: an object with the fields of its `kind` (`interaction` where none is said); whole numbers serve as ids,
            `time` is RFC 3339 or seconds since 1970.
        now: the clock, microseconds UTC; times over five minutes later are refused.

    Raises:
        InvalidField: code `field.invalid`; not an object, a field unknown, missing or of the wrong type.
        InvalidId: code `id.invalid`.
        InvalidTime: code `time.invalid`.
        FutureTime: code `time.future`.
        InvalidValue: code `value.invalid`; not a finite number.
        TooLarge: code `input.too-large`; text over 10 KiB, context over 100 keys or 4 levels.

    Example:
        >>> event = parse_event({"user": 7, "item": "milk", "time": "1970-01-01T00:00:01Z"}, now=10**15)
        >>> event.user, event.type, event.time
        ('7', 'view', 1000000)
    """
    if not isinstance(given, Mapping):
        raise _field(f"an event that is {_shown(given)}", "a JSON object", "send one object an event")
    fields = {str(name): value for name, value in given.items() if value is not None}
    kind = _kind(fields.pop("kind", "interaction"))
    for name in fields.keys() - _FIELDS[kind]:
        expected = ", ".join(sorted(_FIELDS[kind]))
        raise _field(f"field {_shown(name)}", f"fields {expected}", "put what has no field of its own into context")
    try:
        checked = {name: checked_part(kind, name, value, now) for name, value in fields.items()}
        return _made(kind, checked)
    except (msgspec.ValidationError, TypeError) as reason:
        raise _field(
            f"an event with a bad or missing field: {reason}", f"the fields of {kind.__name__}", "add it"
        ) from reason


def checked_event(event: AnyEvent, *, now: int) -> AnyEvent:
    """Returns an event that was made in Python, checked as `parse_event` checks objects; raises the same errors.

    Args:
        event: its time is in microseconds UTC.
        now: the clock, microseconds UTC.

    Example:
        >>> checked_event(Interaction(user="ann", item="milk", time=1), now=10**15).time
        1
    """
    kind = type(event)
    fields = {name: value for name in _FIELDS[kind] if (value := getattr(event, name)) is not None}
    time = fields.pop("time", None)
    checked = {name: checked_part(kind, name, value, now) for name, value in fields.items()}
    if time is not None:
        checked["time"] = _checked_micros(time, now)
    return _made(kind, checked)


def parse_batch(given: object, *, now: int) -> Parsed:
    """Returns the events of a decoded JSON list, the good ones kept beside the refused.

    Raises:
        InvalidField: code `field.invalid`; not a list.
        TooLarge: code `input.too-large`; over 10,000 events.
    """
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise _field(f"a batch that is {_shown(given)}", "a JSON list of events", "wrap the events in [ ]")
    if len(given) > BATCH_EVENTS:
        raise TooLarge(f"a batch of {len(given)} events", f"at most {BATCH_EVENTS}", "send smaller batches")
    events, places, refused = [], [], []
    for place, one in enumerate(given):
        try:
            events.append(parse_event(one, now=now))
            places.append(place)
        except MutuaError as error:
            refused.append(Refused(place, error))
    return Parsed(tuple(events), tuple(places), tuple(refused))


def checked_time(given: object, now: int) -> int:
    """Returns a time in microseconds UTC.

    Raises:
        InvalidTime: code `time.invalid`.
        FutureTime: code `time.future`.
    """
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise InvalidTime(f"time {_shown(given)}", "RFC 3339 text or seconds since 1970", "send one of these")
    try:
        micros = clock.parse_time(given)
    except OverflowError:
        micros = clock.parse_time(math.inf)
    return _past(micros, given, now)


def _checked_micros(given: object, now: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= clock.LATEST:
        raise InvalidTime(
            f"time {_shown(given)}", "whole microseconds UTC between 1970 and 2200", "see mutua.core.clock.parse_time"
        )
    return _past(given, given, now)


def _past(micros: int, given: object, now: int) -> int:
    if micros > now + clock.FUTURE_TOLERANCE:
        raise FutureTime(
            f"time {_shown(given)}", f"at most five minutes after {clock.format_time(now)}", "set the sender's clock"
        )
    return micros


def checked_value(given: object) -> float:
    """Returns a finite number.

    Raises:
        InvalidValue: code `value.invalid`.
    """
    if isinstance(given, int | float) and not isinstance(given, bool) and abs(given) <= LARGEST_VALUE:
        return float(given)
    raise InvalidValue(f"value {_shown(given)}", "a finite number", "leave the field out where there is none")


def checked_text(given: object, name: str = "text") -> str:
    """Returns text of at most 10 KiB.

    Raises:
        InvalidField: code `field.invalid`; not text, or not Unicode.
        TooLarge: code `input.too-large`.
    """
    if not isinstance(given, str):
        raise _field(f"{name} {_shown(given)}", "text", "send a JSON string")
    try:
        size = len(given.encode())
    except UnicodeEncodeError as reason:
        raise _field(f"{name} {_shown(given)}", "Unicode text", "send no halves of surrogate pairs") from reason
    if size > TEXT_BYTES:
        raise TooLarge(f"{name} of {size} bytes", f"at most {TEXT_BYTES} bytes", "cut it short")
    return given


def checked_part(kind: type[Event], name: str, value: Any, now: int) -> Any:
    """Returns one field of an event as it is kept, given as JSON states it; raises as `parse_event` does."""
    if name in _IDS:
        return checked_id(value, name)
    if name == "time":
        return checked_time(value, now)
    if name == "value":
        return checked_value(value)
    if name == "text":
        return checked_text(value)
    if name in ("context", "attributes"):
        return _attributes(value, name)
    if name == _LIST_OF_IDS:
        return _ids(value)
    if name in _INTEGERS:
        return _integer(value, name)
    if not isinstance(value, bool):
        raise _field(f"{name} {_shown(value)} of {kind.__name__}", "true or false", "send a truth value")
    return value


def _made(kind: type[Event], fields: dict[str, Any]) -> AnyEvent:
    if kind is Interaction:
        return Interaction(**fields)
    event: AnyEvent = msgspec.convert({**fields, "kind": kind.__struct_config__.tag}, kind)  # type: ignore[assignment]
    return event


def _kind(given: object) -> type[Event]:
    kind = _KINDS.get(given) if isinstance(given, str) else None
    if kind is None:
        raise _field(f"kind {_shown(given)}", ", ".join(_KINDS), "leave the kind out for an interaction")
    return kind


def _ids(given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not given:
        raise _field(f"items {_shown(given)}", "a list of item ids", "send the list in order of position")
    if len(given) > LIST_LENGTH:
        raise TooLarge(f"{len(given)} items", f"at most {LIST_LENGTH}", "send only what was really seen")
    return tuple(checked_id(one, "item") for one in given)


def _integer(given: object, name: str) -> int:
    low, high = _INTEGERS[name]
    if isinstance(given, int) and not isinstance(given, bool) and low <= given < high:
        return given
    raise _field(f"{name} {_shown(given)}", f"a whole number from {low}", "count positions from 0")


def _attributes(given: object, name: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise _field(f"{name} {_shown(given)}", "an object of names and values", "send a JSON object")
    room = [CONTEXT_KEYS]
    return {str(key): _plain(value, str(key), 2, room) for key, value in _counted(given, room).items()}


def _counted(given: Mapping[Any, Any], room: list[int]) -> Mapping[Any, Any]:
    room[0] -= len(given)
    if room[0] < 0:
        raise TooLarge(f"more than {CONTEXT_KEYS} keys", f"at most {CONTEXT_KEYS}", "send only what is used")
    for key in given:
        checked_id(str(key), "key")
    return given


def _plain(value: Any, name: str, level: int, room: list[int]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if isinstance(value, int) and abs(value) < 2**63 else checked_value(value)
    if isinstance(value, str):
        return checked_text(value, name)
    if level > CONTEXT_DEPTH:
        raise TooLarge(f"{name} nested deeper than {CONTEXT_DEPTH} levels", "flat values", "flatten it")
    if isinstance(value, Mapping):
        counted = _counted(value, room)
        return {str(key): _plain(one, str(key), level + 1, room) for key, one in counted.items()}
    if isinstance(value, list | tuple):
        if len(value) > LIST_LENGTH:
            raise TooLarge(f"{name} of {len(value)} entries", f"at most {LIST_LENGTH}", "shorten the list")
        return [_plain(one, name, level + 1, room) for one in value]
    raise _field(f"{name} {_shown(value)}", "a JSON value", "send text, numbers, truth values, lists or objects")


def _shown(given: object) -> str:
    try:
        return ascii(given)[:60] if not isinstance(given, str) else ascii(given[:60])
    except ValueError:
        return f"a {type(given).__name__} too large to show"


def _field(came: str, expected: str, do: str) -> InvalidField:
    return InvalidField(came, expected, do)


def is_event(given: Mapping[str, Any]) -> bool:
    """Returns whether an object has only fields of an event of its kind, and those that every such event needs."""
    kind = _KINDS.get(str(given.get("kind", "interaction")))
    if kind is None:
        return False
    needed = {one.name for one in msgspec.structs.fields(kind) if one.required}
    return needed <= given.keys() and given.keys() - {"kind"} <= _FIELDS[kind]
