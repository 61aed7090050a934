"""Users and items as calls: what a source states of them, what is known, and forgetting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import msgspec

from mutua.client.answers import Attributes, Forgotten, Recorded
from mutua.client.calls import Fields, Time, asked, identified
from mutua.client.messages import LINES, Call, Repeat, encoded, segment


def upsert_user(
    user: str, attributes: Fields, *, time: Time | None = None, source: str | None = None, tag: str = ""
) -> Call[Recorded]:
    """State all attributes of a user; those that this source stated before and leaves out now are withdrawn.

    Args:
        time: since when they hold, default now; source: who says so.
        tag: of what was read; where somebody else changed it since, `version.overtaken` is raised.
    """
    return _stated("PUT", f"/v1/users/{segment(user)}", attributes, time, source, tag)


def upsert_item(
    item: str, attributes: Fields, *, time: Time | None = None, source: str | None = None, tag: str = ""
) -> Call[Recorded]:
    """State all attributes of an item; those that this source stated before and leaves out now are withdrawn.

    Args:
        time: since when they hold, default now; source: who says so.
        tag: of what was read; where somebody else changed it since, `version.overtaken` is raised.
    """
    return _stated("PUT", f"/v1/items/{segment(item)}", attributes, time, source, tag)


def patch_user(
    user: str, attributes: Fields, *, time: Time | None = None, source: str | None = None, tag: str = ""
) -> Call[Recorded]:
    """State some attributes of a user; None withdraws one. Arguments as of `upsert_user`."""
    return _stated("PATCH", f"/v1/users/{segment(user)}", attributes, time, source, tag)


def patch_item(
    item: str, attributes: Fields, *, time: Time | None = None, source: str | None = None, tag: str = ""
) -> Call[Recorded]:
    """State some attributes of an item; None withdraws one. Arguments as of `upsert_item`."""
    return _stated("PATCH", f"/v1/items/{segment(item)}", attributes, time, source, tag)


def upsert_users(users: Iterable[Fields]) -> Call[Recorded]:
    """State all attributes of many users, 100,000 at most: `{"user", "attributes", "time"?, "source"?}` each.

    One without an `id` gets one here, so that sending it again after a lost connection changes nothing.
    """
    return _stated_in_lines("PUT", "/v1/users", users)


def upsert_items(items: Iterable[Fields]) -> Call[Recorded]:
    """State all attributes of many items: `{"item", "attributes", "time"?, "source"?}` each; else as `upsert_users`."""
    return _stated_in_lines("PUT", "/v1/items", items)


def patch_users(users: Iterable[Fields]) -> Call[Recorded]:
    """State some attributes of many users; None withdraws one. Else as `upsert_users`."""
    return _stated_in_lines("POST", "/v1/users", users)


def patch_items(items: Iterable[Fields]) -> Call[Recorded]:
    """State some attributes of many items; None withdraws one. Else as `upsert_items`."""
    return _stated_in_lines("POST", "/v1/items", items)


def get_user(user: str, *, known: Attributes | None = None) -> Call[Attributes]:
    """Ask for the attributes of a user that are known, each with its source and confidence.

    Args:
        known: an earlier answer, which is returned where nothing changed since.
    """
    return _asked(f"/v1/users/{segment(user)}", known)


def get_item(item: str, *, known: Attributes | None = None) -> Call[Attributes]:
    """Ask for the attributes of an item that are known. Arguments as of `get_user`."""
    return _asked(f"/v1/items/{segment(item)}", known)


def forget_user(user: str, *, tag: str = "") -> Call[Forgotten]:
    """Erase a user for good. Not sent again after a lost connection: a second answer would be `id.unknown`.

    Args:
        tag: as of `upsert_user`.
    """
    return _erased(f"/v1/users/{segment(user)}", tag)


def forget_event(event: str) -> Call[Forgotten]:
    """Erase one event by its id for good. Not sent again after a lost connection, as `forget_user`."""
    return _erased(f"/v1/events/{segment(event)}")


def remove_item(item: str, *, tag: str = "") -> Call[Recorded]:
    """Take an item out of every slate; its events stay, and stating it `available` brings it back.

    Args:
        tag: as of `upsert_item`.
    """
    path, repeat = f"/v1/items/{segment(item)}", Repeat.REFUSED if tag else Repeat.ALWAYS
    return Call("DELETE", path, msgspec.json.Decoder(Recorded).decode, repeat=repeat, tags=_only_if(tag))


def _stated(
    method: Literal["PUT", "PATCH"], path: str, attributes: Fields, time: Time | None, source: str | None, tag: str
) -> Call[Recorded]:
    """A call that depends on a tag is not sent again after a lost connection: it may have changed the tag itself."""
    said = {"attributes": dict(attributes), "time": time, "source": source}
    body = encoded({name: value for name, value in said.items() if value is not None})
    repeat = Repeat.REFUSED if tag else Repeat.ALWAYS
    return Call(method, path, msgspec.json.Decoder(Recorded).decode, body=body, repeat=repeat, tags=_only_if(tag))


def _stated_in_lines(method: Literal["PUT", "POST"], path: str, given: Iterable[Fields]) -> Call[Recorded]:
    lines = b"\n".join(encoded(identified(dict(one))) for one in given)
    return Call(method, path, msgspec.json.Decoder(Recorded).decode, body=lines, content=LINES)


def _asked(path: str, known: Attributes | None) -> Call[Attributes]:
    call = asked(path, Attributes)
    if known is None:
        return call
    return replace(
        call,
        reads=lambda body: call.reads(body) if body else known,
        accepts=frozenset((304,)),
        tags=(("if-none-match", f'"{known.tag}"'),),
    )


def _erased(path: str, tag: str = "") -> Call[Forgotten]:
    return Call("DELETE", path, msgspec.json.Decoder(Forgotten).decode, repeat=Repeat.REFUSED, tags=_only_if(tag))


def _only_if(tag: str) -> tuple[tuple[str, str], ...]:
    return (("if-match", f'"{tag}"'),) if tag else ()
