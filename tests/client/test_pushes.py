"""Streams: the parser on any cut of the bytes, resuming, ending, and both clients on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import SLATE, Wire, problem, pushes_asynchronous, pushes_blocking

from mutua.client import Push
from mutua.client.pushes import LARGEST, Parser
from mutua.errors import NotKnown, ServerAnswer, ServerUnreachable

listening = pytest.mark.parametrize("listen", [pushes_blocking, pushes_asynchronous])
Listen = Callable[..., Iterator[Any]]
TEXT = (
    "\ufeff: a sign of life\n\nid: 1\nevent: slate\ndata: {\ndata: é}\n\nretry: 40\r\nid:2\r\ndata:two\r\n\r\n"
    "event: empty\n\ndata\rdata: x\r\rid: 3\n\nunknown: field\ndata:  spaced\n\n"
).encode()
PUSHES = [
    Push("1", "slate", "{\né}"),
    Push("2", "message", "two"),
    Push("2", "message", "\nx"),
    Push("3", "message", " spaced"),
]


def events(*pushes: tuple[str, str]) -> httpx.Response:
    body = "".join(f"id: {name}\nevent: slate\ndata: {data}\n\n" for name, data in pushes)
    return httpx.Response(200, content=body.encode(), headers={"content-type": "text/event-stream"})


@given(st.lists(st.integers(0, len(TEXT))))
def test_any_cut_of_the_bytes_gives_the_same_pushes(cuts: list[int]) -> None:
    parser = Parser()
    places = [0, *sorted(cuts), len(TEXT)]
    chunks = [TEXT[start:end] for start, end in pairwise(places)]
    assert [push for chunk in chunks for push in parser.feed(chunk)] == PUSHES
    assert (parser.last_id, parser.retry) == ("3", 0.04)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(noise: bytes) -> None:
    list(Parser().feed(noise))


def test_a_push_without_end_is_refused() -> None:
    parser = Parser()
    with pytest.raises(ServerAnswer):
        list(parser.feed(b"data: " + b"x" * LARGEST))


def test_a_push_is_a_slate_or_says_that_it_is_none() -> None:
    assert Push("1", "slate", json.dumps(SLATE)).slate.ids == ("tea",)
    with pytest.raises(ServerAnswer):
        _ = Push("1", "hello", "{}").slate


@listening
def test_a_lost_stream_is_resumed_after_the_last_push(listen: Listen) -> None:
    wire = Wire(
        events(("1", "a"), ("2", "b")),
        httpx.ReadError("cut"),
        problem("server.overloaded", 503),
        events(("3", "c")),
        events(("4", "d")),
    )
    found = list(listen(wire, 4, n=5, surface="home"))
    assert [(push.id, push.data) for push in found] == [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]
    assert [request.headers.get("last-event-id") for request in wire.requests] == [None, "2", "2", "2", "3"]
    assert wire.last.url.path == "/v1/users/ann/stream"
    assert dict(wire.last.url.params) == {"n": "5", "surface": "home"}
    assert wire.last.headers["accept"] == "text/event-stream"


@listening
def test_a_stream_begins_where_it_is_told(listen: Listen) -> None:
    wire = Wire(events(("8", "a")))
    assert len(list(listen(wire, 1, after="7"))) == 1
    assert wire.last.headers["last-event-id"] == "7"


@listening
def test_half_a_push_at_the_end_of_a_connection_is_dropped(listen: Listen) -> None:
    half = httpx.Response(200, content=b"id: 1\ndata: whole\n\nid: 2\ndata: ha")
    wire = Wire(half, events(("2", "whole too")))
    assert [push.data for push in listen(wire, 2)] == ["whole", "whole too"]
    assert wire.last.headers["last-event-id"] == "1"


@listening
def test_a_refused_stream_raises_the_servers_error(listen: Listen) -> None:
    wire = Wire(problem("id.unknown", 404))
    with pytest.raises(NotKnown):
        list(listen(wire, 1))
    assert len(wire.requests) == 1


@listening
def test_trying_to_resume_ends(listen: Listen) -> None:
    wire = Wire(events(("1", "a")), httpx.ConnectError("refused"))
    with pytest.raises(ServerUnreachable):
        list(listen(wire, 2))
    assert len(wire.requests) == 4
