"""A page that carries the tracker, in a small JavaScript engine."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

quickjs = pytest.importorskip("quickjs", reason="quickjs is not installed: the tracker is not tried in an engine")
TRACKER = files("mutua.serving").joinpath("static/mutua.js").read_text(encoding="utf-8")
BROWSER = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")
SHELVES = """
document.add(new Element({ mutuaSlate: "s-1", mutuaSurface: "home" }, [
  new Element({ mutuaItem: "milk" }, [new Element({ mutuaEvent: "cart", mutuaValue: "1.5" })]),
  new Element({ mutuaItem: "tea" }, [new Element({})]),
  new Element({ mutuaItem: "gin" }),
]));
document.add(new Element({ mutuaItem: "alone" }));
"""


class Page:
    """One visit to a page.

    Args:
        before: JavaScript that runs before the tracker.
        storage: what earlier pages left in `localStorage`.
        attributes: `data-` attributes of the script tag.
    """

    def __init__(self, before: str = SHELVES, storage: dict[str, str] | None = None, **attributes: str) -> None:
        self._engine = quickjs.Context()
        self._engine.eval(BROWSER)
        self.run(f"Object.assign(storage, {json.dumps(storage or {})})")
        tag = {"endpoint": "https://shop.test/", **attributes}
        self.run(f"document.currentScript = {{ src: 'https://cdn.test/mutua.js', dataset: {json.dumps(tag)} }}")
        self.run(before)
        self.run(TRACKER)

    def run(self, code: str) -> None:
        """Runs code, then what it promised."""
        self._engine.eval(code)
        while self._engine.execute_pending_job():
            pass

    def read(self, code: str) -> Any:
        """Returns the value of an expression, None for undefined."""
        return json.loads(self._engine.eval(f"JSON.stringify(({code}) ?? null)"))

    def wait(self, seconds: float) -> None:
        """Moves the clock, and runs every timer that comes due on the way."""
        until = self.read("clock.now") + 1_000 * seconds
        while self._engine.eval(f"due({until})"):
            while self._engine.execute_pending_job():
                pass

    @property
    def storage(self) -> dict[str, str]:
        """What `localStorage` holds."""
        found: dict[str, str] = self.read("storage")
        return found

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests sent with `fetch`, their bodies decoded."""
        return [sent | {"body": json.loads(sent["body"])} for sent in self.read("browser.fetches")]

    @property
    def beacons(self) -> list[dict[str, Any]]:
        """The bodies of the beacons."""
        return [json.loads(sent["body"]) for sent in self.read("browser.beacons")]

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events sent with `fetch`, repeats included, without ids and users."""
        return [without(event) for sent in self.requests for event in sent["body"]["events"]]

    @property
    def queued(self) -> list[dict[str, Any]]:
        """The events that wait."""
        found: list[dict[str, Any]] = json.loads(self.storage.get("mutua.queue", "[]"))
        return found


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    """Returns an event without its id, its user and other fields."""
    return {name: value for name, value in event.items() if name not in {"id", "user", *names}}
