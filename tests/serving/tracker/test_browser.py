"""The tracker in a real browser, where one is installed: consent, clicks, what is in sight, leaving a page."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from page import TRACKER

from mutua.events.parsing import parse_batch

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
SCRIPT = '<script src="/mutua.js" data-endpoint="" data-key="mu_key" data-consent="required" data-item="{}"></script>'
SHOP = """<!doctype html>
<div data-mutua-slate="s-1" data-mutua-surface="home">
  <a data-mutua-item="milk"><button id="cart" data-mutua-event="cart" data-mutua-value="1.5">Buy</button></a>
  <a data-mutua-item="tea">Tea</a>
  <a data-mutua-item="gin" style="display: block; margin-top: 9000px">Gin</a>
</div>
<script>
const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
(async () => {
  document.getElementById("cart").click();
  await drawn();
  await fetch(`/note?kept=${localStorage.length}`, { method: "POST" });
  mutua.consent(true);
  document.getElementById("cart").click();
  await mutua.flush();
  await drawn();
  mutua.view("the-last");
  location = "/next";
})();
</script>"""
NEXT = """<!doctype html><script>
(async () => {
  await mutua.flush();
  const user = mutua.user();
  mutua.consent(false);
  await fetch(`/done?kept=${localStorage.length}&user=${user}`, { method: "POST" });
})();
</script>"""
PAGES = {
    "/": ("text/html", SCRIPT.format("milk") + SHOP),
    "/next": ("text/html", SCRIPT.format("rum") + NEXT),
    "/mutua.js": ("text/javascript", TRACKER),
}


class Shop:
    """A site that serves the pages and keeps what is posted to it."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str, str, str]] = []
        self.done = threading.Event()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, text = PAGES.get(self.path, ("text/plain", ""))
                self.answer(kind, text)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                said = self.headers.get("content-type", ""), self.headers.get("authorization", "")
                shop.posts.append((self.path, *said, body))
                self.answer("application/json", "{}")
                if self.path.startswith("/done"):
                    shop.done.set()

            def answer(self, kind: str, text: str) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> Shop:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def events(self, kind: str) -> Iterator[tuple[dict[str, Any], str]]:
        """Yields the bodies of the events that came as one content type, with the key of the header."""
        for path, content, key, body in list(self.posts):
            if path == "/v1/events" and content.startswith(kind):
                yield json.loads(body), key


@contextmanager
def browsing(address: str, folder: Path) -> Iterator[None]:
    """Opens an address in a browser of its own, and closes it."""
    line = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    line += [f"--user-data-dir={folder}", "--remote-debugging-port=0", "--disable-background-networking", address]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome is installed: the tracker is not tried in a browser")
def test_a_visit_in_a_real_browser(tmp_path: Path) -> None:
    with Shop() as shop, browsing(shop.address, tmp_path / "profile"):
        assert shop.done.wait(120), shop.posts
        posts = list(shop.posts)
    assert posts[0][0] == "/note?kept=0"
    fetched = list(shop.events("application/json"))
    beacons = list(shop.events("text/plain"))
    assert {key for _, key in fetched} == {"Bearer mu_key"}
    assert {(body["key"], key) for body, key in beacons} == {("mu_key", "")}
    sent = [event for body, _ in (*fetched, *beacons) for event in body["events"]]
    events = list({event["id"]: event for event in sent}.values())
    assert parse_batch(events, now=2**52).refused == ()
    [user] = {event["user"] for event in events}
    assert posts[-1][0] == f"/done?kept=0&user={user}"
    told = [(event.get("type", event.get("kind")), event.get("item", event.get("items"))) for event in events]
    assert sorted(told, key=str) == sorted(
        [
            ("view", "milk"),
            ("cart", "milk"),
            ("impression", ["milk", "tea"]),
            ("view", "the-last"),
            ("view", "rum"),
        ],
        key=str,
    )
