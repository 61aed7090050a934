"""The bytes of server-sent events: fields in lines, one line of data, an empty line at the end."""

from __future__ import annotations

import msgspec

from mutua.serving.push import sse
from mutua.serving.push.change import Changes
from mutua.serving.push.subscription import HEARTBEAT, Pushed
from mutua.slates import Slate, SlateItem


def test_a_slate_is_one_event_of_one_line_of_data() -> None:
    slate = Slate("s1", "ann", (SlateItem("line\nbreak\r", 0.5),), model_version="m", profile_version=7)
    frame = sse.frame(Pushed("7-abcd", slate, Changes(entered=("line\nbreak\r",)), 9))
    assert frame.endswith(b"\n\n")
    fields = dict(line.split(b": ", 1) for line in frame.strip().split(b"\n"))
    assert fields[b"id"] == b"7-abcd"
    assert fields[b"event"] == b"slate"
    data = msgspec.json.decode(fields[b"data"])
    assert data["slate"] == "s1"
    assert data["items"][0]["item"] == "line\nbreak\r"
    assert data["changes"] == {"rose": [], "fell": [], "entered": ["line\nbreak\r"], "left": []}
    assert (data["profile_version"], data["version"]) == (7, 9)


def test_a_heartbeat_is_a_comment_and_the_ends_say_what_they_are() -> None:
    assert sse.frame(HEARTBEAT) == b": heartbeat\n\n"
    assert sse.opening() == b"retry: 2000\n\n"
    assert sse.ending("slow") == b'event: end\ndata: {"reason":"slow"}\n\n'
