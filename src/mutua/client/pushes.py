"""Server-sent events: bytes in, pushes out, and what is needed to resume; free of any transport."""

from __future__ import annotations

import codecs
import random
import re
import time
from collections.abc import Iterator

import msgspec

from mutua.client.answers import Slate
from mutua.client.messages import Call, Lost, Reply
from mutua.client.reading import error_of, unreachable
from mutua.client.retrying import Retry, asked_seconds, repeatable
from mutua.errors import ServerAnswer

LARGEST = 8 << 20
"""Most characters of one push."""
LINE = re.compile(r"\r\n|\n|\r")


class Changes(msgspec.Struct, frozen=True):
    """What became of the items since the slate before; each in the order of the list that it stands in."""

    rose: tuple[str, ...] = ()
    fell: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class PushedSlate(Slate, frozen=True):
    """A slate that changed; `version` is the log's newest sequence number that it holds."""

    version: int = 0
    changes: Changes = Changes()


SLATE = msgspec.json.Decoder(PushedSlate)


class Push(msgspec.Struct, frozen=True):
    """One pushed event: `slate`, or `end` with the reason why the server ended the connection.

    Args:
        id: what a later connection resumes after; data: as it came.
    """

    id: str
    event: str
    data: str

    @property
    def slate(self) -> PushedSlate:
        """The slate that was pushed.

        Raises:
            ServerAnswer: code `server.answer`; the data is no slate.
        """
        try:
            return SLATE.decode(self.data)
        except msgspec.DecodeError as reason:
            raise ServerAnswer(
                f"a push {self.event!r} that is no slate: {reason}", "a slate", "look at `event`"
            ) from reason


class Parser:
    """Cuts a stream of bytes into pushes, as HTML's event stream format says.

    Example:
        >>> parser = Parser()
        >>> [push.data for push in parser.feed(b"id: 7\\ndata: a\\ndata: b\\n\\ndata: unfinished")]
        ['a\\nb']
        >>> parser.last_id
        '7'
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: float | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._id, self._event = last_id, ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[Push]:
        """Yields the pushes that end in a chunk.

        Raises:
            ServerAnswer: code `server.answer`; a push over 8 MiB.
        """
        text = self._rest + self._decoder.decode(chunk)
        # A carriage return at the end may be half of a line's end: it waits for what follows.
        held = "\r" if text.endswith("\r") else ""
        *lines, rest = LINE.split(text.removesuffix(held) if held else text)
        self._rest = rest + held
        if len(self._rest) + sum(map(len, self._data)) > LARGEST:
            raise ServerAnswer("a push over 8 MiB", "a slate", "ask for fewer items")
        for line in lines:
            push = self._line(line)
            if push is not None:
                yield push

    def _line(self, line: str) -> Push | None:
        if not line:
            return self._end()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdecimal():
            self.retry = int(value) / 1_000
        return None

    def _end(self) -> Push | None:
        self.last_id = self._id
        data, event = self._data, self._event
        self._data, self._event = [], ""
        return Push(self.last_id, event or "message", "\n".join(data)) if data else None


class Listening:
    """The course of one stream over several connections.

    Args:
        after: id of the push to resume after, empty for none.
    """

    def __init__(self, call: Call[Slate], retry: Retry, after: str = "") -> None:
        self.call = call
        self._retry = retry
        self._parser = Parser(after)
        self._tries = 1

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the next connection."""
        last = self._parser.last_id
        return {"accept": "text/event-stream", "cache-control": "no-store"} | ({"last-event-id": last} if last else {})

    def opened(self, status: int) -> bool:
        """Returns whether pushes follow on a connection; begins them anew, as a cut one may have ended anywhere."""
        retry, self._parser = self._parser.retry, Parser(self._parser.last_id)
        self._parser.retry = retry
        return status == 200

    def feed(self, chunk: bytes) -> Iterator[Push]:
        """Yields the pushes that end in a chunk; a connection that brings anything has not failed."""
        self._tries = 0
        return self._parser.feed(chunk)

    def pause(self, came: Reply | Lost | None) -> float:
        """Returns the seconds before the next connection.

        Args:
            came: why the last one ended; None where the server ended it in good order.

        Raises:
            MutuaError: the error that the server told, or `server.unreachable` after too many tries in a row.
        """
        if came is None:
            came = Lost("the stream ended")
        own = None if self._parser.retry is None else min(self._parser.retry, self._retry.longest)
        asked = asked_seconds(came, time.time())
        waits = self._retry.wait(self._tries, random.random(), own if asked is None else asked)
        if waits is None or not repeatable(self.call, came):
            raise error_of(came) if isinstance(came, Reply) else unreachable(came)
        self._tries += 1
        return waits
