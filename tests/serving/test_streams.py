"""Push over real sockets: the slate at once, then whenever an event changes it; coming back where one left off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from recommender_shop import book, built
from serving_process import serving


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = built(tmp_path_factory.mktemp("streams"))
    with serving(folder) as (_, url):
        yield url


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields id and data of each pushed slate."""
    name = ""
    for line in lines:
        if line.startswith("id: "):
            name = line[4:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def buy(address: str, user: str, item: str) -> int:
    event = {"user": user, "item": item, "type": "purchase"}
    answer = httpx.post(f"{address}/v1/events", json={"events": [event]})
    return int(answer.json()["version"])


def test_an_event_is_pushed_to_who_follows_its_user(address: str) -> None:
    with httpx.Client(base_url=address, timeout=10) as client:
        with client.stream("GET", "/v1/users/ann/stream?n=5") as answer:
            pushed = events_of(answer.iter_lines())
            _, first = next(pushed)
            version = buy(address, "ann", book(1, 2))
            name, second = next(pushed)
        assert second["profile_version"] == version > first["profile_version"]
        assert [entry["item"] for entry in second["items"]] != [entry["item"] for entry in first["items"]]
        assert second["changes"]["entered"]
        with client.stream("GET", "/v1/users/ann/stream?n=5", headers={"Last-Event-ID": name}) as answer:
            resumed = events_of(answer.iter_lines())
            later = buy(address, "ann", book(0, 4))
            assert next(resumed)[1]["profile_version"] == later


def test_a_websocket_gets_the_same(address: str) -> None:
    with connect(f"{address.replace('http', 'ws')}/v1/users/bob/socket?n=5") as socket:
        first = json.loads(socket.recv(10))
        version = buy(address, "bob", book(1, 3))
        second = json.loads(socket.recv(10))
    assert second["profile_version"] == version > first["profile_version"]


def test_a_surface_that_is_not_there_ends_the_asking(address: str) -> None:
    assert httpx.get(f"{address}/v1/users/ann/stream?surface=nowhere").json()["code"] == "config.invalid"
    with connect(f"{address.replace('http', 'ws')}/v1/users/bob/socket?surface=nowhere") as socket:
        assert json.loads(socket.recv(10))["code"] == "config.invalid"
