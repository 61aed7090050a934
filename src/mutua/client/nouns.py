"""Users and items as calls: what a source states of them, what is known, and forgetting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from mutua.client.answers import Attributes, Forgotten, Recorded
from mutua.client.calls import Fields, Time, asked, identified
from mutua.client.messages import LINES, Call, Repeat, encoded, segment


def upsert_user(
    user: str, attributes: Fields, *, time: Time | None = None, source: str | None = None
) -> Call[Recorded]:
    """State all attributes of a user; those that this source stated before and leaves out now are withdrawn.

    Args:
        time: since when they hold, default now; source: who says so.
    """
    return _stated("PUT", f"/v1/users/{segment(user)}", attributes, time, source)


def upsert_item(
    item: str, attributes: Fields, *, time: Time | None = None, source: str | None = None
) -> Call[Recorded]:
    """State all attributes of an item; those that this source stated before and leaves out now are withdrawn.

    Args:
        time: since when they hold, default now; source: who says so.
    """
    return _stated("PUT", f"/v1/items/{segment(item)}", attributes, time, source)


def patch_user(user: str, attributes: Fields, *, time: Time | None = None, source: str | None = None) -> Call[Recorded]:
    """State some attributes of a user; None withdraws one. Arguments as of `upsert_user`."""
    return _stated("PATCH", f"/v1/users/{segment(user)}", attributes, time, source)


def patch_item(item: str, attributes: Fields, *, time: Time | None = None, source: str | None = None) -> Call[Recorded]:
    """State some attributes of an item; None withdraws one. Arguments as of `upsert_item`."""
    return _stated("PATCH", f"/v1/items/{segment(item)}", attributes, time, source)


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


def get_user(user: str) -> Call[Attributes]:
    """Ask for the attributes of a user that are known, each with its source and confidence."""
    return asked(f"/v1/users/{segment(user)}", Attributes)


def get_item(item: str) -> Call[Attributes]:
    """Ask for the attributes of an item that are known."""
    return asked(f"/v1/items/{segment(item)}", Attributes)


def forget_user(user: str) -> Call[Forgotten]:
    """Erase a user for good. Not sent again after a lost connection: a second answer would be `id.unknown`."""
    return _erased(f"/v1/users/{segment(user)}")


def forget_event(event: str) -> Call[Forgotten]:
    """Erase one event by its id for good. Not sent again after a lost connection, as `forget_user`."""
    return _erased(f"/v1/events/{segment(event)}")


def remove_item(item: str) -> Call[Recorded]:
    """Take an item out of every slate; its events stay, and stating it `available` brings it back."""
    return Call("DELETE", f"/v1/items/{segment(item)}", msgspec.json.Decoder(Recorded).decode)


def _stated(
    method: Literal["PUT", "PATCH"], path: str, attributes: Fields, time: Time | None, source: str | None
) -> Call[Recorded]:
    said = {"attributes": dict(attributes), "time": time, "source": source}
    body = encoded({name: value for name, value in said.items() if value is not None})
    return Call(method, path, msgspec.json.Decoder(Recorded).decode, body=body)


def _stated_in_lines(method: Literal["PUT", "POST"], path: str, given: Iterable[Fields]) -> Call[Recorded]:
    lines = b"\n".join(encoded(identified(dict(one))) for one in given)
    return Call(method, path, msgspec.json.Decoder(Recorded).decode, body=lines, content=LINES)


def _erased(path: str) -> Call[Forgotten]:
    return Call("DELETE", path, msgspec.json.Decoder(Forgotten).decode, repeat=Repeat.REFUSED)
